"""Compute layers that name nobody: they take the unnamed nodes between their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from workbench.backends._closure import HEAVY_OPS, VIEW_OPS, Owners, Scope
from workbench.core.graph import Layer, LayerKind

Near = Callable[[str], Iterable[str]]


def fill_gaps(
    scope: Scope,
    layers: Sequence[Layer],
    owners: Owners,
    skip: set[str],
    op_hints: Mapping[str, frozenset[str]],
) -> None:
    """Gives nodes of `scope` to compute layers without sources. Changes `owners`; every entry is inferred.

    The region of such a layer are the unnamed nodes on paths from nodes of the layers before it to nodes of the
    layers behind it. Where another such layer follows, the region ends before the second heavy node, which begins a
    layer of its own. If `op_hints` knows the layer's type, only nodes of those ops are taken where there are any.
    """
    if all(node in owners or node in skip for node in scope.nodes):
        return
    named = {layer for where in owners.values() for layer in where}
    links = _Links(layers)
    nameless = {
        layer.id for layer in layers if layer.kind is LayerKind.COMPUTE and layer.id not in named and not layer.sources
    }
    for layer in layers:
        if layer.id not in nameless:
            continue
        region = _region(scope, layer, links, owners, skip)
        if any(other in nameless for other in links.behind[layer.id]):
            region = _first_stage(scope, region)
        fitting = [node for node in region if scope.nodes[node].op in op_hints.get(layer.op, ())]
        for node in fitting or [node for node in region if scope.nodes[node].op not in VIEW_OPS]:
            owners[node] = {layer.id: False}


def adopt(scope: Scope, layers: Sequence[Layer], owners: Owners, op_hints: Mapping[str, frozenset[str]]) -> None:
    """Gives each compute layer that is still without nodes those of a neighbour, which then are split over both.

    Only the nodes that fit `op_hints`, where there are any (the normalisation before the scaling of a
    LayerNormalization); else all of the nearest layer behind it, or before it. Changes `owners`.
    """
    if not owners:
        return
    links = _Links(layers)
    nodes_of = _nodes_of(scope, owners)
    named = {layer for where in owners.values() for layer in where}
    for layer in layers:
        if layer.kind is not LayerKind.COMPUTE or layer.id in named:
            continue
        near = [*_nearest(layer.id, links.behind, nodes_of), *_nearest(layer.id, links.before, nodes_of)]
        fitting = [n for other in near for n in nodes_of[other] if scope.nodes[n].op in op_hints.get(layer.op, ())]
        for node in fitting or [node for other in near[:1] for node in nodes_of[other]]:
            owners[node][layer.id] = False


class _Links:
    """The engine's layers with the layers before and behind each."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.maker = {name: layer.id for layer in layers for name in layer.outputs}
        self.before: dict[str, list[str]] = {layer.id: [] for layer in layers}
        self.behind: dict[str, list[str]] = {layer.id: [] for layer in layers}
        for layer in layers:
            for name in layer.inputs:
                if name in self.maker:
                    self.before[layer.id].append(self.maker[name])
                    self.behind[self.maker[name]].append(layer.id)


def _region(scope: Scope, layer: Layer, links: _Links, owners: Owners, skip: set[str]) -> list[str]:
    nodes_of = _nodes_of(scope, owners)
    free = {node for node in scope.nodes if node not in owners and node not in skip}
    up = _nearest(layer.id, links.before, nodes_of)
    down = _nearest(layer.id, links.behind, nodes_of)
    starts = [n for owner in up for n in nodes_of[owner]]
    ends = [n for owner in down for n in nodes_of[owner]]
    ahead = _spread(starts, scope.consumers.__getitem__, free) if starts else free
    back = _spread(ends, scope.producers.__getitem__, free) if ends else free
    return [node for node in scope.nodes if node in ahead and node in back]


def _first_stage(scope: Scope, region: Sequence[str]) -> list[str]:
    """`region` (in file order) without its second heavy node and what depends on that."""
    heavy = [node for node in region if scope.nodes[node].op in HEAVY_OPS]
    later = _spread(heavy[1:2], scope.consumers.__getitem__, set(region)) | set(heavy[1:2])
    return [node for node in region if node not in later]


def _nodes_of(scope: Scope, owners: Owners) -> dict[str, list[str]]:
    """Layer -> its nodes of this scope, in file order."""
    found: dict[str, list[str]] = {}
    for node in scope.nodes:
        for owner in owners.get(node, ()):
            found.setdefault(owner, []).append(node)
    return found


def _nearest(start: str, near: Mapping[str, list[str]], named: Mapping[str, list[str]]) -> list[str]:
    """The first layers with nodes in a direction, looking through layers without any."""
    found: list[str] = []
    seen, waiting = {start}, [start]
    while waiting:
        for other in near[waiting.pop()]:
            if other in seen:
                continue
            seen.add(other)
            if other in named:
                found.append(other)
            else:
                waiting.append(other)
    return found


def _spread(starts: Iterable[str], near: Near, free: set[str]) -> set[str]:
    """Free nodes reached from `starts` through free nodes only."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for other in near(waiting.pop()):
            if other in free and other not in found:
                found.add(other)
                waiting.append(other)
    return found
