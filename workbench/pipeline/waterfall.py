"""Why B is faster or slower than A: the difference of the medians, over aligned layers, conversions and the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from workbench.core.alignment import AlignedGroup, Alignment, Change
from workbench.core.graph import LayerKind
from workbench.core.run import EngineGraph
from workbench.core.waterfall import BlockStep, Step, StepKind, Waterfall

Times = Mapping[str, float]

_ORDER = (
    StepKind.SAVED,
    StepKind.GONE,
    StepKind.SLOWER,
    StepKind.UNFUSED,
    StepKind.NEW,
    StepKind.CONVERSIONS,
)


def waterfall(
    alignment: Alignment,
    engines: tuple[EngineGraph, EngineGraph],
    layers_ms: tuple[Times, Times],
    medians_ms: tuple[float, float],
    passes_ms: tuple[float, float] = (0.0, 0.0),
) -> Waterfall:
    """From `medians_ms[0]` to `medians_ms[1]`; `layers_ms` are the layer times that `alignment` was made with.

    A group's conversions go to `CONVERSIONS`, the rest of its time to one other kind. Layers are timed in a pass of
    their own, so that they do not add up to the median: `passes_ms`, the latency of the whole in these passes, tells
    what of this `REST` lay between the layers, and what asking for their times cost.
    """
    converting = tuple(_conversions(engine) for engine in engines)
    parts: dict[StepKind, list[BlockStep]] = defaultdict(list)
    for group in alignment.groups:
        convert = _sum(group.b, converting[1], layers_ms[1]) - _sum(group.a, converting[0], layers_ms[0])
        compute = _sum(group.b, None, layers_ms[1]) - _sum(group.a, None, layers_ms[0]) - convert
        if convert:
            parts[StepKind.CONVERSIONS].append(_block(group, convert))
        if compute:
            parts[_kind(group, compute)].append(_block(group, compute))
    steps = [Step(kind, sum(b.ms for b in parts[kind]), _largest(parts[kind])) for kind in _ORDER if parts[kind]]
    change, layers = medians_ms[1] - medians_ms[0], sum(step.ms for step in steps)
    rest = Step(StepKind.REST, change - layers, _unseen(passes_ms[1] - passes_ms[0], layers, change, all(passes_ms)))
    return Waterfall(medians_ms[0], medians_ms[1], (*steps, rest))


def _unseen(passes: float, layers: float, change: float, is_known: bool) -> tuple[BlockStep, ...]:
    """What the rest is made of: differences B - A in ms of the latency of the passes, of the layers, of the medians."""
    if not is_known:
        return ()
    between = BlockStep("between the layers", "the passes that timed layers, less the layers", passes - layers)
    asking = BlockStep("cost of timing layers", "these passes were slower: taken off again", change - passes)
    return _largest([between, asking])


def _conversions(engine: EngineGraph) -> frozenset[str]:
    return frozenset(layer.id for layer in engine.graph.walk() if layer.kind is LayerKind.REFORMAT)


def _sum(layers: tuple[str, ...], only: frozenset[str] | None, times: Times) -> float:
    return sum(times.get(layer, 0.0) for layer in layers if only is None or layer in only)


def _kind(group: AlignedGroup, compute_ms: float) -> StepKind:
    match group.change:
        case Change.ONLY_A:
            return StepKind.GONE
        case Change.ONLY_B:
            return StepKind.NEW
        case Change.SPLIT if compute_ms > 0:
            return StepKind.UNFUSED
    return StepKind.SAVED if compute_ms < 0 else StepKind.SLOWER


def _block(group: AlignedGroup, ms: float) -> BlockStep:
    return BlockStep(group.title, group.words, ms, group.nodes, group.a, group.b, group.name)


def _largest(blocks: list[BlockStep]) -> tuple[BlockStep, ...]:
    return tuple(sorted(blocks, key=lambda block: -abs(block.ms)))
