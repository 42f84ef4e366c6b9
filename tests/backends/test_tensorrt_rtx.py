"""TensorRT for RTX: the contract of a backend, and what its engines say, on real builds without a GPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.backends import models
from tests.backends.contract import BackendContract
from tests.backends.tensorrt_build import Answer, Ask, built
from workbench.backends.tensorrt_rtx.module import find_module
from workbench.core.graph import FateKind, LayerKind
from workbench.core.precision import Precision
from workbench.core.profile import OptimizationProfile

pytestmark = pytest.mark.skipif(not find_module(), reason="TensorRT is not installed")


class TestTensorRt(BackendContract):
    backend_id = "tensorrt_rtx"
    runs_here = False
    refused = "trees"


def cnn(batch: int | str = 1) -> onnx.ModelProto:
    """Two convolutions with BatchNormalization, the second with a residual Add, then MaxPool and a classifier."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0"], ["c0"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c0", "bn0_0", "bn0_1", "bn0_2", "bn0_3"], ["b0"]),
        node("Relu", ["b0"], ["r0"]),
        node("Conv", ["r0", "w1"], ["c1"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "bn1_0", "bn1_1", "bn1_2", "bn1_3"], ["b1"]),
        node("Add", ["b1", "r0"], ["a1"]),
        node("Relu", ["a1"], ["r1"]),
        node("MaxPool", ["r1"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", ["p"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("Gemm", ["f", "w2", "b2"], ["y"], transB=1),
    ]
    constants = [models.weights("w0", 16, 3, 3, 3), models.weights("w1", 16, 16, 3, 3, scale=0.1)]
    constants += [models.weights("w2", 10, 16), models.weights("b2", 10)]
    constants += models.batch_norm("bn0", 16) + models.batch_norm("bn1", 16)
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, 3, 16, 16])]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [batch, 10])]
    return models.make(nodes, inputs, outputs, constants)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "cnn.onnx"
    onnx.save_model(cnn(), path)
    return path


@pytest.fixture(scope="module")
def engine(model: Path) -> Answer:
    return built(Ask(str(model), str(model.parent)))


# what an engine says ----------------------------------------------------------------------------------------------


def test_a_residual_block_is_one_layer_named_by_the_ops_of_the_model(engine: Answer) -> None:
    ops = [layer.op for layer in engine.graph.layers if layer.kind is LayerKind.COMPUTE]
    assert "Conv+BatchNormalization+Relu" in ops
    assert "Conv+BatchNormalization+Add+Relu" in ops
    block = next(layer for layer in engine.graph.layers if layer.op == "Conv+BatchNormalization+Add+Relu")
    assert block.sources == ("n3", "n4", "n5", "n6")
    assert block.sources_exact
    assert block.attributes["kernel operations"] == "Corr+Mul+Add+Add+Relu"


def test_every_node_is_mapped_and_only_views_by_inference(engine: Answer) -> None:
    inferred = {node: fate.kind for node, fate in engine.fates.items() if not fate.exact}
    assert len(engine.fates) == 11
    assert set(inferred.values()) <= {FateKind.ABSORBED}


def test_memory_says_weights_and_activations(engine: Answer) -> None:
    assert set(engine.memory) == {"weights", "activations"}
    assert engine.memory["weights"] >= 4 * (16 * 3 * 9 + 16 * 16 * 9)


def test_a_build_reports_its_phases_and_no_banner(engine: Answer) -> None:
    phases = list(dict.fromkeys(phase for phase, *_ in engine.steps if not phase.startswith("log/")))
    assert phases[0] == "Parsing the ONNX"
    assert all(phase.split("/")[0] == "Building engine" for phase in phases[1:])
    assert any(phase.endswith("/Determining refit engines") for phase in phases)
    logs = [text for phase, _, _, text in engine.steps if phase.startswith("log/")]
    assert any("Engine generation completed" in text for text in logs)
    assert not any("cudaError" in text or "Input filename" in text for text in logs)


def test_two_processes_build_the_same_bytes(model: Path, engine: Answer, tmp_path: Path) -> None:
    assert built(Ask(str(model), str(tmp_path))).sha256 == engine.sha256


@pytest.mark.parametrize("judged", ["trees", "transformer"])
def test_a_verdict_beforehand_does_not_change_what_is_built(
    model: Path, engine: Answer, judged: str, tmp_path: Path
) -> None:
    other = models.write(judged, tmp_path)
    assert built(Ask(str(model), str(tmp_path), verdict=str(other))).sha256 == engine.sha256


# precision --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.BF16])
def test_a_half_type_reaches_every_convolution(model: Path, precision: Precision, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), precision))
    ran = {layer.precision for layer in answer.graph.layers if layer.op.startswith("Conv")}
    assert ran == {precision}


def test_int8_reaches_every_convolution_and_its_rescaling_is_not_a_second_convolution(
    model: Path, tmp_path: Path
) -> None:
    answer = built(Ask(str(model), str(tmp_path), Precision.INT8))
    convolutions = [layer for layer in answer.graph.layers if "Conv" in layer.op.split("+")]
    assert [layer.precision for layer in convolutions] == [Precision.INT8, Precision.INT8]
    kinds = Counter(layer.kind for layer in answer.graph.layers)
    assert kinds[LayerKind.REFORMAT] >= 1
    assert not any(fate.kind is FateKind.UNKNOWN for fate in answer.fates.values())
    assert any("INT8" in note for note in answer.notes)


def test_tf32_is_a_permission_that_changes_the_engine(model: Path, engine: Answer, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), Precision.TF32))
    assert answer.sha256 != engine.sha256
    assert any("TF32 is allowed" in note for note in answer.notes)


# targets, profiles, options ---------------------------------------------------------------------------------------


def test_without_a_target_it_builds_for_ada_and_says_so(model: Path, engine: Answer, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), target=""))
    assert answer.sha256 == engine.sha256
    assert any("sm89" in note for note in answer.notes)


def test_several_targets_give_one_engine(model: Path, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), target="sm120, sm86"))
    assert answer.artefact == "engine.sm86-sm120.trt"
    assert answer.graph.layers


def test_bf16_for_turing_is_refused_before_the_build_with_the_nearest_way_out(model: Path, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), Precision.BF16, target="sm75"))
    assert "BF16 cannot be built for sm75" in answer.error
    assert "sm80" in answer.hint
    assert "FP16" in answer.hint
    assert not any(phase.startswith("Building") for phase, *_ in answer.steps)


def test_a_float_matrix_product_is_refused_for_turing(tmp_path: Path) -> None:
    path = models.write("transformer", tmp_path)
    answer = built(Ask(str(path), str(tmp_path), target="sm75"))
    assert "in FP32 cannot be built for sm75" in answer.error
    assert "FP16" in answer.hint


def test_a_free_batch_is_built_for_every_profile_and_the_first_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "dynamic.onnx"
    onnx.save_model(cnn("batch"), path)
    sides = [{"x": (n, 3, 16, 16)} for n in (1, 1, 1, 2, 8)]
    profiles = (OptimizationProfile(*sides[:3]), OptimizationProfile(*sides[2:]))
    answer = built(Ask(str(path), str(tmp_path), profiles=profiles))
    assert "Conv+BatchNormalization+Add+Relu" in [layer.op for layer in answer.graph.layers]
    assert sum(layer.op.startswith("Conv") for layer in answer.graph.layers) == 2
    assert any("first optimization profile" in note for note in answer.notes)


def test_one_profile_leaves_the_batch_free_in_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "dynamic.onnx"
    onnx.save_model(cnn("batch"), path)
    low, best, high = ({"x": (n, 3, 16, 16)} for n in (1, 2, 8))
    answer = built(Ask(str(path), str(tmp_path), Precision.FP16, profiles=(OptimizationProfile(low, best, high),)))
    assert answer.graph.tensors["x"].shape == ("?", 3, 16, 16)
    assert not any("profile" in note for note in answer.notes)


def test_a_profile_out_of_order_is_refused_by_input(tmp_path: Path) -> None:
    path = tmp_path / "dynamic.onnx"
    onnx.save_model(cnn("batch"), path)
    low, best, high = ({"x": (n, 3, 16, 16)} for n in (4, 2, 8))
    answer = built(Ask(str(path), str(tmp_path), profiles=(OptimizationProfile(low, best, high),)))
    assert "input 'x' is not min <= opt <= max" in answer.error


def test_one_stream_leaves_no_layers_that_wait(model: Path, tmp_path: Path) -> None:
    answer = built(Ask(str(model), str(tmp_path), options={"aux_streams": "0"}))
    assert not any(layer.kind is LayerKind.SYNC for layer in answer.graph.layers)
    assert {layer.attributes["stream"] for layer in answer.graph.layers} == {"0"}


# refusing ---------------------------------------------------------------------------------------------------------


def int8_lookup() -> onnx.ModelProto:
    """An int8 constant that reaches a Cast: TensorRT's compiler, not its parser, refuses it."""
    nodes = [
        helper.make_node("Cast", ["table"], ["floats"], to=onnx.TensorProto.FLOAT, name="my cast"),
        helper.make_node("Gather", ["floats", "i"], ["g"]),
        helper.make_node("Mul", ["g", "scale"], ["y"]),
    ]
    table = numpy_helper.from_array(np.arange(-32, 32, dtype=np.int8).reshape(16, 4), "table")
    scale = numpy_helper.from_array(np.float32(0.1), "scale")
    inputs = [models.value("i", [2], onnx.TensorProto.INT64)]
    return models.make(nodes, inputs, [models.value("y", [2, 4])], [table, scale])


def test_what_the_compiler_refuses_is_named_by_op_node_and_reason(tmp_path: Path) -> None:
    path, typed = tmp_path / "lookup.onnx", tmp_path / "named.onnx"
    proto = int8_lookup()
    onnx.save_model(proto, path)
    for index, node in enumerate(proto.graph.node):
        node.name = f"n{index}"
    onnx.save_model(proto, typed)
    answer = built(Ask(str(path), str(tmp_path), typed=str(typed)))
    assert answer.error.startswith("TensorRT refuses Cast 'my cast' (n0): Quantized constant (table) is only allowed")
    assert "/_src/" not in answer.error
    assert answer.hint


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.BF16])
def test_int8_weights_behind_a_cast_are_written_as_it_takes_them(precision: Precision, tmp_path: Path) -> None:
    path = tmp_path / "lookup.onnx"
    onnx.save_model(int8_lookup(), path)
    answer = built(Ask(str(path), str(tmp_path), precision))
    assert not answer.error
    assert set(answer.fates) == {"n0", "n1", "n2"}


def nodes_it_lacks() -> dict[str, onnx.ModelProto]:
    node, kinds = helper.make_node, onnx.TensorProto
    flags = [models.value("x", [4], kinds.BOOL)]
    words = [models.value("x", [4], kinds.STRING)]
    floats = [models.value("x", [1, 4])]
    return {
        "NonZero": models.make([node("NonZero", ["x"], ["y"])], flags, [models.value("y", [1, 4], kinds.INT64)]),
        "DynamicQuantizeLinear": models.make(
            [node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])], floats, [models.value("y", [1, 4], kinds.UINT8)]
        ),
        "string": models.make([node("Identity", ["x"], ["y"])], words, [models.value("y", [4], kinds.STRING)]),
    }


@pytest.mark.parametrize("name", nodes_it_lacks())
def test_an_operator_or_type_it_lacks_is_told_in_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lacks.onnx"
    onnx.save_model(nodes_it_lacks()[name], path)
    answer = built(Ask(str(path), str(tmp_path)))
    assert name in answer.error
    assert "it has no such operator" in answer.error or "does not take" in answer.error
    assert "OpenVINO" in answer.hint


def test_a_transposed_convolution_in_bf16_stays_float(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("ConvTranspose", ["c", "t"], ["y"], strides=[2, 2]),
    ]
    constants = [models.weights("w", 8, 3, 3, 3), models.weights("t", 8, 4, 2, 2)]
    proto = models.make(nodes, [models.value("x", [1, 3, 8, 8])], [models.value("y", [1, 4, 16, 16])], constants)
    path = tmp_path / "transposed.onnx"
    onnx.save_model(proto, path)
    answer = built(Ask(str(path), str(tmp_path), Precision.BF16))
    assert not answer.error
    ran = {answer.graph.layers[int(layer[1:])].precision for layer in answer.fates["n1"].layers}
    assert Precision.FP32 in ran


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_an_attention_operator_becomes_products_where_there_is_no_kernel_for_it(
    precision: Precision, tmp_path: Path
) -> None:
    """Opset 23; in FP32 TensorRT has none."""
    shape = [1, 4, 16, 32]
    inputs = [models.value(name, shape) for name in "qkv"]
    proto = models.make([helper.make_node("Attention", ["q", "k", "v"], ["y"])], inputs, [models.value("y", shape)])
    proto.opset_import[0].version = 23
    path = tmp_path / "attention.onnx"
    onnx.save_model(proto, path)
    answer = built(Ask(str(path), str(tmp_path), precision))
    assert not answer.error
    layers = [answer.graph.layers[int(layer[1:])] for layer in answer.fates["n0"].layers]
    assert any(layer.name.startswith("_gemm_mha") for layer in layers) == (precision is Precision.FP16)


def test_an_input_of_a_type_that_the_target_lacks_is_known_before_the_build(tmp_path: Path) -> None:
    scale = numpy_helper.from_array(np.float32(0.5), "s")
    inputs = [models.value("x", [4, 16], onnx.TensorProto.FLOAT8E4M3FN)]
    nodes = [helper.make_node("DequantizeLinear", ["x", "s"], ["y"])]
    proto = models.make(nodes, inputs, [models.value("y", [4, 16])], [scale])
    proto.opset_import[0].version = 19
    path = tmp_path / "fp8.onnx"
    onnx.save_model(proto, path)
    assert "FP8 cannot be built for sm86" in built(Ask(str(path), str(tmp_path), target="sm86")).error


def test_a_failed_build_refuses_the_next_one_in_its_process(model: Path, tmp_path: Path) -> None:
    ask = Ask(str(model), str(tmp_path), options={"workspace_mib": "0"}, first="sm89")
    answer = built(ask)
    assert "fresh process" in answer.hint, answer
