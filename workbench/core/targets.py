"""What GPUs take that an engine is built for, and the plan nearest to one that they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from workbench.core.graph import Graph, Layer
from workbench.core.precision import Precision, PrecisionPlan, Rule

PRODUCTS = ("MatMul", "Gemm", "LSTM", "GRU", "RNN")
_FLOAT32 = (Precision.FP32, Precision.TF32)
_HALVES = (Precision.FP16, Precision.BF16)


class Limit(msgspec.Struct, frozen=True):
    """Why a target does not take something, and the precision that is the nearest it takes."""

    reason: str
    instead: Precision


class TargetLimits(msgspec.Struct, frozen=True):
    """What one target refuses: precisions, and matrix products with float32 operands (None: it takes them)."""

    precisions: dict[Precision, Limit] = {}
    products: Limit | None = None


class TargetProblem(msgspec.Struct, frozen=True):
    """A plan that cannot be built for `target`, in a sentence; `plan` is the nearest that can, `title` its name."""

    target: str
    reason: str
    plan: PrecisionPlan
    title: str

    @property
    def question(self) -> str:
        """`Build FP16 for sm86`."""
        return f"Build {self.title} for {self.target}"


Asks = Callable[[PrecisionPlan], Mapping[str, Precision]]
"""What a plan asks of each node of the model, by id."""


def targets_of(text: str) -> tuple[str, ...]:
    """`sm86, sm89` as it stands in a configuration."""
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def target_problem(
    limits: Mapping[str, TargetLimits],
    targets: Sequence[str],
    plan: PrecisionPlan,
    graph: Graph | None = None,
    asks: Asks | None = None,
) -> TargetProblem | None:
    """The first thing that one engine for all `targets` cannot have, or None.

    Without a model (`graph` and what plans ask of it) only the precisions that the plan names are looked at.
    """
    known = [(target, limits[target]) for target in targets if target in limits]
    first = next(_problems(known, plan, graph, asks), None)
    if first is None:
        return None
    nearest = plan
    for _ in range(len(Precision)):
        left = next(_problems(known, nearest, graph, asks), None)
        if left is None:
            break
        nearest = left[2]
    return TargetProblem(first[0], first[1], nearest, _title(plan, nearest))


def _problems(
    known: Sequence[tuple[str, TargetLimits]], plan: PrecisionPlan, graph: Graph | None, asks: Asks | None
) -> Iterator[tuple[str, str, PrecisionPlan]]:
    """Target, reason, and the plan with that one thing changed."""
    for target, limits in known:
        for precision in sorted(plan.precisions & limits.precisions.keys()):
            limit = limits.precisions[precision]
            yield target, limit.reason, _replaced(plan, (precision,), limit.instead)
        if limits.products is not None and graph is not None and asks is not None and _has_float(plan, graph, asks):
            yield target, limits.products.reason, _without_float(plan, limits.products.instead, graph, asks)


def _replaced(plan: PrecisionPlan, old: Sequence[Precision], new: Precision) -> PrecisionPlan:
    rules = tuple(msgspec.structs.replace(r, precision=new) if r.precision in old else r for r in plan.rules)
    return msgspec.structs.replace(plan, default=new if plan.default in old else plan.default, rules=rules)


def _is_product(node: Layer) -> bool:
    return node.op in PRODUCTS or (node.op == "Einsum" and len(node.inputs) > 1)


def _has_float(plan: PrecisionPlan, graph: Graph, asks: Asks) -> bool:
    """Whether a product has float32 operands: it is asked so, or quantized in a body that is not half."""
    asked = asks(plan)
    halves = plan.default in _HALVES
    products = (asked.get(layer.id) for layer in graph.walk() if _is_product(layer))
    return any(p in _FLOAT32 or (p is not None and p not in _HALVES and not halves) for p in products)


def _without_float(plan: PrecisionPlan, new: Precision, graph: Graph, asks: Asks) -> PrecisionPlan:
    """Another default where it is float32 or quantized in float32; else rules for the products, which win."""
    found = plan if plan.default in _HALVES else msgspec.structs.replace(plan, default=new)
    if not _has_float(found, graph, asks):
        return found
    ops = sorted({layer.op for layer in graph.walk() if _is_product(layer)})
    rules = tuple(Rule(new, op=op, note="float32 products cannot be built for the target") for op in ops)
    return msgspec.structs.replace(found, rules=(*found.rules, *rules))


def _title(plan: PrecisionPlan, nearest: PrecisionPlan) -> str:
    """`FP16`; where rules are changed or added, `the plan with FP16 in the place of FP8`."""
    if not plan.rules and not nearest.rules:
        return nearest.default.label
    gone, come = plan.precisions - nearest.precisions, nearest.precisions - plan.precisions
    if gone and come:
        return f"the plan with {_labels(come)} in the place of {_labels(gone)}"
    if gone:
        return f"the plan without {_labels(gone)}"
    return "the plan with matrix products in FP16"


def _labels(precisions: frozenset[Precision]) -> str:
    return " and ".join(precision.label for precision in sorted(precisions))
