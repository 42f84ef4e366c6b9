"""INT8: exact scales, zero points, axes, names and sharing, in both dialects."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from tests.precision.models import (
    CONV_BN,
    SIGNED,
    UNSIGNED,
    compiled,
    constants_of,
    conv_bn_constants,
    infer,
    nodes_of,
    proto_of,
    seen,
    sqnr_db,
    write_model,
)
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Calibration, CalibrationMethod, Precision, Rule
from workbench.precision.passes.weights import quantized_weights

INT8 = Precision.INT8
MATMUL = "(float[1,2] x) => (float[1,3] y) { y = MatMul (x, w) }"
W = np.float32([[127.0, 1.0, 0.0], [-12.7, -0.5, 0.0]])


def test_a_matmul_gets_a_symmetric_activation_and_weights_per_output_channel(tmp_path: Path) -> None:
    model = write_model(tmp_path, MATMUL, {"w": W})
    observed = seen(model, {"x": np.float32([[-2.0, 25.4]])})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, observed)
    nodes, constants = nodes_of(typed), constants_of(typed)
    assert list(nodes) == ["n0:quantize_a", "n0:dequantize_a", "n0:dequantize_w", "n0"]
    assert constants["x:scale"] == np.float32(25.4 / 127)
    assert (constants["x:zero_point"], constants["x:zero_point"].dtype) == (0, np.int8)
    np.testing.assert_allclose(constants["w:scale"], np.float32([1.0, 1 / 127, 1e-6]), rtol=1e-6)
    np.testing.assert_array_equal(constants["w:int8"], np.int8([[127, 127, 0], [-13, -64, 0]]))
    assert nodes["n0:dequantize_w"].attribute[0].i == 1
    assert "w" not in constants


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero_point"),
    [(0.0, 5.1, 0.02, 0), (-0.1, 5.0, 0.02, 5), (-2.55, 2.55, 0.02, 128), (-5.1, -1.0, 0.02, 255)],
)
def test_unsigned_inputs_cover_the_range_that_was_seen(
    tmp_path: Path, low: float, high: float, scale: float, zero_point: int
) -> None:
    model = write_model(tmp_path, MATMUL, {"w": W})
    observed = seen(model, {"x": np.float32([[low, high]])})
    constants = constants_of(compiled(model, tmp_path / "out", INT8, UNSIGNED, observed))
    assert constants["x:scale"] == pytest.approx(scale, rel=1e-5)
    assert constants["x:zero_point"].dtype == np.uint8
    assert abs(int(constants["x:zero_point"]) - zero_point) <= (1 if zero_point == 128 else 0)


def test_two_activations_are_both_int8_even_where_inputs_are_unsigned(tmp_path: Path) -> None:
    text = "(float[2,2] x, float[2,2] v) => (float[2,2] y) { y = MatMul (x, v) }"
    model = write_model(tmp_path, text)
    eye = np.eye(2, dtype=np.float32)
    typed = compiled(model, tmp_path / "out", INT8, UNSIGNED, seen(model, {"x": eye, "v": eye}))
    assert {a.dtype for name, a in constants_of(typed).items() if "zero" in name} == {np.dtype(np.int8)}
    assert {"n0:quantize_a", "n0:quantize_b"} < set(nodes_of(typed))


def test_users_of_one_tensor_share_one_pair(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,3] y, float[1,3] z) { y = MatMul (x, w) z = MatMul (x, w) }"
    model = write_model(tmp_path, text, {"w": W})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, {"x": np.float32([[1, 2]])}))
    nodes = nodes_of(typed)
    own = ["n1", "n1:dequantize_w"]
    assert sorted(nodes) == ["n0", "n0:dequantize_a", "n0:dequantize_w", "n0:quantize_a", *own]
    assert nodes["n0"].input[0] == nodes["n1"].input[0]
    assert nodes["n0:dequantize_w"].input == nodes["n1:dequantize_w"].input


def test_a_squared_tensor_is_quantized_once(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[2,2] x) => (float[2,2] y) { y = MatMul (x, x) }")
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, {"x": np.eye(2, dtype=np.float32)}))
    assert [node.op_type for node in proto_of(typed).graph.node].count("QuantizeLinear") == 1


MOVES = """
(float[2,3,4] x) => (float[6,4] y, float[6,4] z) {
  r = Relu (x)
  t = Transpose <perm = [1, 0, 2]> (r)
  s = Reshape (t, shape)
  y = MatMul (s, w)
  z = MatMul (s, w)
}
"""


def test_a_pair_stands_before_what_only_moves_values_for_quantized_nodes(tmp_path: Path) -> None:
    extra = {"w": np.eye(4, dtype=np.float32), "shape": np.array([6, 4])}
    model = write_model(tmp_path, MOVES, extra)
    feed = {"x": np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)}
    typed = compiled(model, tmp_path / "out", INT8, UNSIGNED, seen(model, feed), skip=("merge_moves",))
    nodes = nodes_of(typed)
    assert [name for name in nodes if "quantize_a" in name] == ["n3:quantize_a", "n3:dequantize_a"]
    assert nodes["n3:quantize_a"].input[0] == "r" and nodes["n1"].input[0] == "r:dequantized"
    assert nodes["n3"].input[0] == nodes["n4"].input[0] == "s"
    largest = float(feed["x"].max())
    assert constants_of(typed)["r:scale"] == pytest.approx(largest / 255)
    got, plain = infer(typed.path, feed), infer(model.path, feed)
    assert sqnr_db(got[0], plain[0]) > 40.0 and sqnr_db(got[1], plain[1]) > 40.0


@pytest.mark.parametrize(
    "more", ["z = Neg (s)", "z = MatMul (v, s)", "z = Identity (s)"], ids=["float", "another_form", "output"]
)
def test_a_pair_stays_behind_moves_that_serve_others_too(tmp_path: Path, more: str) -> None:
    ends = "(float[4,4] x, float[4,4] v) => (float[4,4] y, float[4,4] z)"
    text = f"{ends} {{ s = Transpose (x) y = MatMul (s, w) {more} }}"
    model = write_model(tmp_path, text, {"w": np.eye(4, dtype=np.float32)})
    feed = {name: np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32) for name in "xv"}
    typed = compiled(model, tmp_path / "out", INT8, UNSIGNED, seen(model, feed), skip=("drop_identities",))
    nodes = nodes_of(typed)
    assert nodes["n1:quantize_a"].input[0] == "s" and nodes["n0"].input[0] == "x"
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 40.0


def test_what_moves_quantized_values_has_the_type_of_their_scales(tmp_path: Path) -> None:
    """No cast stands between a DequantizeLinear and the node it is for, in either dialect."""
    extra = {"w": np.eye(4, dtype=np.float32), "shape": np.array([6, 4])}
    model = write_model(tmp_path, MOVES, extra)
    ranges = seen(model, {"x": np.ones((2, 3, 4), np.float32)})
    for half_scales, kind in ((False, onnx.TensorProto.FLOAT), (True, onnx.TensorProto.FLOAT16)):
        dialect = msgspec.structs.replace(SIGNED, half_scales=half_scales)
        rules = (Rule(INT8, op="MatMul"),)
        typed = compiled(model, tmp_path / f"{half_scales}", Precision.FP16, dialect, ranges, rules)
        nodes = nodes_of(typed)
        assert nodes["n1"].input[0] == "r:dequantized" and nodes["n3"].input[0] == "s"
        inferred = onnx.shape_inference.infer_shapes(proto_of(typed), check_type=True, strict_mode=True)
        types = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
        assert types["r:dequantized"] == types["s"] == kind


@pytest.mark.parametrize(("transposed", "axis"), [(0, 1), (1, 0)])
def test_gemm_weights_are_scaled_along_their_output_axis(tmp_path: Path, transposed: int, axis: int) -> None:
    text = f"(float[1,2] x) => (float[1,3] y) {{ y = Gemm <transB = {transposed}> (x, w, b) }}"
    weights = W.T.copy() if transposed else W
    model = write_model(tmp_path, text, {"w": weights, "b": np.float32([1, 2, 3])})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, {"x": np.float32([[1, 2]])}))
    nodes, constants = nodes_of(typed), constants_of(typed)
    assert nodes["n0:dequantize_w"].attribute[0].i == axis
    assert constants["w:scale"].shape == (3,)
    assert nodes["n0"].input[2] == "b"
    assert constants["b"].dtype == np.float32


def test_conv_and_batchnorm_are_one_node_with_weights_per_output_channel(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    feed = {"x": np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)}
    typed = compiled(model, tmp_path / "out", INT8, UNSIGNED, seen(model, feed))
    nodes = nodes_of(typed)
    assert list(nodes) == ["n0+n1:quantize_x", "n0+n1:dequantize_x", "n0+n1:dequantize_w", "n0+n1", "n2"]
    assert nodes["n0+n1:dequantize_w"].attribute[0].i == 0
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 35.0


@pytest.mark.parametrize("dialect", [SIGNED, UNSIGNED])
def test_grouped_convs_are_quantized_and_close(tmp_path: Path, dialect: object) -> None:
    text = "(float[1,4,6,6] x) => (float[1,4,6,6] y) { y = Conv <group = 4, pads = [1,1,1,1]> (x, w) }"
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((4, 1, 3, 3)).astype(np.float32) * np.float32([1, 10, 0.1, 3]).reshape(4, 1, 1, 1)
    model = write_model(tmp_path, text, {"w": weights})
    feed = {"x": rng.standard_normal((1, 4, 6, 6)).astype(np.float32)}
    typed = compiled(model, tmp_path / "out", INT8, dialect, seen(model, feed))  # type: ignore[arg-type]
    assert constants_of(typed)["w:scale"].shape == (4,)
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 35.0


def test_nodes_asked_to_stay_float_stay_float(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,2] z) { y = MatMul (x, w) z = MatMul (y, w) }"
    model = write_model(tmp_path, text, {"w": np.eye(2, dtype=np.float32)})
    observed = seen(model, {"x": np.float32([[1, 2]])})
    keep = (Rule(Precision.FP32, nodes=("n1",)),)
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, observed, keep)
    nodes = nodes_of(typed)
    assert list(nodes["n1"].input) == ["y", "w"]
    assert nodes["n0"].input[0] == "x:dequantized"
    assert typed.asked == {"n0": "int8", "n1": "fp32"}


def test_what_cannot_be_quantized_is_counted_with_its_reason(tmp_path: Path) -> None:
    text = """
    (float[1,2,4,4] x, float[2,2,1,1] v) => (float[1,2,4,4] y) {
      a = Conv (x, w)
      y = Conv (a, v)
    }
    """
    model = write_model(tmp_path, text, {"w": np.ones((2, 2, 1, 1), np.float32)})
    feed = {"x": np.ones((1, 2, 4, 4), np.float32), "v": np.ones((2, 2, 1, 1), np.float32)}
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, feed))
    assert "Asked to run in INT8 but left in float: 1 Conv: its weights are computed." in typed.notes


def test_behind_reduce_max_an_unsigned_node_stays_float(tmp_path: Path) -> None:
    text = """
    (float[1,3,2] x) => (float[1,3] y) {
      m = ReduceMax <axes = [1], keepdims = 0> (x)
      y = MatMul (m, w)
    }
    """
    model = write_model(tmp_path, text, {"w": W})
    observed = seen(model, {"x": np.ones((1, 3, 2), np.float32)})
    with pytest.raises(WorkbenchError, match="reads a ReduceMax"):
        compiled(model, tmp_path / "out", INT8, UNSIGNED, observed)
    assert "n1:quantize_a" in nodes_of(compiled(model, tmp_path / "out", INT8, SIGNED, observed))


def test_a_graph_that_cannot_be_lifted_is_quantized_per_tensor(tmp_path: Path) -> None:
    text = """
    (bool c, float[1,2] x) => (float[1,3] y, float[1,3] z) {
      y = MatMul (x, w)
      z = If (c) <
        then_branch = t () => (float[1,3] a) { a = Relu (y) },
        else_branch = e () => (float[1,3] b) { b = Neg (y) }
      >
    }
    """
    model = write_model(tmp_path, text, {"w": W}, opset=11)
    observed = seen(model, {"c": np.array(True), "x": np.float32([[1, 2]])})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, observed)
    assert constants_of(typed)["w:scale"].shape == ()
    assert not nodes_of(typed)["n0:dequantize_w"].attribute
    assert any("stays at opset 11" in note for note in typed.notes)
    infer(typed.path, {"c": np.array(True), "x": np.float32([[1, 2]])})


def test_weights_are_a_quarter_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "(float[1,256] x) => (float[1,512] y) { y = MatMul (x, w) }"
    model = write_model(tmp_path, text, {"w": rng.standard_normal((256, 512)).astype(np.float32)})
    observed = seen(model, {"x": np.ones((1, 256), np.float32)})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, observed)
    assert Path(typed.path).stat().st_size < 0.27 * Path(model.path).stat().st_size


def test_all_zero_weights_have_a_scale(tmp_path: Path) -> None:
    steps, scale = quantized_weights(np.zeros((2, 3), np.float32), 0)
    assert not steps.any()
    assert (scale > 0).all()


def test_the_calibration_method_decides_the_scale(tmp_path: Path) -> None:
    model = write_model(tmp_path, MATMUL.replace("1,2", "1000,2").replace("1,3", "1000,3"), {"w": W})
    values = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)
    values[0, 0] = 50.0
    observed = seen(model, {"x": values})
    by_max = constants_of(compiled(model, tmp_path / "a", INT8, SIGNED, observed))["x:scale"]
    clipping = Calibration(method=CalibrationMethod.PERCENTILE, percentile=99.0)
    clipped = constants_of(compiled(model, tmp_path / "b", INT8, SIGNED, observed, calibration=clipping))["x:scale"]
    assert by_max == np.float32(50.0 / 127)
    assert clipped < by_max / 10


def test_int8_without_ranges_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path, MATMUL, {"w": W})
    with pytest.raises(WorkbenchError, match="nothing was calibrated"):
        compiled(model, tmp_path / "out", INT8)


def test_weights_already_quantized_in_the_file_are_quantized_anew(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,3] y) { d = DequantizeLinear (q, s) y = MatMul (x, d) }"
    model = write_model(tmp_path, text, {"q": np.int8([[127, 5, 0], [1, -127, 9]]), "s": np.array(0.5, np.float32)})
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, {"x": np.float32([[1, 2]])}))
    assert typed.removed == {"n0": "folded"}
    back = constants_of(typed)["d:int8"] * constants_of(typed)["d:scale"]
    np.testing.assert_allclose(back, np.float32([[63.5, 2.5, 0], [0.5, -63.5, 4.5]]), atol=0.26)
    assert onnx.load(typed.path).graph.output[0].name == "y"


def test_nothing_to_quantize_is_said_before_anything_is_asked_for(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[4] x) => (float[4] y) { y = Relu (x) }")
    with pytest.raises(WorkbenchError, match="Nothing to quantize"):
        compiled(model, tmp_path / "out", INT8)
