"""Absorbed nodes that are known to have no kernel, not only believed to: the engine's edges leave no room for one.

A node that changes a view (a Reshape, a Concat written in place) is named by no layer. Where the layers that engines
name for the nodes around it are one and the same, or hand a tensor from one to the next with no nameless layer on any
way between them, nothing else can have run for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from workbench.backends._closure import VIEW_OPS, Owners, Scope
from workbench.core.graph import Layer, LayerKind

Around = Callable[[str], Iterable[str]]


def proven_views(scope: Scope, layers: Sequence[Layer], owners: Owners, idle: Collection[str]) -> set[str]:
    """Nodes of `scope` that are inferred to be absorbed and of which this follows from the edges.

    `idle` are nodes that need no layer (constants, dead ones). Layers that only wait move no data and are looked
    through. Inputs and outputs of the graph count as neighbours by their names.
    """
    edges = _Edges(layers, owners)
    found = set()
    for node, layer in scope.nodes.items():
        if layer.op not in VIEW_OPS or node in idle or any(owners.get(node, {}).values()):
            continue
        before = _neighbours(node, scope, owners, idle, scope.producers.__getitem__, _inputs(scope))
        behind = _neighbours(node, scope, owners, idle, scope.consumers.__getitem__, _outputs(scope))
        if before and behind and all(edges.leave_no_room(a, b) for a in before for b in behind):
            found.add(node)
    return found


def _inputs(scope: Scope) -> Around:
    return lambda node: [name for name in scope.reads[node] if name in scope.graph.inputs]


def _outputs(scope: Scope) -> Around:
    return lambda node: [name for name in scope.nodes[node].outputs if name in scope.graph.outputs]


def _neighbours(
    node: str, scope: Scope, owners: Owners, idle: Collection[str], around: Around, ends: Around
) -> set[str]:
    """Layers that the engine names for the next nodes in a direction, looking through views; ends of the graph by name.

    Empty where one of them is not known.
    """
    found: set[str] = set()
    seen, waiting = {node}, [node]
    while waiting:
        at = waiting.pop()
        found.update(ends(at))
        for other in around(at):
            where = owners.get(other, {})
            if other in seen or other in idle:
                continue
            seen.add(other)
            if any(where.values()):
                found.update(layer for layer, is_named in where.items() if is_named)
            elif scope.nodes[other].op in VIEW_OPS:
                waiting.append(other)
            else:
                return set()
    return found


class _Edges:
    """The engine's edges by tensor name; an end of the graph is a tensor."""

    def __init__(self, layers: Sequence[Layer], owners: Owners) -> None:
        named = {layer for where in owners.values() for layer, is_named in where.items() if is_named}
        self._reads = {layer.id: frozenset(layer.inputs) for layer in layers}
        self._writes = {layer.id: frozenset(layer.outputs) for layer in layers}
        self._nameless = [layer.id for layer in layers if layer.id not in named and layer.kind is not LayerKind.SYNC]

    def leave_no_room(self, a: str, b: str) -> bool:
        """Whether what `a` makes is read by `b` directly, or both are one, and by no way through a nameless layer."""
        if a == b:
            return a in self._reads
        made, read = self._writes.get(a, frozenset([a])), self._reads.get(b, frozenset([b]))
        return bool(made & read) and not self._goes_round(made, read)

    def _goes_round(self, made: frozenset[str], read: frozenset[str]) -> bool:
        reached, left = set(made), list(self._nameless)
        while ahead := [layer for layer in left if self._reads[layer] & reached]:
            left = [layer for layer in left if layer not in ahead]
            reached |= {name for layer in ahead for name in self._writes[layer]}
            if any(self._writes[layer] & read for layer in ahead):
                return True
        return False
