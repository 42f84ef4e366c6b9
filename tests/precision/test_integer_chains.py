"""Chains of integer operators: what is quantized, what stays float, and that ONNX Runtime takes it so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from tests.backends.precisions import needs_exact_sums
from tests.precision.models import BY_MAX, UNSIGNED, compiled, constants_of, infer, nodes_of, sqnr_db, write_model
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision
from workbench.precision import Observations, observe

INTEGER = msgspec.structs.replace(UNSIGNED, integer_results=True, unquantized_behind=())
RNG = np.random.default_rng(5)
FEED = {"x": RNG.standard_normal((1, 16, 8, 8)).astype(np.float32)}
WEIGHTS = {
    "w": RNG.standard_normal((16, 16, 3, 3)).astype(np.float32) * 0.1,
    "v": RNG.standard_normal((16, 16, 1, 1)).astype(np.float32) * 0.3,
    "b": RNG.standard_normal(16).astype(np.float32),
    "three": np.float32([3.0]),
    "six": np.float32([6.0]),
    "zero": np.float32(0.0),
    "top": np.float32(6.0),
    "less": np.float32([-0.25]),
}
HARD_SWISH = """
(float[1,16,8,8] x) => (float[1,16,8,8] y) {
  a = Conv <pads = [1,1,1,1]> (x, w, b)
  t = Add (a, three)
  c = Clip (t, zero, top)
  m = Mul (a, c)
  h = Div (m, six)
  s = Add (h, less)
  d = Conv <pads = [1,1,1,1]> (s, w, b)
  e = Conv (s, v)
  f = Add (d, e)
  r = Relu (f)
  g = Conv (r, v)
  y = Neg (g)
}
"""


def seen(model: Model) -> Observations:
    return observe(model, model.shapes, [FEED], total=1, dialect=INTEGER)


def typed_of(folder: Path, text: str, skip: tuple[str, ...] = ()) -> tuple[Model, TypedModel]:
    model = write_model(folder, text, WEIGHTS)
    return model, compiled(model, folder / "out", Precision.INT8, INTEGER, seen(model), calibration=BY_MAX, skip=skip)


def executed_ops(typed: TypedModel, folder: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    options.optimized_model_filepath = str(folder / "executed.onnx")
    onnxruntime.InferenceSession(typed.path, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "executed.onnx").graph.node)


def test_onnx_runtime_computes_a_hard_swish_and_a_residual_sum_in_integers(tmp_path: Path) -> None:
    model, typed = typed_of(tmp_path, HARD_SWISH)
    ops = executed_ops(typed, tmp_path)
    assert {op: count for op, count in ops.items() if op.startswith("QLinear")} == {
        "QLinearConv": 4,
        "QLinearAdd": 3,
        "QLinearMul": 1,
    }
    assert ops["QuantizeLinear"] == ops["DequantizeLinear"] == 1  # at the ends
    assert not {"Conv", "Mul", "Div", "Clip", "Relu", "Add"} & set(ops)
    assert sqnr_db(infer(typed.path, FEED)[0], infer(model.path, FEED)[0]) > 28.0


def test_a_division_is_a_scale_of_the_same_values(tmp_path: Path) -> None:
    _, typed = typed_of(tmp_path, HARD_SWISH)
    nodes, constants = nodes_of(typed), constants_of(typed)
    scale, stored = nodes["n4"].input[1], nodes["n3:quantize_y"].output[0]
    assert (nodes["n4"].op_type, nodes["n4"].input[0], list(nodes["n4"].output)) == ("DequantizeLinear", stored, ["h"])
    before = constants[nodes["n3:quantize_y"].input[1]]
    np.testing.assert_allclose(constants[scale], before / 6, rtol=1e-6)
    assert "n3:dequantize_y" not in nodes  # nobody reads it


def test_what_only_a_hard_swish_reads_has_no_steps_below_minus_three(tmp_path: Path) -> None:
    wide = {"x": FEED["x"] * 8}
    model = write_model(tmp_path, HARD_SWISH, WEIGHTS)
    found = observe(model, model.shapes, [wide], total=1, dialect=INTEGER)
    assert found.histogram("a").low < -4.0
    typed = compiled(model, tmp_path / "out", Precision.INT8, INTEGER, found)
    _, scale, zero = (constants_of(typed).get(name) for name in nodes_of(typed)["n0:quantize_y"].input)
    assert scale is not None and zero is not None
    assert -3.0 - float(scale) < -float(scale) * int(zero) < -3.0 + float(scale)


def test_a_number_is_exact_in_8_bits_of_either_sign(tmp_path: Path) -> None:
    _, typed = typed_of(tmp_path, HARD_SWISH)
    nodes, constants = nodes_of(typed), constants_of(typed)
    for name, operand, value in (("n1", "b", 3.0), ("n5", "b", -0.25)):
        stored, scale, zero = (constants[given] for given in nodes[f"{name}:dequantize_{operand}"].input)
        np.testing.assert_allclose((stored.astype(np.int32) - int(zero)) * scale, [value], rtol=1e-6)
        assert stored.dtype == zero.dtype == np.uint8


def test_a_result_that_is_an_output_stays_float_and_so_does_its_conv(tmp_path: Path) -> None:
    text = "(float[1,16,8,8] x) => (float[1,16,8,8] a, float[1,16,8,8] y) "
    _, typed = typed_of(tmp_path, text + "{ a = Conv (x, v) c = Conv (a, v) y = Neg (c) }")
    nodes = nodes_of(typed)
    assert list(nodes["n0"].input) == ["x", "v"]
    assert {"n1:quantize_x", "n1:quantize_y"} < set(nodes)
    assert any("1 Conv: its result cannot be quantized" in note for note in typed.notes)


def test_a_conv_on_few_channels_stays_float_unless_it_is_all_there_is(tmp_path: Path) -> None:
    weights = {"k": RNG.standard_normal((16, 4, 3, 3)).astype(np.float32), **WEIGHTS}
    text = "(float[1,4,10,10] p) => (float[1,16,8,8] y) { a = Conv (p, k) c = Conv (a, v) y = Neg (c) }"
    feed = {"p": RNG.standard_normal((1, 4, 10, 10)).astype(np.float32)}
    for body, quantized in ((text, {"n1"}), (text.replace("c = Conv (a, v)", "c = Relu (a)"), {"n0"})):
        model = write_model(tmp_path, body, weights)
        found = observe(model, model.shapes, [feed], total=1, dialect=INTEGER)
        nodes = nodes_of(compiled(model, tmp_path / "out", Precision.INT8, INTEGER, found))
        assert {name.partition(":")[0] for name in nodes if ":dequantize_w" in name} == quantized


def test_what_moves_values_hands_them_on_in_one_form(tmp_path: Path) -> None:
    text = """
    (float[1,16,8,8] x) => (float[1,16,4,4] y) {
      a = Conv (x, v)
      m = MaxPool <kernel_shape = [2,2], strides = [2,2]> (a)
      c = Conv (m, v)
      y = Neg (c)
    }
    """
    _, typed = typed_of(tmp_path, text)
    nodes, constants = nodes_of(typed), constants_of(typed)
    first, second = (constants[nodes[f"{name}:quantize_y"].input[1]] for name in ("n0", "n1"))
    assert first == second
    assert executed_ops(typed, tmp_path)["NhwcMaxPool"] == 1


def test_a_sum_of_which_nobody_needs_8_bits_stays_float(tmp_path: Path) -> None:
    text = "(float[1,16,8,8] x) => (float[1,16,8,8] y) { a = Conv (x, v) s = Add (a, x) y = Neg (s) }"
    _, typed = typed_of(tmp_path, text)
    assert list(nodes_of(typed)["n1"].input) == ["a:dequantized", "x"]


def test_matmul_and_gemm_have_integer_bias_and_write_float(tmp_path: Path) -> None:
    weights = {
        "w": RNG.standard_normal((32, 16)).astype(np.float32),
        "u": RNG.standard_normal((16, 8)).astype(np.float32),
        "b": RNG.standard_normal(16).astype(np.float32),
        "c": RNG.standard_normal(8).astype(np.float32),
    }
    text = "(float[4,32] p) => (float[4,8] y) { a = MatMul (p, w) s = Add (a, b) t = Tanh (s) y = Gemm (t, u, c) }"
    feed = {"p": RNG.standard_normal((4, 32)).astype(np.float32)}
    model = write_model(tmp_path, text, weights)
    found = observe(model, model.shapes, [feed], total=1, dialect=INTEGER)
    typed = compiled(model, tmp_path / "out", Precision.INT8, INTEGER, found)
    constants = constants_of(typed)
    assert (constants["b:int32"].dtype, constants["c:int32"].dtype) == (np.int32, np.int32)
    ops = executed_ops(typed, tmp_path)
    assert (ops["QGemm"], ops["Gemm"], ops["DequantizeLinear"]) == (2, 0, 0)
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 30.0


@pytest.mark.parametrize("op", ["Conv", "Gemm", "MatMul"])
@pytest.mark.parametrize("tiny", [0.0, 1e-7])
def test_the_bias_of_a_channel_without_weights_is_not_cut_off(tmp_path: Path, op: str, tiny: float) -> None:
    """ONNX Runtime adds it in int32, in steps of both scales."""
    needs_exact_sums("onnxruntime")
    texts = {
        "Conv": "(float[1,16,8,8] x) => (float[1,16,6,6] y) { a = Conv (x, w, b) c = Relu (a) y = Neg (c) }",
        "Gemm": "(float[4,16] x) => (float[4,16] y) { y = Gemm (x, u, b) }",
        "MatMul": "(float[4,16] x) => (float[4,16] y) { a = MatMul (x, u) y = Add (a, b) }",
    }
    conv, product = (RNG.standard_normal(shape).astype(np.float32) for shape in ((16, 16, 3, 3), (16, 16)))
    conv[3], product[:, 3] = conv[3] * tiny, product[:, 3] * tiny
    bias = RNG.standard_normal(16).astype(np.float32)
    bias[3] = 5.0
    model = write_model(tmp_path, texts[op], {"w": conv, "u": product, "b": bias})
    shape = (1, 16, 8, 8) if op == "Conv" else (4, 16)
    feed = {"x": RNG.standard_normal(shape).astype(np.float32)}
    found = observe(model, model.shapes, [feed], total=1, dialect=INTEGER)
    typed = compiled(model, tmp_path / "out", Precision.INT8, INTEGER, found, calibration=BY_MAX)
    session = onnxruntime.InferenceSession(typed.path, providers=["CPUExecutionProvider"])
    assert sqnr_db(session.run(None, feed)[0], infer(model.path, feed)[0]) > 30.0


def test_what_is_added_stays_float_where_it_is_no_number_of_steps(tmp_path: Path) -> None:
    """A mask of minus infinity behind a product."""
    weights = {"u": RNG.standard_normal((16, 16)).astype(np.float32), "b": np.float32([0.0] * 15 + [-np.inf])}
    text = "(float[4,16] x) => (float[4,16] y) { a = MatMul (x, u) s = Add (a, b) y = Softmax (s) }"
    model = write_model(tmp_path, text, weights)
    feed = {"x": RNG.standard_normal((4, 16)).astype(np.float32)}
    found = observe(model, model.shapes, [feed], total=1, dialect=INTEGER)
    typed = compiled(model, tmp_path / "out", Precision.INT8, INTEGER, found)
    session = onnxruntime.InferenceSession(typed.path, providers=["CPUExecutionProvider"])
    assert sqnr_db(session.run(None, feed)[0], infer(model.path, feed)[0]) > 25.0
