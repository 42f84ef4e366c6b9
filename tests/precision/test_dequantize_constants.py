"""int8 weights in the form that TensorRT takes; the numbers stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.precision.models import SIGNED, compiled, infer, nodes_of, proto_of, sqnr_db, write_model
from workbench.core.dialect import Dialect
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision

NEEDS_DQ = Dialect("needs dq", SIGNED.how, int8_needs_dq=True)
STORED = "(float[2,6] x) => (float[2,4] y) { c = Cast <to = 1> (w) d = Mul (c, s) y = MatMul (x, d) }"
TURNED = "(float[2,6] x) => (float[2,4] y) { c = Cast <to = 1> (w) d = Mul (s, c) y = MatMul (x, d) }"
AS_NODES = """
(float[2,6] x) => (float[2,4] y) {
  w = Constant <value = int8[6,4] {1,-2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,-8,9,1,2,3,4,5,-6}> ()
  s = Constant <value = float[4] {0.1, 0.2, 0.3, 0.4}> ()
  c = Cast <to = 1> (w) d = Mul (c, s) y = MatMul (x, d)
}
"""


def weights(scale: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    values = {"w": rng.integers(-127, 128, (6, 4)).astype(np.int8)}
    return values | {"s": rng.uniform(0.01, 0.02, scale).astype(np.float32)}


def typed(model: Model, folder: Path, precision: Precision = Precision.FP32) -> TypedModel:
    return compiled(model, folder / "typed", precision, NEEDS_DQ)


def assert_same_numbers(model: Model, result: TypedModel, least_db: float = 199.0) -> None:
    feed = {"x": np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)}
    for mine, theirs in zip(infer(result.path, feed), infer(model.path, feed), strict=True):
        assert sqnr_db(mine, theirs) > least_db


@pytest.mark.parametrize("text", [STORED, TURNED])
@pytest.mark.parametrize(("scale", "axis"), [((1, 4), 1), ((4,), 1), ((6, 1), 0), ((), None), ((1, 1), None)])
def test_cast_and_mul_by_a_scale_are_one_dequantization(
    tmp_path: Path, text: str, scale: tuple[int, ...], axis: int | None
) -> None:
    model = write_model(tmp_path, text, weights(scale))
    result = typed(model, tmp_path)
    nodes = nodes_of(result)
    assert [(name, node.op_type) for name, node in nodes.items()] == [("n0+n1", "DequantizeLinear"), ("n2", "MatMul")]
    found = [entry.i for entry in nodes["n0+n1"].attribute if entry.name == "axis"]
    assert found == ([] if axis is None else [axis])
    assert result.removed == {}
    assert_same_numbers(model, result)


def test_weights_in_constant_nodes_count_too(tmp_path: Path) -> None:
    model = write_model(tmp_path, AS_NODES)
    result = typed(model, tmp_path)
    assert nodes_of(result)["n2+n3"].op_type == "DequantizeLinear"
    assert_same_numbers(model, result)


def test_a_scale_for_each_value_is_no_dequantization_and_the_weights_become_float(tmp_path: Path) -> None:
    model = write_model(tmp_path, STORED, weights((6, 4)))
    result = typed(model, tmp_path)
    assert result.removed == {"n0": "folded"}
    assert [node.op_type for node in proto_of(result).graph.node] == ["Mul", "MatMul"]
    assert_same_numbers(model, result)


def test_weights_in_the_branch_of_an_if_are_rewritten_there(tmp_path: Path) -> None:
    text = """
    (float[2,6] x, bool b) => (float[2,4] y) {
      y = If (b) <
        then_branch = t () => (float[2,4] u) <int8[6,4] w = {1,-2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,-8,9,1,2,3,4,5,-6}>
          { c = Cast <to = 1> (w) u = MatMul (x, c) },
        else_branch = e () => (float[2,4] v) { v = Slice (x, zero, four, one) }
      >
    }
    """
    extra = {"zero": np.array([0]), "four": np.array([4]), "one": np.array([1])}
    model = write_model(tmp_path, text, extra)
    result = typed(model, tmp_path)
    assert result.removed == {"n0.then_branch.n0": "folded"}


def test_other_dialects_leave_such_weights_alone(tmp_path: Path) -> None:
    model = write_model(tmp_path, STORED, weights((1, 4)))
    result = compiled(model, tmp_path / "typed", Precision.FP32)
    assert list(nodes_of(result)) == ["n0", "n1", "n2"]


@pytest.mark.parametrize("precision", [Precision.FP16])
def test_a_dequantization_stays_float_beside_half_types(tmp_path: Path, precision: Precision) -> None:
    model = write_model(tmp_path, STORED, weights((1, 4)))
    result = typed(model, tmp_path, precision)
    kinds = {t.name: t.data_type for t in onnx.load(result.path).graph.initializer}
    assert kinds["s:flat"] == onnx.TensorProto.FLOAT
    assert_same_numbers(model, result, 50.0)
