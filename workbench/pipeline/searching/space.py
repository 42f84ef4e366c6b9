"""The space that is searched: which precisions, and how a choice in it is written as a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from workbench.backends.base import Backend
from workbench.core.dialect import How
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.core.search import Choice, SearchRequest
from workbench.core.titles import method_label
from workbench.pipeline.building import QUANTIZABLE
from workbench.precision.matching import Matcher

_HIGH = (Precision.FP32, Precision.TF32, Precision.FP16, Precision.BF16)
_LOW = (Precision.INT8, Precision.FP8, Precision.INT8_WEIGHTS, Precision.INT4_WEIGHTS, Precision.FP4_WEIGHTS)
_USUAL = (Precision.FP32, Precision.FP16, Precision.BF16, Precision.INT8, Precision.FP8)
"""Searched where nothing else is said: precisions of arithmetic. Those of stored weights alone promise no speed."""
RANGED = frozenset({Precision.INT8, Precision.FP8})


class Space(msgspec.Struct, frozen=True):
    """`base` is the plan whose options (clean-up, ends, blocks, samples) every candidate keeps; the workbench writes
    them all."""

    base: PrecisionPlan
    highs: tuple[Precision, ...]
    lows: tuple[Precision, ...]
    methods: tuple[CalibrationMethod, ...]
    pinned: dict[str, Precision] = {}


def space_of(request: SearchRequest, backend: Backend) -> Space:
    """FP32 is always in it. Raises WorkbenchError where the backend has none of what is allowed, or a pin holds no
    node there."""
    refused, how = backend.capabilities().precisions, backend.dialect().how
    whole = frozenset(p for p in Precision if how.get(p) is How.HINT)
    _check(request, backend, refused, whole)
    usable = [p for p in _USUAL if not refused.get(p, "") and how.get(p, How.GRAPH) in (How.GRAPH, How.HINT)]
    if whole.intersection(usable):  # where one has arithmetic of its own, the other half has none
        usable = [p for p in usable if p in whole or p not in (Precision.FP16, Precision.BF16)]
    allowed = request.precisions or tuple(usable)
    if Precision.FP32 in request.pinned.values():  # no node has it where the whole model has another
        allowed = tuple(p for p in allowed if p not in whole)
    highs = tuple(dict.fromkeys([Precision.FP32, *(p for p in _HIGH if p in allowed)]))
    lows = tuple(p for p in _LOW if p in allowed)
    if not lows and len(highs) == 1:
        raise WorkbenchError("There is nothing to search: FP32 alone is allowed.", "Allow INT8, FP16 or BF16 as well.")
    base = msgspec.structs.replace(request.run.config.plan, quantizer="")
    return Space(base, highs, lows, request.methods or tuple(CalibrationMethod), request.pinned)


def _check(
    request: SearchRequest, backend: Backend, refused: Mapping[Precision, str], whole: Collection[Precision]
) -> None:
    pinned = set(request.pinned.values())
    for precision in {*request.precisions, *pinned}:
        if reason := refused.get(precision, ""):
            raise WorkbenchError(f"{precision.label} cannot be searched: {reason}", "Leave it out.")
    for precision in pinned.intersection(whole):
        reason = f"{backend.title} has it for the whole model only."
        raise WorkbenchError(f"No node can be pinned to {precision.label}: {reason}", "Leave the pin out.")


def plan_of(space: Space, choice: Choice, matcher: Matcher) -> PrecisionPlan:
    """The choice as a small plan: a default, a rule an operator where the default is another, a rule for what is
    kept, and one for each precision that is pinned."""
    calibration = msgspec.structs.replace(space.base.calibration, method=choice.method)
    default, rules = choice.high, []
    if choice.low is not None and choice.high is Precision.FP32:
        default = choice.low
    elif choice.low is not None:
        rules = [Rule(choice.low, op=op) for op in sorted(QUANTIZABLE & set(matcher.ops))]
    if choice.kept:
        names = matcher.references(choice.kept)
        rules.append(Rule(choice.high, nodes=names, note=f"they stay {choice.high.label}"))
    for precision in sorted(set(choice.pinned.values())):
        nodes = [node for node, wanted in choice.pinned.items() if wanted is precision]
        rules.append(Rule(precision, nodes=matcher.references(nodes), note="pinned"))
    return msgspec.structs.replace(space.base, default=default, rules=tuple(rules), calibration=calibration)


def title_of(choice: Choice) -> str:
    """`INT8 MSE`; `INT8/BF16 MSE, 3 kept` with BF16 around, and of the products 3 in it too; `FP32, 2 pinned`."""
    pinned = f", {len(choice.pinned)} pinned" if choice.pinned else ""
    if choice.low is None:
        return choice.high.label + pinned
    words = choice.low.label if choice.high is Precision.FP32 else f"{choice.low.label}/{choice.high.label}"
    if choice.low in RANGED:
        words += f" {method_label(Calibration(choice.method))}"
    return words + (f", {len(choice.kept)} kept" if choice.kept else "") + pinned


def products(model: Model) -> tuple[str, ...]:
    """Nodes that a low precision may be asked of, in execution order."""
    return tuple(layer.id for layer in model.graph.layers if layer.op in QUANTIZABLE)


def with_kept(choice: Choice, kept: Collection[str]) -> Choice:
    """Other products kept; pinned ones are not in question."""
    return msgspec.structs.replace(choice, kept=tuple(sorted(set(kept) - set(choice.pinned))))


def asked_low(choice: Choice, nodes: Iterable[str]) -> list[str]:
    return [node for node in nodes if choice.low is not None and choice.asks(node) is choice.low]
