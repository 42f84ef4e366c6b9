"""Mul, Div, Add and Sub by constants behind a Conv: folded where its weights can do them, else left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.precision.models import infer, sqnr_db, write_model
from workbench.precision.base import base_graph

RNG = np.random.default_rng(7)
WEIGHTS = {
    "w": RNG.standard_normal((4, 3, 3, 3)).astype(np.float32),
    "one": np.float32([1.5]),
    "each": RNG.uniform(0.5, 2.0, (4, 1, 1)).astype(np.float32),
    "row": RNG.uniform(0.5, 2.0, (6,)).astype(np.float32),
}
FEED = {"x": RNG.standard_normal((1, 3, 8, 8)).astype(np.float32)}


def folded(folder: Path, body: str) -> list[str]:
    """Names of the nodes of the clean graph, which gives the same numbers."""
    model = write_model(folder, f"(float[1,3,8,8] x) => (float[1,4,6,6] y) {{ a = Conv (x, w) {body} }}", WEIGHTS)
    base = base_graph(model, model.shapes)
    onnx.save(base.proto, folder / "base.onnx")
    assert sqnr_db(infer(str(folder / "base.onnx"), FEED)[0], infer(model.path, FEED)[0]) > 120.0
    return [node.name for node in base.proto.graph.node]


@pytest.mark.parametrize(
    "body",
    [
        "m = Mul (one, a) y = Add (m, each)",
        "d = Div (a, each) y = Sub (d, one)",
        "s = Add (each, a) y = Mul (s, each)",
    ],
)
def test_two_in_a_row_go_into_weights_and_bias(tmp_path: Path, body: str) -> None:
    assert folded(tmp_path, body) == ["n0+n1+n2"]


@pytest.mark.parametrize(
    "body",
    ["y = Mul (a, row)", "y = Div (one, a)", "m = Mul (a, one) y = Add (m, a)", "y = Mul (a, a)"],
)
def test_what_is_not_per_output_channel_or_has_other_readers_is_left(tmp_path: Path, body: str) -> None:
    assert "n0" in folded(tmp_path, body)


def test_a_division_by_zero_is_left_to_the_engine(tmp_path: Path) -> None:
    text = "(float[1,3,8,8] x) => (float[1,4,6,6] y) { a = Conv (x, w) y = Div (a, none) }"
    model = write_model(tmp_path, text, {**WEIGHTS, "none": np.float32([0.0])})
    assert [node.name for node in base_graph(model, model.shapes).proto.graph.node] == ["n0", "n1"]
