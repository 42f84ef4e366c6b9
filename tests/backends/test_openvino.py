"""OpenVINO keeps the contract, shows its fusions, and says which precision ran."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import onnx
import pytest

from tests.backends import models, opening
from tests.backends.contract import BackendContract
from tests.backends.precisions import built, needs_exact_sums
from workbench.backends.base import Engine, load_backend
from workbench.backends.openvino.precisions import dialect, precision_run, remarks
from workbench.backends.openvino.problems import explain
from workbench.core.dialect import How
from workbench.core.graph import FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.model import open_model


class TestOpenVino(BackendContract):
    backend_id = "openvino"
    refused = "trees"


def computing(engine: Engine) -> list[Layer]:
    return [layer for layer in engine.graph.layers if layer.kind is LayerKind.COMPUTE]


def needs(capability: str) -> None:
    from workbench.backends.openvino.package import optimized_types

    if capability not in optimized_types():
        pytest.skip(f"this CPU has no {capability}")


def test_conv_bn_add_relu_is_one_layer_with_four_exact_sources(tmp_path: Path) -> None:
    model, _, engine = built("openvino", "residual", Precision.FP32, tmp_path)
    layer = next(layer for layer in engine.graph.layers if "n6" in layer.sources)
    assert layer.sources == ("n6", "n7", "n8", "n9")
    assert layer.sources_exact
    assert layer.precision is Precision.FP32
    assert layer.tactic.endswith("_f32")
    assert layer.name.startswith("Conv + BatchNormalization + same + Relu")
    assert engine.fates["n11"].kind is FateKind.ABSORBED  # Flatten
    assert len(computing(engine)) == 5
    assert len(model.graph.layers) == 13


def test_fp32_is_never_run_in_bf16(tmp_path: Path) -> None:
    _, _, engine = built("openvino", "transformer", Precision.FP32, tmp_path)
    assert {layer.precision for layer in computing(engine)} == {Precision.FP32}


def test_bf16_runs_as_a_hint(tmp_path: Path) -> None:
    needs("BF16")
    _, typed, engine = built("openvino", "residual", Precision.BF16, tmp_path)
    assert typed.hint == "bf16"
    assert Counter(layer.precision for layer in computing(engine)).most_common(1)[0][0] is Precision.BF16
    assert not engine.notes


def test_int8_runs_in_int8_kernels_and_computes_as_written(tmp_path: Path) -> None:
    needs("INT8")
    needs_exact_sums("openvino")
    model, typed, engine = built("openvino", "residual", Precision.INT8, tmp_path)
    convolutions = [layer for layer in engine.graph.layers if layer.op == "Convolution"]
    assert len(convolutions) == 3
    assert {layer.precision for layer in convolutions} == {Precision.INT8}
    assert engine.size_bytes < Path(model.path).stat().st_size
    exact = msgspec.structs.replace(open_model(typed.path), shapes=typed.shapes)
    feed = opening.feed_of(model)
    with engine.runner() as runner:
        found = runner.infer(feed)
    for name, right in opening.reference(exact, feed).items():
        assert opening.sqnr_db(right, found[name]) > 40


def test_quantization_of_an_input_does_not_split_the_node_it_serves(tmp_path: Path) -> None:
    _, _, engine = built("openvino", "residual", Precision.INT8, tmp_path)
    assert {engine.fates[f"n{index}"].kind for index in (0, 3, 6)} == {FateKind.FUSED}
    quantizing = [layer for layer in engine.graph.layers if layer.name.startswith("quantize")]
    assert {layer.kind for layer in quantizing} == {LayerKind.REFORMAT}


def test_fp16_is_reported_as_fp32_where_the_cpu_computes_it_so(tmp_path: Path) -> None:
    model, _, engine = built("openvino", "residual", Precision.FP16, tmp_path)
    from workbench.backends.openvino.package import optimized_types

    expected = Precision.FP16 if "FP16" in optimized_types() else Precision.FP32
    assert {layer.precision for layer in computing(engine)} == {expected}
    is_written = load_backend("openvino").dialect().how[Precision.FP16] is How.GRAPH
    assert (engine.size_bytes < Path(model.path).stat().st_size) == is_written


def test_layer_times_are_live_and_sum_to_about_the_whole(tmp_path: Path) -> None:
    """Convolutions, whose times in whole microseconds are no zeros on a fast machine either."""
    model, _, engine = built("openvino", "residual", Precision.FP32, tmp_path)
    feed = opening.feed_of(model)
    with engine.runner(layers=True) as runner:
        assert runner.layer_times() == {}
        latencies = [runner.time(feed)]
        first = runner.layer_times()
        latencies += [runner.time(feed) for _ in range(50)]
        later = runner.layer_times()
    assert set(first) == set(later) == {layer.id for layer in engine.graph.layers}
    assert first != later
    assert 0 < sum(later.values()) < 10 * max(latencies)


def test_the_latency_runner_does_not_count_layers(tmp_path: Path) -> None:
    model, _, engine = built("openvino", "residual", Precision.FP32, tmp_path)
    with engine.runner() as runner:
        runner.time(opening.feed_of(model))
        assert runner.layer_times() == {}


def test_shapes_that_do_not_fit_are_not_held_against_the_model(tmp_path: Path) -> None:
    proto = models.residual()
    proto.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    path = tmp_path / "free.onnx"
    onnx.save_model(proto, path)
    model = msgspec.structs.replace(open_model(path), shapes={"x": (1, 3, 16, 16)})
    assert load_backend("openvino").verdict(model).reason == ""


def test_telemetry_is_never_imported() -> None:
    code = (
        "import sys; from workbench.backends.base import load_backend; load_backend('openvino').capabilities();"
        "assert 'openvino' in sys.modules; print(sys.modules['openvino_telemetry'])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert child.stdout.strip() == "None"


def test_the_dialect_follows_the_cpu() -> None:
    plain = dialect(frozenset({"FP32", "INT8"}))
    assert plain.how[Precision.BF16] is How.ROUNDED
    assert plain.how[Precision.FP16] is How.GRAPH
    assert plain.unsigned_activations
    rich = dialect(frozenset({"FP32", "BF16", "FP16"}))
    assert rich.how[Precision.BF16] is How.HINT
    assert rich.how[Precision.FP16] is How.HINT
    assert "no BF16 arithmetic" in remarks(frozenset())[Precision.BF16]


F32, U8, I8 = (Tensor("t", (1,), dtype, 1) for dtype in ("float32", "uint8", "int8"))
W8 = Tensor("w", (1,), "int8", 1, constant=True)


@pytest.mark.parametrize(
    ("kind", "kernel", "inputs", "outputs", "quantized", "expected"),
    [
        ("Convolution", "brgconv_avx512_I8", [U8, W8], [F32], True, Precision.INT8),
        ("Convolution", "brgconv_avx512_bf16", [F32], [F32], False, Precision.BF16),
        ("FullyConnected", "brgemm_avx512_f32", [F32, W8], [F32], True, Precision.INT8_WEIGHTS),
        ("Subgraph", "jit_avx512_I8", [U8, F32], [F32], True, Precision.FP32),  # Where, with a mask
        ("Eltwise", "jit_avx512_I8", [U8], [U8], False, None),  # Not: u8 is the boolean
        ("Pooling", "jit_avx512_I8", [U8], [U8], True, Precision.INT8),
        ("If", "unknown_I8", [U8], [F32], False, Precision.FP32),
    ],
)
def test_the_precision_that_ran_is_told_from_kernel_and_tensors(
    kind: str, kernel: str, inputs: list[Tensor], outputs: list[Tensor], quantized: bool, expected: Precision | None
) -> None:
    assert precision_run(kind, kernel, inputs, outputs, quantized) is expected


def test_refusals_are_one_sentence_with_op_node_and_reason() -> None:
    text = (
        "Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'false' failed at src/report.cpp:151:\n"
        "FrontEnd API failed with OpConversionFailure:\nModel wasn't fully converted. Failed operations detailed log:\n"
        "-- Conv-17 with a message:\nWhile validating ONNX node '<Node(Conv): b>': Check 'rank' failed"
        " at src/conv.cpp:38:\n"
        "FrontEnd API failed with GeneralFailure:\nThe input data tensor's rank has to be known (static)\n\n"
        "-- MatMul-17 with a message:\nWhile validating ONNX node '<Node(MatMul): a>': Check 'm(a || b)' failed at"
        " src/matmul.hpp:65:\nWhile validating node 'opset1::MatMul M (x[0]:f32[1,3]) -> (dynamic[...])' with"
        " friendly_name 'M':\nIncompatible MatMul matrix dimension.\n\nSummary:\n"
        "-- Conversion is failed for: MatMul-17\n\n"
    )
    graph = Graph("g", (Layer("n0", "n0", "MatMul", ("x",), ("a",)), Layer("n1", "n1", "Conv", ("a",), ("b",))))
    problem = explain(text, graph)
    assert problem.message == "OpenVINO refuses the MatMul node n0: Incompatible MatMul matrix dimension."
    assert list(problem.nodes) == ["n0", "n1"]
    unknown = explain("Summary:\n-- No conversion rule found for operations: MatMul-17, my.ops.Bar\n\n", graph)
    assert unknown.message == "OpenVINO does not support the operation MatMul and my.ops.Bar."
    assert list(unknown.nodes) == ["n0"]
