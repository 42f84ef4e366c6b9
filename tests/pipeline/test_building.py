from __future__ import annotations

from workbench.core.graph import Fate, FateKind, Graph, Layer
from workbench.core.precision import Precision
from workbench.pipeline.building import differences

GRAPH = Graph(
    "engine",
    (
        Layer("l0", "", "Conv", precision=Precision.INT8),
        Layer("l1", "", "MatMul", precision=Precision.FP32),
        Layer("l2", "", "Relu", precision=Precision.FP32),
    ),
)
FATES = {f"n{i}": Fate(FateKind.ALONE, (f"l{i}",)) for i in range(3)}
OPS = {"n0": "Conv", "n1": "MatMul", "n2": "Relu", "n3": "Conv"}


def test_nodes_that_ran_in_another_precision_are_named() -> None:
    asked = {"n0": "int8", "n1": "int8", "n3": "int8"}
    assert differences(asked, FATES, GRAPH, OPS) == ["Of 3 nodes asked in INT8, 1 ran in FP32: n1 MatMul."]


def test_int8_is_asked_of_conv_matmul_and_gemm_only() -> None:
    assert differences({"n0": "int8", "n2": "int8"}, FATES, GRAPH, OPS) == []


def test_float_precisions_count_for_every_node() -> None:
    assert differences({"n2": "bf16"}, FATES, GRAPH, OPS) == ["Of 1 nodes asked in BF16, 1 ran in FP32: n2 Relu."]


def test_weight_only_formats_promise_nothing_about_arithmetic() -> None:
    assert differences({"n1": "int8_weights"}, FATES, GRAPH, OPS) == []
