"""BatchNormalization whose variance FP16 cannot hold (the PP-OCRv4 detector has one of 1e8) keeps its function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import (
    CONV_BN,
    SIGNED,
    compiled,
    constants_of,
    conv_bn_constants,
    infer,
    sqnr_db,
    write_model,
)
from workbench.core.model import TypedModel
from workbench.core.precision import Precision

WILD = np.array([0.5, 3e4, 1e5, 1e8], np.float32)
AS_NODE = """
(float[1,3,8,8] x) => (float[1,4,8,8] y) {
  variance = Constant <value = float[4] {0.5, 30000.0, 100000.0, 100000000.0}> ()
  a = Conv <pads = [1,1,1,1]> (x, w, b)
  c = BatchNormalization <epsilon = 0.001> (a, gamma, beta, mean, variance)
  y = Relu (c)
}
"""


def in_fp16(folder: Path, text: str, variance: np.ndarray | None) -> tuple[TypedModel, float]:
    """The typed model, and its distance from the model as it is."""
    constants = conv_bn_constants()
    constants["gamma"] = constants["gamma"] * np.sqrt(WILD)
    constants["variance"] = variance if variance is not None else WILD
    if variance is None:
        del constants["variance"]
    model = write_model(folder, text, constants)
    skip = ("fold_batchnorm", "fold_constants")
    typed = compiled(model, folder / "typed", Precision.FP16, SIGNED, skip=skip)
    feed = {"x": np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)}
    return typed, sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0])


@pytest.mark.parametrize(("text", "variance"), [(CONV_BN, WILD), (AS_NODE, None)])
def test_a_variance_beyond_fp16_becomes_one(tmp_path: Path, text: str, variance: np.ndarray | None) -> None:
    typed, decibel = in_fp16(tmp_path, text, variance)
    assert decibel > 50.0
    assert any("1 BatchNormalization had a variance beyond" in note for note in typed.notes)
    assert not any("clamped" in note for note in typed.notes)


def test_a_variance_within_fp16_stays_as_it_is(tmp_path: Path) -> None:
    mild = np.array([0.5, 1.0, 2.0, 6e4], np.float32)
    typed, _ = in_fp16(tmp_path, CONV_BN, mild)
    assert constants_of(typed)["variance"].astype(np.float32) == pytest.approx(mild, rel=1e-3)
    assert not any("variance" in note for note in typed.notes)
