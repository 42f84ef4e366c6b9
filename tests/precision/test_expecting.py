"""What a model was trained on, read from its first BatchNormalization: wrong preprocessing is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import write_model
from workbench.core.model import Model
from workbench.precision.expecting import look_at_expectations

NET = """
(float[1,3,16,16] x) => (float[1,8,16,16] y) {
  a = Conv <pads = [1,1,1,1]> (x, w)
  c = BatchNormalization (a, gamma, beta, mean, variance)
  y = Relu (c)
}
"""
Pictures = list[dict[str, np.ndarray]]


def pictures(count: int, seed: int = 0) -> Pictures:
    """Smooth colours in 0..1, with more red than blue."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        coarse = rng.random((1, 3, 4, 4))
        smooth = coarse.repeat(4, axis=2).repeat(4, axis=3) * np.array([0.9, 0.5, 0.15]).reshape(1, 3, 1, 1)
        made.append({"x": smooth.astype(np.float32)})
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A Conv whose BatchNormalization has the mean and variance that such pictures give."""
    import onnxruntime

    folder, rng = tmp_path_factory.mktemp("trained"), np.random.default_rng(1)
    weights = {name: np.ones(8, np.float32) for name in ("gamma", "variance")}
    weights |= {name: np.zeros(8, np.float32) for name in ("beta", "mean")}
    weights["w"] = rng.standard_normal((8, 3, 3, 3)).astype(np.float32)
    plain = write_model(folder, NET.replace("y = Relu (c)", "y = Identity (a)"), weights, name="plain.onnx")
    session = onnxruntime.InferenceSession(plain.path, providers=["CPUExecutionProvider"])
    values = np.concatenate([session.run(None, feed)[0] for feed in pictures(64, seed=9)])
    weights["mean"], weights["variance"] = values.mean(axis=(0, 2, 3)), values.var(axis=(0, 2, 3))
    return write_model(folder, NET, weights)


def changed(feeds: Pictures, change: Callable[[np.ndarray], np.ndarray]) -> Pictures:
    return [{"x": np.ascontiguousarray(change(feed["x"])).astype(np.float32)} for feed in feeds]


def as_nhwc(x: np.ndarray) -> np.ndarray:
    """The mistake: memory of [N, H, W, C] taken for [N, C, H, W]."""
    return np.ascontiguousarray(np.moveaxis(x, 1, 3)).reshape(x.shape)


@pytest.mark.parametrize("seed", range(5))
def test_samples_like_those_of_the_training_give_no_finding(trained: Model, seed: int) -> None:
    assert look_at_expectations(trained, trained.shapes, pictures(24, seed)) == []


MISTAKES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str, str]] = {
    "0..255 instead of 0..1": (lambda x: x * 255, "range", "divided by 255 they would fit"),
    "divided by 255 twice": (lambda x: x / 255, "range", "multiplied by 255 they would fit"),
    "-1..1 instead of 0..1": (lambda x: 2 * x - 1, "range", "taken from -1..1 to 0..1 they would fit"),
    "blue first": (lambda x: x[:, ::-1], "color", "with the colours in the other order they would fit"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_of_preprocessing_is_found_and_named(trained: Model, mistake: str) -> None:
    change, kind, words = MISTAKES[mistake]
    (one,) = look_at_expectations(trained, trained.shapes, changed(pictures(24), change))
    assert (one.kind, one.tensor, one.nodes) == (kind, "x", ("n1",))
    assert words in one.text


def test_values_that_nothing_mends_are_still_told(trained: Model) -> None:
    noise = changed(pictures(24), lambda x: np.random.default_rng(2).standard_normal(x.shape) * 40)
    (one,) = look_at_expectations(trained, trained.shapes, noise)
    assert "times the spread" in one.text
    assert "would fit" not in one.text


def test_a_model_without_batchnorm_near_its_input_says_nothing(tmp_path: Path) -> None:
    text = "(float[1,3,4,4] x) => (float[1,2,4,4] y) { y = Conv (x, w) }"
    model = write_model(tmp_path, text, {"w": np.ones((2, 3, 1, 1), np.float32)})
    assert look_at_expectations(model, model.shapes, [{"x": np.full((1, 3, 4, 4), 1e6, np.float32)}]) == []
