"""Two engines of one model side by side: layers aligned through the source nodes that they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from workbench.core.alignment import AlignedGroup, Alignment, Change
from workbench.core.graph import FateKind, Layer, LayerKind
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.pipeline.conversions import conversion_words

Side = tuple[bool, str]  # is in B, layer id


def align(
    a: EngineGraph,
    b: EngineGraph,
    ms_a: Mapping[str, float] | None = None,
    ms_b: Mapping[str, float] | None = None,
) -> Alignment:
    """Groups of layers of `a` and `b`: the connected components of "share a source node".

    A node that either engine made a change of view links nothing, or one Concat would tie all its producers into one
    group. Layers that only convert link nothing either: they are put to the layer they serve, by their first source or
    else by the first layer behind them that computes. The source ids must be those of one model.
    """
    engines = (a, b)
    layers = {(side, layer.id): layer for side in (False, True) for layer in engines[side].graph.walk()}
    served = [_served(engine) for engine in engines]
    links = _Links(layers)
    for key, layer in layers.items():
        if layer.kind is not LayerKind.REFORMAT:
            for node in layer.sources:
                if not _is_view(node, a) and not _is_view(node, b):
                    links.join(key, node)
    for key, layer in layers.items():
        if layer.kind is LayerKind.REFORMAT:
            links.serve(key, layer.sources, served[key[0]].get(layer.id))
    times = ((False, ms_a or {}), (True, ms_b or {}))
    groups = [_group(keys, layers, engines, dict(times)) for keys in links.groups()]
    totals = [sum(ms.values()) if ms else None for _, ms in times]
    return Alignment(tuple(groups), totals[0], totals[1])


def _is_view(node: str, engine: EngineGraph) -> bool:
    fate = engine.fates.get(node)
    return fate is not None and fate.kind is FateKind.ABSORBED


def _served(engine: EngineGraph) -> dict[str, str]:
    """The first layer that computes behind each layer that only converts, through others of its kind."""
    reader: dict[str, Layer] = {}
    for layer in engine.graph.walk():
        for name in layer.inputs:
            reader.setdefault(name, layer)
    found: dict[str, str] = {}
    for layer in reversed(list(engine.graph.walk())):
        if layer.kind is LayerKind.REFORMAT:
            nearest = next((reader[name] for name in layer.outputs if name in reader), None)
            if nearest is not None:
                target = found.get(nearest.id) if nearest.kind is LayerKind.REFORMAT else nearest.id
                if target is not None:
                    found[layer.id] = target
    return found


class _Links:
    """Union-find over the layers of both engines; groups come out in the order of the layers."""

    def __init__(self, keys: Iterable[Side]) -> None:
        self._parent = {key: key for key in keys}
        self._of_node: dict[str, Side] = {}

    def join(self, key: Side, node: str) -> None:
        other = self._of_node.setdefault(node, key)
        self._parent[self._root(key)] = self._root(other)

    def serve(self, key: Side, nodes: Sequence[str], layer: str | None) -> None:
        behind = None if layer is None else (key[0], layer)
        served = next((self._of_node[node] for node in nodes if node in self._of_node), behind)
        if served is not None:
            self._parent[key] = self._root(served)

    def _root(self, key: Side) -> Side:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def groups(self) -> list[list[Side]]:
        found: dict[Side, list[Side]] = defaultdict(list)
        for key in self._parent:
            found[self._root(key)].append(key)
        return list(found.values())


def _group(
    keys: Sequence[Side],
    layers: Mapping[Side, Layer],
    engines: tuple[EngineGraph, EngineGraph],
    times: Mapping[bool, Mapping[str, float]],
) -> AlignedGroup:
    sides = [[layers[key] for key in keys if key[0] is side] for side in (False, True)]
    working = [[layer for layer in side if layer.kind is not LayerKind.REFORMAT] for side in sides]
    shown = working if any(working) else sides
    fewer = min((side for side in shown if side), key=len)  # their layers are the larger ones
    change = _change(*shown)
    precisions = [_precisions(side) for side in working]
    converting = (len(sides[0]) - len(working[0]), len(sides[1]) - len(working[1]))
    tactics = [{layer.tactic for layer in side if layer.tactic} for side in working]
    group = AlignedGroup(
        title=_listed(layer.heading for layer in fewer),
        name=_listed(layer.name for layer in fewer),
        change=change,
        nodes=tuple(dict.fromkeys(node for side in sides for layer in side for node in layer.sources)),
        a=tuple(layer.id for layer in sides[0]),
        b=tuple(layer.id for layer in sides[1]),
        precisions_a=precisions[0],
        precisions_b=precisions[1],
        converting=converting,
        is_tactic_changed=all(tactics) and tactics[0] != tactics[1],
        ms_a=_sum(sides[0], times[False]),
        ms_b=_sum(sides[1], times[True]),
    )
    return _with_words(group, sides, working, engines)


def _change(a: Sequence[Layer], b: Sequence[Layer]) -> Change:
    if not a or not b:
        return Change.ONLY_A if a else Change.ONLY_B
    if len(a) == len(b) and (len(a) == 1 or _cuts(a) == _cuts(b)):
        return Change.SAME
    if len(a) == 1:
        return Change.SPLIT
    return Change.MERGED if len(b) == 1 else Change.REGROUPED


def _cuts(layers: Iterable[Layer]) -> list[tuple[str, ...]]:
    """Which nodes stand together, whatever the layers are called."""
    return sorted(tuple(sorted(layer.sources)) for layer in layers)


def _listed(names: Iterable[str]) -> str:
    """The first two, each once, and how many more."""
    each = list(dict.fromkeys(name for name in names if name))
    return ", ".join(each[:2]) + (f" and {len(each) - 2} more" if len(each) > 2 else "")


def _precisions(layers: Iterable[Layer]) -> tuple[Precision, ...]:
    return tuple(
        sorted({layer.precision for layer in layers if layer.precision is not None}, key=list(Precision).index)
    )


def _sum(layers: Iterable[Layer], times: Mapping[str, float]) -> float | None:
    return sum(times.get(layer.id, 0.0) for layer in layers) if times else None


def _with_words(
    group: AlignedGroup,
    sides: Sequence[Sequence[Layer]],
    working: Sequence[Sequence[Layer]],
    engines: tuple[EngineGraph, EngineGraph],
) -> AlignedGroup:
    parts = [_change_words(group, sides, working, engines)]
    if group.is_precision_changed:
        parts.append(f"{_labels(group.precisions_a)} → {_labels(group.precisions_b)}")
    if group.change is Change.SAME and group.is_tactic_changed:
        parts.append(f"kernel {_tactics(working[0])} → {_tactics(working[1])}")
    more = group.converting[1] - group.converting[0]
    if more and any(working):
        parts.append(f"{abs(more)} conversion{'s' if abs(more) > 1 else ''} {'more' if more > 0 else 'less'} in B")
    return msgspec.structs.replace(group, words="; ".join(part for part in parts if part) or "the same")


def _change_words(
    group: AlignedGroup,
    sides: Sequence[Sequence[Layer]],
    working: Sequence[Sequence[Layer]],
    engines: tuple[EngineGraph, EngineGraph],
) -> str:
    match group.change:
        case Change.SAME:
            return ""
        case Change.SPLIT:
            return f"split into {len(working[1])}"
        case Change.MERGED:
            return f"merged from {len(working[0])}"
        case Change.REGROUPED:
            return f"{len(working[0])} layers regrouped into {len(working[1])}"
    side = group.change is Change.ONLY_B
    does = conversion_words(sides[side][0], engines[side].graph.tensors)
    if does:
        return f"{group.change.value}: {does}"
    fates = {engines[not side].fates[n].kind.value for n in group.nodes if n in engines[not side].fates}
    return f"{group.change.value}; there {', '.join(sorted(fates))}" if fates else group.change.value


def _labels(precisions: Sequence[Precision]) -> str:
    return "/".join(precision.label for precision in precisions) or "no floats"


def _tactics(layers: Sequence[Layer]) -> str:
    return ", ".join(dict.fromkeys(layer.tactic for layer in layers if layer.tactic))
