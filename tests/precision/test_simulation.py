"""BF16 graphs, which ONNX Runtime cannot run, as float32 graphs that round like BF16."""

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
from workbench.precision import without_bf16

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
    data = without_bf16(path)
    assert data is not None
    (folder / "simulated.onnx").write_bytes(data)
    return str(folder / "simulated.onnx")


def is_bf16(values: NDArray[np.generic]) -> bool:
    return bool((values.astype(ml_dtypes.bfloat16).astype(np.float32) == values).all())


def test_a_bf16_graph_runs_and_every_value_is_one_of_bf16(tmp_path: Path) -> None:
    model = model_of(tmp_path, CHAIN)
    typed = compiled(model, tmp_path / "typed", Precision.BF16)
    with pytest.raises(Exception, match="bfloat16"):
        onnxruntime.InferenceSession(typed.path, providers=["CPUExecutionProvider"])
    got = infer(simulated(typed.path, tmp_path), feed())[0]
    assert is_bf16(got)
    assert 35.0 < sqnr_db(got, infer(model.path, feed())[0]) < 60.0


@pytest.mark.parametrize("flag", [True, False])
def test_branches_round_inside(tmp_path: Path, flag: bool) -> None:
    model = model_of(tmp_path, BRANCHES)
    typed = compiled(model, tmp_path / "typed", Precision.BF16)
    given = feed(flag=np.array(flag))
    got = infer(simulated(typed.path, tmp_path), given)[0]
    assert is_bf16(got)
    assert 35.0 < sqnr_db(got, infer(model.path, given)[0]) < 60.0


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


def test_a_graph_without_bf16_needs_no_rewriting(tmp_path: Path) -> None:
    assert without_bf16(model_of(tmp_path, CHAIN).path) is None
