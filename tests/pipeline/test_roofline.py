"""What layers do by their shapes, checked by hand, and the roof over them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.charts.roofs import CEILINGS, ESTIMATED, GPU, MIB, ROOFLINE, engine
from tests.pipeline.conftest import RequestOf
from workbench.core.costs import Cost
from workbench.core.gpus import GPUS, gpu_ceilings, gpus_of
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.json import read_json
from workbench.core.precision import Precision
from workbench.core.roofline import Bound
from workbench.core.run import BuildConfig, EngineGraph
from workbench.pipeline import run
from workbench.pipeline.files import GRAPH_FILE
from workbench.pipeline.roofline import layer_work, roofline
from workbench.pipeline.roofline_text import ceilings_text, roofline_document, roofline_table


def test_bytes_are_what_enters_and_leaves_with_the_weights_as_they_are_stored() -> None:
    work = layer_work(engine())["l0"]
    assert (work.bytes_read, work.bytes_written, work.bytes_weights) == (MIB, MIB, 2 * MIB)
    assert work.flops == 401_000_000 and work.intensity == pytest.approx(401e6 / (4 * MIB))


def test_float_weights_of_a_half_layer_count_as_they_are_packed() -> None:
    graph = engine().graph
    first = msgspec.structs.replace(graph.layers[0], precision=Precision.BF16)
    weight = msgspec.structs.replace(graph.tensors["w"], dtype="float32")
    graph = msgspec.structs.replace(graph, layers=(first,), tensors={**graph.tensors, "w": weight})
    assert layer_work(EngineGraph(graph, {}))["l0"].bytes_weights == MIB


def test_an_embedding_moves_what_is_selected_and_not_its_table() -> None:
    tensors = {
        "t": Tensor("t", (1000, 256), "float32", 1000 * 1024, constant=True),
        "i": Tensor("i", (64,), "int64", 512),
        "e": Tensor("e", (64, 256), "bfloat16", 64 * 512),
    }
    layer = Layer("l0", "embed", "Gather", ("t", "i"), ("e",), Precision.BF16)
    work = layer_work(EngineGraph(Graph("engine", (layer,), tensors), {}))["l0"]
    assert (work.bytes_read, work.bytes_written, work.bytes_weights) == (512, 64 * 512, 64 * 512)


def test_a_node_that_was_split_counts_where_it_is_computed_not_where_it_is_converted() -> None:
    layers = (
        Layer("l0", "pad", "Cast", sources=("n0",), kind=LayerKind.REFORMAT),
        Layer("l1", "conv", "Conv", sources=("n0",)),
        Layer("l2", "more", "Conv", sources=("n0", "n1")),
    )
    graph = msgspec.structs.replace(engine().graph, layers=layers)
    work = layer_work(EngineGraph(graph, {}, costs={"n0": Cost(100), "n1": Cost(7)}))
    assert [work[layer].flops for layer in ("l0", "l1", "l2")] == [0, 50, 57]


def test_a_reshape_that_an_engine_put_before_a_product_does_none_of_its_arithmetic() -> None:
    """ONNX Runtime makes Reshape, Gemm, Reshape of a MatMul and an Add."""
    layers = (
        Layer("l0", "matmul", "Reshape", sources=("n0",)),
        Layer("l1", "matmul", "Gemm", sources=("n0",)),
        Layer("l2", "add", "Reshape", sources=("n1",)),
    )
    graph = msgspec.structs.replace(engine().graph, layers=layers)
    work = layer_work(EngineGraph(graph, {}, costs={"n0": Cost(100), "n1": Cost(7)}))
    assert [work[layer].flops for layer in ("l0", "l1", "l2")] == [0, 100, 7]


def test_weight_only_formats_are_computed_in_the_type_of_their_data() -> None:
    graph = engine().graph
    first = msgspec.structs.replace(graph.layers[0], precision=Precision.INT4_WEIGHTS)
    graph = msgspec.structs.replace(graph, layers=(first,))
    assert layer_work(EngineGraph(graph, {}))["l0"].precision is Precision.FP32


def test_the_roof_is_the_slower_of_moving_and_computing() -> None:
    heavy, light, moving, unknown = ROOFLINE.points
    assert heavy.bound is Bound.COMPUTE and heavy.roof_ms == pytest.approx(1e3 * 401e6 / 400e9)
    assert light.bound is Bound.MEMORY and light.roof_ms == pytest.approx(1e3 * 5 * MIB / 10e9)
    assert moving.bound is Bound.MEMORY and moving.share == pytest.approx(1e3 * 8 * MIB / 10e9)
    assert unknown.roof_ms is None and unknown.share is None and unknown.bound is Bound.UNKNOWN


def test_what_fits_a_cache_has_the_cache_for_its_roof() -> None:
    assert CEILINGS.bandwidth(MIB) == 40e9 and CEILINGS.bandwidth(MIB + 1) == 10e9
    assert CEILINGS.bandwidth(1 << 40) == CEILINGS.memory == 10e9


def test_a_precision_without_arithmetic_of_its_own_has_another_peak() -> None:
    assert CEILINGS.peak(Precision.BF16) == CEILINGS.peak(None) == 100e9
    assert CEILINGS.peak(Precision.INT4_WEIGHTS) == 100e9 and CEILINGS.peak(Precision.INT8) == 400e9


def test_the_whole_is_weighed_by_time_and_leaves_out_what_nobody_counted() -> None:
    assert ROOFLINE.bound is Bound.COMPUTE and ROOFLINE.time_share(Bound.COMPUTE) == pytest.approx(4 / 6)
    assert ROOFLINE.share == pytest.approx(sum(p.roof_ms or 0 for p in ROOFLINE.points) / 6.0)


def test_a_time_too_short_to_be_told_is_no_time() -> None:
    found = roofline(engine(), {"l0": 0.0, "l1": 1.0}, CEILINGS)
    assert found.points[0].ms is None and found.points[0].share is None
    assert found.points[0] not in found.known and found.points[1] in found.known


def test_without_times_the_table_and_the_document_say_estimate() -> None:
    document = roofline_document(ESTIMATED)
    assert document["is_estimate"] and document["layers"][0]["estimate_ms"] and document["layers"][0]["ms"] is None
    assert "ESTIMATE" in roofline_table(ESTIMATED) and ceilings_text(GPU).startswith("ESTIMATE")
    assert not roofline_document(ROOFLINE)["is_estimate"]


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_has_a_source_a_target_and_faster_narrow_types(name: str) -> None:
    gpu, ceilings = GPUS[name], gpu_ceilings(name)
    assert ceilings.is_estimate and "NVIDIA" in gpu.source and name in gpus_of(gpu.target)
    assert gpu.fp32 <= gpu.fp16 <= gpu.int8 and ceilings.memory >= 100e9
    assert (gpu.bf16 > 0) == (int(gpu.target[2:]) >= 80) and (gpu.fp8 > 0) == (int(gpu.target[2:]) >= 89)


def test_a_run_counts_its_layers(request_of: RequestOf) -> None:
    """The first Conv: 8 channels of 8 x 8 places, each a sum over 3 x 3 x 3."""
    request = request_of(config=BuildConfig("onnxruntime", threads=1))
    run(request, lambda event: None, lambda: False)
    built = read_json(Path(request.folder) / GRAPH_FILE, EngineGraph)
    assert built.costs["n0"].flops == 8 * 64 * 2 * 27
    work = layer_work(built)
    total = sum(cost.flops or 0 for cost in built.costs.values())
    assert sum(one.flops or 0 for one in work.values()) == pytest.approx(total)
