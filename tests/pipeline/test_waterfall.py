from __future__ import annotations

import pytest

from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.core.waterfall import StepKind, Waterfall
from workbench.pipeline.alignment import align
from workbench.pipeline.waterfall import waterfall


def engine(*layers: Layer) -> EngineGraph:
    nodes = {node for layer in layers for node in layer.sources}
    return EngineGraph(Graph("e", layers), {node: Fate(FateKind.FUSED) for node in nodes})


def layer(number: int, sources: str, precision: Precision = Precision.FP32, reads: int | None = None) -> Layer:
    kind = LayerKind.COMPUTE if sources else LayerKind.REFORMAT
    before = number - 1 if reads is None else reads
    return Layer(
        f"l{number}",
        f"k{number}",
        "Conv",
        (f"t{before}",),
        (f"t{number}",),
        precision,
        tuple(sources.split()),
        kind=kind,
    )


FP32 = engine(layer(0, "n0 n1"), layer(1, "n2 n3"), layer(2, "n4"))
FP32_MS = {"l0": 4.0, "l1": 3.0, "l2": 1.0}
INT8 = engine(
    layer(0, ""),  # a quantization that was added
    layer(1, "n0 n1", Precision.INT8),
    layer(2, "n2", Precision.INT8),
    layer(3, "n3"),
    layer(4, "n4"),
)
INT8_MS = {"l0": 0.5, "l1": 1.0, "l2": 2.0, "l3": 1.5, "l4": 1.25}


@pytest.fixture
def found() -> Waterfall:
    return waterfall(align(FP32, INT8, FP32_MS, INT8_MS), (FP32, INT8), (FP32_MS, INT8_MS), (8.5, 7.0))


def test_the_steps_add_up_to_the_measured_difference(found: Waterfall) -> None:
    assert found.a_ms + sum(step.ms for step in found.steps) == pytest.approx(found.b_ms)


def test_each_kind_of_cost_is_named_with_the_layers_that_pay_it(found: Waterfall) -> None:
    steps = {step.kind: step for step in found.steps}
    assert {kind: step.ms for kind, step in steps.items()} == pytest.approx(
        {
            StepKind.SAVED: -3.0,  # n0 n1 in INT8
            StepKind.UNFUSED: 0.5,  # n2 n3 are two layers now
            StepKind.SLOWER: 0.25,  # n4
            StepKind.CONVERSIONS: 0.5,
            StepKind.REST: 0.25,  # 8.5 - 8.0 against 7.0 - 6.25
        }
    )
    assert steps[StepKind.UNFUSED].blocks[0].nodes == ("n2", "n3")
    assert steps[StepKind.SAVED].blocks[0].words == "FP32 → INT8; 1 conversion more in B"


def test_of_two_equal_engines_only_the_rest_is_left() -> None:
    found = waterfall(align(FP32, FP32, FP32_MS, FP32_MS), (FP32, FP32), (FP32_MS, FP32_MS), (8.5, 8.75))
    assert [(step.kind, step.ms) for step in found.steps] == [(StepKind.REST, 0.25)]


def test_where_the_passes_are_known_the_rest_tells_what_lay_between_the_layers_from_what_timing_them_cost() -> None:
    found = waterfall(align(FP32, INT8, FP32_MS, INT8_MS), (FP32, INT8), (FP32_MS, INT8_MS), (8.5, 7.0), (9.0, 8.5))
    rest = found.steps[-1]
    parts = {block.title: block.ms for block in rest.blocks}
    assert parts["between the layers"] == pytest.approx((8.5 - 6.25) - (9.0 - 8.0))
    assert parts["cost of timing layers"] == pytest.approx((7.0 - 8.5) - (8.5 - 9.0))
    assert (rest.kind, rest.ms) == (StepKind.REST, pytest.approx(sum(parts.values())))
