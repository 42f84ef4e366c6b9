"""FP16 leaves in float32 what it cannot hold: variances and powers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.precision.models import SIGNED, compiled, infer, sqnr_db, write_model
from workbench.core.precision import Precision
from workbench.precision import without_halves

NORM = """
(float[1,4,512] x) => (float[1,4,512] y) {
  m = ReduceMean <axes = [-1]> (x)
  d = Sub (x, m)
  s = SQUARE
  v = MEAN
  e = Add (v, eps)
  r = Sqrt (e)
  n = Div (d, r)
  y = Mul (n, gamma)
}
"""
MAGNITUDE = """
(float[1,4,512] x) => (float[1,512,4] y) {
  re = Mul (x, gamma)
  im = Sub (x, gamma)
  a = Mul (re, re)
  b = Pow (im, two)
  p = Add (a, b)
  t = Transpose <perm = [0,2,1]> (p)
  r = Sqrt (t)
  y = Log (r)
}
"""
CONSTANTS = {
    "eps": np.array(1e-3, np.float32),
    "gamma": np.linspace(0.5, 2, 512, dtype=np.float32),
    "two": np.array(2, np.float32),
    "count": np.array(512, np.float32),
    "axes": np.array([-1]),
}


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        (NORM.replace("SQUARE", "Mul (d, d)").replace("MEAN", "ReduceMean <axes = [-1]> (s)"), "n2 n3 n4 n5"),
        (NORM.replace("SQUARE", "Pow (d, two)").replace("MEAN", "ReduceMean <axes = [-1]> (s)"), "n2 n3 n4 n5"),
        (
            NORM.replace("SQUARE", "Mul (d, d)").replace("v = MEAN", "q = ReduceSum (s, axes) v = Div (q, count)"),
            "n2 n3 n4 n5 n6",
        ),
        (MAGNITUDE, "n2 n3 n4 n5 n6"),
    ],
)
def test_what_fp16_cannot_hold_stays_float_and_the_rest_does_not(tmp_path: Path, text: str, wide: str) -> None:
    names = {name: values for name, values in CONSTANTS.items() if name in text}
    model = write_model(tmp_path, text, names)
    typed = compiled(model, tmp_path / "typed", Precision.FP16, SIGNED)
    assert _in_float32(typed.path) == set(wide.split())
    data = without_halves(typed.path)
    assert data is not None
    (tmp_path / "exact.onnx").write_bytes(data)
    feed = {"x": (300 * np.random.default_rng(0).standard_normal((1, 4, 512))).astype(np.float32)}
    assert sqnr_db(infer(str(tmp_path / "exact.onnx"), feed)[0], infer(model.path, feed)[0]) > 50.0


def test_a_mean_of_plain_values_is_written_in_fp16(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[1,4,512] x) => (float[1,4,1] y) { y = ReduceMean <axes = [-1]> (x) }")
    assert _in_float32(compiled(model, tmp_path / "typed", Precision.FP16, SIGNED).path) == set()


def _in_float32(path: str) -> set[str]:
    """Nodes of the model whose first input is float32."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)}
    return {node.name for node in graph.node if ":" not in node.name and kinds[node.input[0]] == TensorProto.FLOAT}
