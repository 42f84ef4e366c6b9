"""What targets refuse of a plan, and the nearest plan that they take."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from workbench.backends.tensorrt_rtx.targets import TARGETS, limits_of
from workbench.core.graph import Graph, Layer
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.targets import target_problem

LIMITS = {target: limits_of(target) for target in TARGETS}
P = Precision


def _model(*ops: str) -> Graph:
    return Graph("g", layers=tuple(Layer(f"n{i}", "", op, (), ()) for i, op in enumerate(ops)))


def _asks(graph: Graph, plan: PrecisionPlan) -> Mapping[str, Precision]:
    asked = {}
    for layer in graph.layers:
        matching = [rule.precision for rule in plan.rules if rule.op in ("", layer.op)]
        asked[layer.id] = matching[-1] if matching else plan.default
    return asked


@pytest.mark.parametrize(
    ("target", "asked", "instead"),
    [
        ("sm86", P.FP8, P.FP16),
        ("sm75", P.FP8, P.FP16),
        ("sm75", P.BF16, P.FP16),
        ("sm75", P.INT4_WEIGHTS, P.FP16),
        ("sm89", P.FP4_WEIGHTS, P.INT4_WEIGHTS),
        ("sm75", P.FP4_WEIGHTS, P.FP16),
        ("sm80,sm89", P.FP8, P.FP16),
    ],
)
def test_a_refused_precision_comes_with_the_nearest_that_every_target_takes(
    target: str, asked: Precision, instead: Precision
) -> None:
    targets = target.split(",")
    problem = target_problem(LIMITS, targets, PrecisionPlan(asked))
    assert problem is not None
    assert problem.question == f"Build {instead.label} for {targets[0]}"
    assert asked.label in problem.reason
    assert "newer" in problem.reason
    assert target_problem(LIMITS, targets, problem.plan) is None


@pytest.mark.parametrize(
    ("target", "asked"), [("sm86", P.FP16), ("sm89", P.FP8), ("sm120", P.FP4_WEIGHTS), ("x", P.FP8)]
)
def test_what_a_target_takes_is_no_problem(target: str, asked: Precision) -> None:
    assert target_problem(LIMITS, [target], PrecisionPlan(asked)) is None


@pytest.mark.parametrize("product", ["Gemm", "LSTM"])
@pytest.mark.parametrize("default", [P.FP32, P.TF32, P.INT8, P.INT8_WEIGHTS])
def test_products_in_float32_cannot_be_built_for_turing(default: Precision, product: str) -> None:
    graph = _model("Conv", product)
    problem = target_problem(LIMITS, ["sm75"], PrecisionPlan(default), graph, lambda plan: _asks(graph, plan))
    assert problem is not None
    assert problem.plan == PrecisionPlan(P.FP16)
    assert problem.question == "Build FP16 for sm75"


def test_convolutions_alone_may_stay_in_float32_for_turing() -> None:
    graph = _model("Conv", "Relu")
    assert target_problem(LIMITS, ["sm75"], PrecisionPlan(), graph, lambda plan: _asks(graph, plan)) is None


def test_a_rule_that_keeps_a_product_in_float32_is_overruled_and_others_are_kept() -> None:
    graph = _model("Softmax", "MatMul")
    plan = PrecisionPlan(P.FP16, rules=(Rule(P.FP32, op="Softmax"), Rule(P.FP32, op="MatMul")))
    problem = target_problem(LIMITS, ["sm75"], plan, graph, lambda plan: _asks(graph, plan))
    assert problem is not None
    assert problem.plan.rules[:2] == plan.rules
    assert _asks(graph, problem.plan) == {"n0": P.FP32, "n1": P.FP16}
    assert problem.question == "Build the plan with matrix products in FP16 for sm75"


def test_a_rule_is_changed_where_it_is_what_the_target_refuses() -> None:
    plan = PrecisionPlan(P.FP16, rules=(Rule(P.FP8, op="Conv"), Rule(P.INT8, op="Gemm")))
    problem = target_problem(LIMITS, ["sm86"], plan)
    assert problem is not None
    assert [rule.precision for rule in problem.plan.rules] == [P.FP16, P.INT8]
    assert problem.title == "the plan without FP8"
