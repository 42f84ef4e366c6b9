"""BF16 and FP16 graphs as float32 graphs that round like them."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.precision.models import compiled, infer, sqnr_db, write_model
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.precision import without_halves

CHAIN = """
(float[1,3,8,8] x) => (float[1,4,4,4] y) {
  a = Conv <pads = [1,1,1,1]> (x, w)
  b = Relu (a)
  c = Add (b, b)
  y = MaxPool <kernel_shape = [2,2], strides = [2,2]> (c)
}
"""
BRANCHES = """
(float[1,3,8,8] x, bool flag) => (float[1,4,8,8] y) {
  i = If (flag) <
    then_branch = t () => (float[1,4,8,8] u) { u = Conv <pads = [1,1,1,1]> (x, w) },
    else_branch = e () => (float[1,4,8,8] v) { k = Conv <pads = [1,1,1,1]> (x, w) v = Relu (k) }
  >
  y = Add (i, i)
}
"""


def feed(**more: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
    return {"x": np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32), **more}


def model_of(folder: Path, text: str) -> Model:
    return write_model(folder, text, {"w": np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)})


def simulated(path: str, folder: Path) -> str:
    data = without_halves(path)
    assert data is not None
    (folder / "simulated.onnx").write_bytes(data)
    return str(folder / "simulated.onnx")


HALVES = [(Precision.BF16, np.dtype(ml_dtypes.bfloat16), 35.0), (Precision.FP16, np.dtype(np.float16), 55.0)]


def is_of(kind: np.dtype[np.generic], values: NDArray[np.generic]) -> bool:
    return bool((values.astype(kind).astype(np.float32) == values).all())


@pytest.mark.parametrize(("precision", "kind", "least_db"), HALVES)
def test_every_value_is_one_of_the_half_type(
    tmp_path: Path, precision: Precision, kind: np.dtype[np.generic], least_db: float
) -> None:
    model = model_of(tmp_path, CHAIN)
    typed = compiled(model, tmp_path / "typed", precision)
    got = infer(simulated(typed.path, tmp_path), feed())[0]
    assert is_of(kind, got)
    assert least_db < sqnr_db(got, infer(model.path, feed())[0]) < least_db + 30.0


def test_onnx_runtime_alone_refuses_bf16_and_does_not_round_fp16(tmp_path: Path) -> None:
    """Why this module is there; where it is no longer so, it can go."""
    model = model_of(tmp_path, "(float[1,3,8,8] x) => (float[1,3,8,8] y) { a = Add (x, x) y = Sin (a) }")
    typed = compiled(model, tmp_path / "bf16", Precision.BF16)
    with pytest.raises(Exception, match=r"bfloat16|BFloat16|NOT_IMPLEMENTED"):
        onnxruntime.InferenceSession(typed.path, providers=["CPUExecutionProvider"])
    typed = compiled(model, tmp_path / "fp16", Precision.FP16)
    assert sqnr_db(infer(typed.path, feed())[0], infer(model.path, feed())[0]) > 100.0
    assert sqnr_db(infer(simulated(typed.path, tmp_path), feed())[0], infer(model.path, feed())[0]) < 90.0


@pytest.mark.parametrize("op", ["Add (x, w)", "Transpose <perm = [0, 1]> (x)"])
def test_inputs_and_outputs_are_float32_that_hold_half_values(tmp_path: Path, op: str) -> None:
    text = f"(float16[4,4] x) => (float16[4,4] y, float16[4,4] z) {{ y = {op} z = Relu (y) }}"
    weights = {"w": np.random.default_rng(0).standard_normal((4, 4)).astype(np.float16)}
    model = write_model(tmp_path, text, weights)
    wide = np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32)
    x = wide.astype(np.float16)
    wanted = x + weights["w"] if op.startswith("Add") else x
    got, clipped = infer(simulated(model.path, tmp_path), {"x": wide})
    assert got.dtype == clipped.dtype == np.float32
    assert np.array_equal(got, wanted)
    assert np.array_equal(clipped, np.maximum(wanted, 0))


def test_a_loop_that_carries_a_half_type_rounds_each_time(tmp_path: Path) -> None:
    text = """
    (float16[4] x) => (float16[4] y) {
      y = Loop (n, yes, x) <
        body = b (int64 i, bool go, float16[4] v) => (bool on, float16[4] w) { on = Identity (go) w = Mul (v, third) }
      >
    }
    """
    extra = {"n": np.array(5), "yes": np.array(True), "third": np.array(1 / 3, np.float16)}
    model = write_model(tmp_path, text, extra)
    x = np.array([1.0, -2.0, 3.1, 40.5], np.float16)
    wanted = x
    for _ in range(5):
        wanted = wanted * extra["third"]
    assert np.array_equal(infer(simulated(model.path, tmp_path), {"x": x.astype(np.float32)})[0], wanted)


@pytest.mark.parametrize(("precision", "kind", "least_db"), HALVES)
@pytest.mark.parametrize("flag", [True, False])
def test_branches_round_inside(
    tmp_path: Path, flag: bool, precision: Precision, kind: np.dtype[np.generic], least_db: float
) -> None:
    model = model_of(tmp_path, BRANCHES)
    typed = compiled(model, tmp_path / "typed", precision)
    given = feed(flag=np.array(flag))
    got = infer(simulated(typed.path, tmp_path), given)[0]
    assert is_of(kind, got)
    assert least_db < sqnr_db(got, infer(model.path, given)[0]) < least_db + 30.0


def test_weights_stored_in_bf16_keep_their_values(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((6, 4)).astype(ml_dtypes.bfloat16)
    stored = helper.make_tensor("w", TensorProto.BFLOAT16, [6, 4], weights.astype(np.float32).ravel().tolist())
    nodes = [
        helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "f"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [2, 6]), ("y", [2, 4]))]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [stored])
    path = tmp_path / "stored.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    x = np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)
    got = infer(simulated(str(path), tmp_path), {"x": x})[0]
    assert got == pytest.approx(x @ weights.astype(np.float32), rel=1e-5)
    written = onnx.load(tmp_path / "simulated.onnx").graph.initializer[0]
    assert numpy_helper.to_array(written).dtype == np.float32


def test_a_graph_without_halves_needs_no_rewriting(tmp_path: Path) -> None:
    assert without_halves(model_of(tmp_path, CHAIN).path) is None
