"""Weights alone in INT8, INT4 and FP4, and FP8: types, scales, blocks, and numbers that are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.precision.models import compiled, infer, nodes_of, proto_of, seen, sqnr_db, write_model
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.model import TypedModel
from workbench.core.precision import Precision, Rule
from workbench.precision import without_halves
from workbench.precision.passes.weights import dequantized, fp4_weights, int4_weights, int8_weights

FP32, FP16 = Precision.FP32, Precision.FP16
EVERYTHING = Dialect("everything", dict.fromkeys(Precision, How.GRAPH), half_scales=True)
ROUNDS = Dialect("rounds", {**dict.fromkeys(Precision, How.GRAPH), Precision.FP8: How.ROUNDED})
MATMUL = "(float[2,64] x) => (float[2,32] y) { y = MatMul (x, w) }"
GEMM = "(float[2,64] x) => (float[2,32] y) { y = Gemm <transB = 1> (x, w, b) }"
CONV = "(float[1,16,8,8] x) => (float[1,32,8,8] y) { y = Conv <pads = [1,1,1,1]> (x, w) }"
RNG = np.random.default_rng(0)
W = RNG.standard_normal((64, 32)).astype(np.float32)
X = {"x": RNG.standard_normal((2, 64)).astype(np.float32)}
B = RNG.standard_normal(32).astype(np.float32)


def stored_types(typed: TypedModel) -> dict[str, int]:
    return {t.name: t.data_type for t in proto_of(typed).graph.initializer}


@pytest.mark.parametrize(
    ("precision", "kind", "opset", "least_db"),
    [
        (Precision.INT8_WEIGHTS, TensorProto.INT8, 17, 40.0),
        (Precision.INT4_WEIGHTS, TensorProto.INT4, 21, 16.0),
        (Precision.FP4_WEIGHTS, TensorProto.FLOAT4E2M1, 23, 16.0),
    ],
)
@pytest.mark.parametrize("text", [MATMUL, GEMM], ids=["MatMul", "Gemm"])
def test_weights_are_stored_and_the_rest_stays_float(
    tmp_path: Path, text: str, precision: Precision, kind: int, opset: int, least_db: float
) -> None:
    constants = {"w": W} if text is MATMUL else {"w": W.T.copy(), "b": B}
    model = write_model(tmp_path, text, constants)
    typed = compiled(model, tmp_path / "out", precision, EVERYTHING)
    proto = proto_of(typed)
    assert kind in stored_types(typed).values() and "w" not in stored_types(typed)
    assert proto.opset_import[0].version == opset
    assert nodes_of(typed)["n0:dequantize_w"].op_type == "DequantizeLinear"
    assert "not promised" in typed.notes[-1]
    exact = without_halves(typed.path) or typed.path
    assert sqnr_db(infer(exact, X)[0], infer(model.path, X)[0]) > least_db


def test_conv_weights_are_int8_per_output_channel(tmp_path: Path) -> None:
    weights = RNG.standard_normal((32, 16, 3, 3)).astype(np.float32)
    model = write_model(tmp_path, CONV, {"w": weights})
    typed = compiled(model, tmp_path / "out", Precision.INT8_WEIGHTS, EVERYTHING)
    nodes, proto = nodes_of(typed), proto_of(typed)
    assert nodes["n0:dequantize_w"].attribute[0].i == 0
    scale = next(t for t in proto.graph.initializer if t.name == "w:scale")
    assert list(scale.dims) == [32]
    with pytest.raises(WorkbenchError, match="INT4 weights are for MatMul and Gemm") as error:
        compiled(model, tmp_path / "out", Precision.INT4_WEIGHTS, EVERYTHING)
    assert "INT8 weights" in error.value.hint


@pytest.mark.parametrize(("rows", "block"), [(64, 32), (48, 16), (72, 0)])
def test_a_block_divides_the_input_channels_or_the_weights_stay_float(tmp_path: Path, rows: int, block: int) -> None:
    text = f"(float[2,{rows}] x) => (float[2,32] y) {{ z = MatMul (x, w) y = Relu (z) }}"
    model = write_model(tmp_path, text, {"w": RNG.standard_normal((rows, 32)).astype(np.float32)})
    rules = (Rule(Precision.INT4_WEIGHTS, op="MatMul"), Rule(FP16, op="Relu"))
    typed = compiled(model, tmp_path / "out", FP16, EVERYTHING, rules=rules)
    found = [a.i for n in nodes_of(typed).values() for a in n.attribute if a.name == "block_size"]
    assert found == ([block] if block else [])
    assert any("no block divides" in note for note in typed.notes) == (not block)


def test_small_weights_are_left_alone(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[2,4] x) => (float[2,3] y) { y = MatMul (x, w) }", {"w": W[:4, :3].copy()})
    with pytest.raises(WorkbenchError, match="fewer than 1024 weights"):
        compiled(model, tmp_path / "out", Precision.INT8_WEIGHTS, EVERYTHING)


def test_stored_weights_in_a_half_graph_have_half_scales(tmp_path: Path) -> None:
    model = write_model(tmp_path, MATMUL, {"w": W})
    rules = (Rule(Precision.INT4_WEIGHTS, op="MatMul"),)
    text = MATMUL.replace("y = MatMul (x, w)", "z = MatMul (x, w) y = Relu (z)")
    model = write_model(tmp_path, text, {"w": W})
    typed = compiled(model, tmp_path / "out", FP16, EVERYTHING, rules=rules)
    assert stored_types(typed)["w:scale"] == TensorProto.FLOAT16
    onnx.checker.check_model(typed.path, full_check=True)
    assert [node.op_type for node in proto_of(typed).graph.node].count("Cast") == 2  # of the input and the output


def test_fp8_is_written_as_q_dq_and_rounded_where_there_are_no_kernels_with_one_result(tmp_path: Path) -> None:
    model = write_model(tmp_path, MATMUL, {"w": W})
    observed = seen(model, X)
    written = compiled(model, tmp_path / "a", Precision.FP8, EVERYTHING, observed)
    rounded = compiled(model, tmp_path / "b", Precision.FP8, ROUNDS, observed)
    assert stored_types(written)["w:float8_e4m3fn"] == TensorProto.FLOAT8E4M3FN
    assert {node.op_type for node in proto_of(rounded).graph.node} == {"Div", "Clip", "Cast", "Mul", "MatMul"}
    np.testing.assert_allclose(infer(written.path, X)[0], infer(rounded.path, X)[0], rtol=1e-5, atol=1e-5)
    for level in (0, 99):
        assert sqnr_db(infer(rounded.path, X, level=level)[0], infer(model.path, X)[0]) > 25.0


def test_an_unknown_block_is_refused(tmp_path: Path) -> None:
    from workbench.core.precision import PrecisionPlan
    from workbench.precision import compile_plan

    model = write_model(tmp_path, MATMUL, {"w": W})
    plan = PrecisionPlan(Precision.INT4_WEIGHTS, block=24)
    with pytest.raises(WorkbenchError, match="blocks of 24"):
        compile_plan(model, plan, EVERYTHING, model.shapes, tmp_path, None)


@pytest.mark.parametrize("store", [int8_weights, lambda w, a, k: int4_weights(w, a, 16, k), fp4_weights])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_scales_never_vanish_and_zeros_stay_zero(store, kind) -> None:  # type: ignore[no-untyped-def]
    values = np.zeros((32, 4), np.float32)
    values[:, 0] = np.linspace(-1e-9, 1e-9, 32)
    values[:, 1] = np.linspace(-2, 2, 32)
    stored = store(values, 0 if store is not int8_weights else 1, kind)
    back = dequantized(stored)
    assert np.isfinite(back).all() and not back[:, 2:].any()
    assert sqnr_db(back[:, 1], values[:, 1]) > 15.0
    assert (stored.scale.astype(np.float32) > 0).all()
