"""FP16 and BF16 written into the graph: types, borders, constants, bodies."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.precision.models import (
    CONV_BN,
    SIGNED,
    compiled,
    constants_of,
    conv_bn_constants,
    infer,
    nodes_of,
    proto_of,
    sqnr_db,
    write_model,
)
from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, Rule

NOT_LOOKED = "Whether values overflow FP16 is not known: nothing was calibrated."
FP16, BF16, FP32 = Precision.FP16, Precision.BF16, Precision.FP32


def element_types(path: str) -> dict[str, int]:
    """By tensor name, as ONNX's strict inference sees them: it fails where types do not fit."""
    proto = onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True)
    values = [*proto.graph.value_info, *proto.graph.input, *proto.graph.output]
    return {value.name: value.type.tensor_type.elem_type for value in values}


def test_everything_inside_is_half_and_the_outside_stays(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    typed = compiled(model, tmp_path / "out", FP16, skip=("fold_batchnorm",))
    types = element_types(typed.path)
    assert {name: types[name] for name in ("x", "y", "x:fp16", "a", "c", "y:fp16")} == {
        "x": TensorProto.FLOAT,
        "y": TensorProto.FLOAT,
        "x:fp16": TensorProto.FLOAT16,
        "a": TensorProto.FLOAT16,
        "c": TensorProto.FLOAT16,
        "y:fp16": TensorProto.FLOAT16,
    }
    assert {array.dtype for array in constants_of(typed).values()} == {np.dtype(np.float16)}
    assert list(nodes_of(typed)) == ["n0:cast_fp16", "n0", "n1", "n2", "n2:cast_output"]
    feed = {"x": np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)}
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 50.0


def test_bf16_weights_are_bf16(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    typed = compiled(model, tmp_path / "out", BF16, skip=("fold_batchnorm",))
    assert {tensor.data_type for tensor in proto_of(typed).graph.initializer} == {TensorProto.BFLOAT16}
    casts = [node for node in proto_of(typed).graph.node if node.op_type == "Cast"]
    assert [node.attribute[0].i for node in casts] == [TensorProto.BFLOAT16, TensorProto.FLOAT]
    expected = conv_bn_constants()["w"].astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(constants_of(typed)["w"].astype(np.float32), expected.astype(np.float32))


def test_a_node_asked_fp32_is_between_casts_that_its_neighbours_share(tmp_path: Path) -> None:
    text = """
    (float[4] x) => (float[4] y, float[4] z) {
      a = Relu (x)
      b = Exp (a)
      c = Neg (a)
      y = Add (b, c)
      z = Sub (b, c)
    }
    """
    model = write_model(tmp_path, text)
    typed = compiled(model, tmp_path / "out", FP16, rules=(Rule(FP32, op="Exp"), Rule(FP32, op="Neg")))
    nodes = nodes_of(typed)
    assert nodes["n1"].input == nodes["n2"].input == ["a:fp32"]
    assert nodes["n3"].input == nodes["n4"].input == ["b:fp16", "c:fp16"]
    assert element_types(typed.path)["b"] == TensorProto.FLOAT
    feed = {"x": np.float32([0, 1, 2, 3])}
    for mine, theirs in zip(infer(typed.path, feed), infer(model.path, feed), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-3)


def test_a_weight_read_in_both_types_is_there_twice(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,2] z) { y = MatMul (x, w) z = MatMul (y, w) }"
    model = write_model(tmp_path, text, {"w": np.eye(2, dtype=np.float32)})
    typed = compiled(model, tmp_path / "out", FP16, rules=(Rule(FP32, nodes=("n1",)),))
    types = {name: array.dtype for name, array in constants_of(typed).items()}
    assert types == {"w": np.dtype(np.float32), "w:fp16": np.dtype(np.float16)}


def test_slots_that_are_float32_by_definition_stay_so(tmp_path: Path) -> None:
    text = """
    (float[1,1,4,4] x) => (float[1,1,8,8] y) {
      y = Resize <mode = "nearest"> (x, , scales)
    }
    """
    model = write_model(tmp_path, text, {"scales": np.float32([1, 1, 2, 2])})
    typed = compiled(model, tmp_path / "out", FP16)
    assert constants_of(typed)["scales"].dtype == np.float32
    assert element_types(typed.path)["y:fp16"] == TensorProto.FLOAT16
    feed = {"x": np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)}
    np.testing.assert_array_equal(infer(typed.path, feed)[0], infer(model.path, feed)[0])


def test_operators_without_a_half_form_stay_float_and_are_counted(tmp_path: Path) -> None:
    text = """
    (float[4] x) => (float[4] y) {
      a = Relu (x)
      r = RandomNormalLike (a)
      y = Add (a, r)
    }
    """
    typed = compiled(write_model(tmp_path, text), tmp_path / "out", FP16)
    assert typed.notes == (
        "2 nodes are written in FP16.",
        NOT_LOOKED,
        "Asked to run in FP16 but left in float: 1 RandomNormalLike.",
    )
    types = element_types(typed.path)
    assert types["r"] == TensorProto.FLOAT
    assert types["a"] == TensorProto.FLOAT16


def test_integers_are_made_float_in_float32(tmp_path: Path) -> None:
    """100 000 is infinite in FP16, but its logarithm is not."""
    text = "(int64[1] x) => (float[1] y) { f = Cast <to = 1> (x) l = Log (f) y = Relu (l) }"
    model = write_model(tmp_path, text)
    typed = compiled(model, tmp_path / "out", FP16, rules=(Rule(FP32, op="Log"),))
    assert infer(typed.path, {"x": np.array([100_000])})[0][0] == pytest.approx(11.513, abs=0.01)


def test_constants_out_of_range_are_clamped_or_raised_and_said(tmp_path: Path) -> None:
    text = "(float[2] x) => (float[2] y) { a = Add (x, big) b = Add (a, infinite) y = Add (b, epsilon) }"
    constants = {
        "big": np.float32([1e9, -1e9]),
        "infinite": np.float32([np.inf, 1.0]),
        "epsilon": np.float32([1e-12]),
    }
    typed = compiled(write_model(tmp_path, text, constants), tmp_path / "out", FP16)
    stored = constants_of(typed)
    np.testing.assert_array_equal(stored["big"], np.float16([65504, -65504]))
    assert np.isposinf(stored["infinite"][0])
    assert stored["epsilon"][0] == np.float16(2.0**-24)
    assert "2 constants beyond the range of FP16 were clamped." in typed.notes
    assert "1 scalars too small for FP16 were raised to its smallest." in typed.notes


def test_an_input_that_is_also_an_output_and_shared_keeps_its_type(tmp_path: Path) -> None:
    text = "(float[2] x) => (float[2] y, float[2] z) { y = Relu (x) z = Exp (y) }"
    model = write_model(tmp_path, text)
    typed = compiled(model, tmp_path / "out", FP16)
    assert nodes_of(typed)["n1"].input == ["y:fp16"]
    assert element_types(typed.path)["y"] == TensorProto.FLOAT
    feed = {"x": np.float32([-1, 1])}
    np.testing.assert_allclose(infer(typed.path, feed)[1], [1.0, np.e], rtol=1e-3)


IF = """
(bool c, float[1,2] x) => (float[1,2] y) {
  a = Relu (x)
  y = If (c) <
    then_branch = t () => (float[1,2] p) { q = MatMul (a, w) p = Exp (q) },
    else_branch = e () => (float[1,2] r) { r = Neg (a) }
  >
}
"""


@pytest.mark.parametrize("condition", [True, False])
def test_nodes_in_bodies_are_half_and_the_borders_of_control_flow_float(tmp_path: Path, condition: bool) -> None:
    model = write_model(tmp_path, IF, {"w": np.float32([[1, 2], [3, 4]])})
    typed = compiled(model, tmp_path / "out", FP16, SIGNED)
    assert typed.notes == ("4 nodes are written in FP16.", NOT_LOOKED)
    then = next(a.g for a in nodes_of(typed)["n1"].attribute if a.name == "then_branch")
    assert "n1.then_branch.n0" in {node.name for node in then.node}
    assert [node.op_type for node in then.node].count("Cast") == 3
    feed = {"c": np.array(condition), "x": np.float32([[0.5, 0.25]])}
    np.testing.assert_allclose(infer(typed.path, feed)[0], infer(model.path, feed)[0], rtol=4e-3)


def test_a_model_without_a_half_form_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(int64[4] x) => (int64[4] y) { y = Neg (x) }")
    with pytest.raises(WorkbenchError, match="no node on float32 that has a FP16 form"):
        compiled(model, tmp_path / "out", FP16)


def test_operators_that_the_engine_lacks_in_this_precision_stay_float_and_are_told(tmp_path: Path) -> None:
    text = "(float[1,3,8,8] x) => (float[1,4,10,10] y) { a = Relu (x) b = ConvTranspose (a, w) y = Sigmoid (b) }"
    weights = {"w": np.random.default_rng(0).standard_normal((3, 4, 3, 3)).astype(np.float32)}
    model = write_model(tmp_path, text, weights)
    dialect = Dialect("lacks", SIGNED.how, float_ops={Precision.BF16: ("ConvTranspose",)})
    typed = compiled(model, tmp_path / "typed", Precision.BF16, dialect)
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load(typed.path).graph.initializer}
    assert kinds["w"] == TensorProto.FLOAT
    assert "Asked to run in BF16 but left in float: 1 ConvTranspose." in typed.notes
    plain = compiled(model, tmp_path / "plain", Precision.FP16, dialect)
    assert onnx.load(plain.path).graph.initializer[0].data_type == TensorProto.FLOAT16


ENDS = """
(float[1,3,8,8] x, float[1,4,8,8] wide, int64[1] at) => (float[1,4,8,8] y, float[1,4,8,8] z, int64[2] rest) {
  a = Conv <pads = [1,1,1,1]> (x, w)
  y = Relu (a)
  b = Add (y, wide)
  z = Sin (b)
  rest = Concat <axis = 0> (at, at)
}
"""


def test_free_inputs_and_outputs_become_half_without_casts(tmp_path: Path) -> None:
    """`wide` is read and `z` made by nodes that stay in FP32, so that those two keep their type."""
    model = write_model(tmp_path, ENDS, {"w": np.ones((4, 3, 3, 3), np.float32)})
    rules = (Rule(FP32, op="Sin"), Rule(FP32, op="Add"))
    typed = compiled(model, tmp_path / "out", FP16, rules=rules, keep_io=False)
    types = element_types(typed.path)
    half, wide = TensorProto.FLOAT16, TensorProto.FLOAT
    assert [types[name] for name in ("x", "y", "wide", "z", "rest")] == [half, half, wide, wide, TensorProto.INT64]
    assert [node for node in nodes_of(typed) if "cast" in node] == ["n2:cast_fp32"]
    proto = proto_of(typed)
    assert [value.name for value in proto.graph.input] == ["x", "wide", "at"]
    assert [value.name for value in proto.graph.output] == ["y", "z", "rest"]
    assert "Inputs and outputs that changed their type: x is FP16, y is FP16." in typed.notes
    values = [*proto.graph.input, *proto.graph.output]
    assert [[dim.dim_value for dim in v.type.tensor_type.shape.dim] for v in values][:2] == [[1, 3, 8, 8], [1, 4, 8, 8]]


def test_an_input_that_bodies_or_float_nodes_read_too_stays(tmp_path: Path) -> None:
    text = """
    (float[4] x, bool flag) => (float[4] y) {
      a = Relu (x)
      i = If (flag) <then_branch = t () => (float[4] u) { u = Neg (x) }, else_branch = e () => (float[4] v) { v = Abs (x) }>
      y = Add (a, i)
    }
    """  # noqa: E501
    typed = compiled(write_model(tmp_path, text, {}), tmp_path / "out", FP16, keep_io=False)
    types = element_types(typed.path)
    assert (types["x"], types["y"]) == (TensorProto.FLOAT, TensorProto.FLOAT16)
    got = infer(typed.path, {"x": np.array([1, -2, 3, -4], np.float32), "flag": np.array(True)})[0]
    assert got.tolist() == [0, 2, 0, 4]


def test_free_inputs_and_outputs_that_nothing_half_touches_are_told_of(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    typed = compiled(model, tmp_path / "out", FP32, keep_io=False)
    assert element_types(typed.path)["x"] == TensorProto.FLOAT
    assert "Inputs and outputs keep their types: no half type is written next to them." in typed.notes
