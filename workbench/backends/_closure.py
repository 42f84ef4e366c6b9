"""Structural closure: the owner of every source node that an engine did not name, found from the edges alone.

An engine names most nodes it took, never all: fusions lose names. What it lost is found by rules that look only at
neighbours. All of it is inferred, and is marked so by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.core.graph import Graph, Layer
from workbench.model.kinds import RANDOM


def ops(names: str) -> frozenset[str]:
    """A set of op types, written as words."""
    return frozenset(names.split())


VIEW_OPS = ops("Reshape Flatten Squeeze Unsqueeze Identity Dropout Cast CastLike Concat Split Slice Expand Shape Size")
"""Ops that an engine may turn into a change of view: without a layer of their own they are absorbed."""

HEAVY_OPS = ops(
    """Conv ConvTranspose ConvInteger Gemm MatMul MatMulInteger LSTM GRU RNN Attention MaxPool AveragePool
    GlobalAveragePool GlobalMaxPool Einsum Resize If Loop Scan"""
)
"""Ops that begin a layer: what stands before them was rather fused into its producer."""

PROLOGUE_OPS = ops("Pad QuantizeLinear DequantizeLinear Transpose DynamicQuantizeLinear Mod")
"""Ops that are fused into their consumer even if that one is heavy."""


class Scope:
    """One graph (or body) with the edges between its own nodes. What a body captures counts as its holder's input.

    `outer_constants` are tensors of enclosing graphs that are known at build time; `call` is the node that calls the
    function of which this is the body, if it is one.
    """

    def __init__(self, graph: Graph, outer_constants: frozenset[str] = frozenset(), call: str = "") -> None:
        self.graph = graph
        self.call = call
        self.nodes = {layer.id: layer for layer in graph.layers}
        self.maker = {name: layer.id for layer in graph.layers for name in layer.outputs if name}
        self.reads = {layer.id: _reads(graph, layer) for layer in graph.layers}
        self.readers: dict[str, set[str]] = {}
        self.producers: dict[str, tuple[str, ...]] = {}
        self.consumers: dict[str, list[str]] = {node: [] for node in self.nodes}
        for node, names in self.reads.items():
            makers = dict.fromkeys(self.maker[name] for name in names if name in self.maker)
            self.producers[node] = tuple(makers)
            for name in names:
                self.readers.setdefault(name, set()).add(node)
            for maker in makers:
                self.consumers[maker].append(node)
        self.constant_tensors = self._constant_tensors(outer_constants)

    def constants(self) -> set[str]:
        """Nodes whose outputs are known at build time, the shapes being fixed."""
        return {
            node
            for node, layer in self.nodes.items()
            if any(layer.outputs) and all(name in self.constant_tensors for name in layer.outputs if name)
        }

    def live(self) -> set[str]:
        """Nodes that an output of the graph depends on."""
        found: set[str] = set()
        waiting = [self.maker[name] for name in self.graph.outputs if name in self.maker]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting.extend(self.producers[node])
        return found

    def _constant_tensors(self, outer: frozenset[str]) -> frozenset[str]:
        known = set(outer) | {name for name, tensor in self.graph.tensors.items() if tensor.constant}
        known -= set(self.graph.inputs)
        waiting = [node for node, layer in self.nodes.items() if _is_constant(layer, self.reads[node], known)]
        while waiting:
            layer = self.nodes[waiting.pop()]
            fresh = {name for name in layer.outputs if name and name not in known}
            known |= fresh
            readers = self.consumers[layer.id] if fresh else ()
            waiting.extend(n for n in readers if _is_constant(self.nodes[n], self.reads[n], known))
        return frozenset(known)


def _reads(graph: Graph, layer: Layer) -> tuple[str, ...]:
    """Tensors a node reads, with those its bodies capture."""
    names = dict.fromkeys(name for name in layer.inputs if name)
    for key, body in graph.subgraphs.items():
        if key.rpartition(".")[0] == layer.id:
            names.update(dict.fromkeys(captured(body)))
    return tuple(names)


def captured(body: Graph) -> Iterable[str]:
    """Tensors of enclosing graphs that a body (or a body in it) uses."""
    own = set(body.inputs) | {name for layer in body.layers for name in layer.outputs}
    own |= {name for name, tensor in body.tensors.items() if tensor.constant}
    used = [name for layer in body.layers for name in _reads(body, layer)] + list(body.outputs)
    return [name for name in dict.fromkeys(used) if name and name not in own]


def _is_constant(layer: Layer, reads: Sequence[str], known: set[str]) -> bool:
    if layer.op in RANDOM:
        return False
    return layer.op in ("Shape", "Size", "EyeLike") or all(name in known for name in reads)


Owners = dict[str, dict[str, bool]]
"""Source node -> the layers it went to -> whether the engine said so itself."""


def close(scope: Scope, owners: Owners, skip: set[str], rank: Mapping[str, int]) -> None:
    """Gives every node of `scope` outside `skip` an owner, as long as any of them has one. Changes `owners`.

    `rank` is the place of each layer in execution order. First whatever neighbours agree on, until nothing moves;
    then one node whose neighbours do not, and again.
    """
    waiting = [node for node in scope.nodes if node not in owners and node not in skip]
    while waiting:
        moved = _sweep(scope, waiting, owners, skip) or _break_tie(scope, waiting, owners, rank)
        waiting = [node for node in waiting if node not in owners]
        if not moved:
            return


def _sweep(scope: Scope, waiting: Sequence[str], owners: Owners, skip: set[str]) -> bool:
    moved = False
    for node in (*reversed(waiting), *waiting):  # most chains resolve backwards at once
        layer = None if node in owners else _agreed(scope, node, owners, skip)
        if layer:
            owners[node] = {layer: False}
            moved = True
    return moved


def _agreed(scope: Scope, node: str, owners: Owners, skip: set[str]) -> str | None:
    """The layer that all consumers, or else all producers, share; the other way round where fusion goes so.

    None while a neighbour on the first side has no owner itself: it may still get the one that decides.
    """
    sides = [scope.consumers[node], scope.producers[node]]
    if _prefers_producer(scope, node):
        sides.reverse()
    for side in sides:
        near = [other for other in side if other not in skip]
        if any(other not in owners for other in near):
            return None
        if layer := _shared(near, owners):
            return layer
    return None


def _shared(nodes: Sequence[str], owners: Owners) -> str | None:
    """The first layer common to all nodes."""
    common = list(owners[nodes[0]]) if nodes else []
    return next((layer for layer in common if all(layer in owners[node] for node in nodes)), None)


def _break_tie(scope: Scope, waiting: Sequence[str], owners: Owners, rank: Mapping[str, int]) -> bool:
    """Gives the first node with any owned neighbour the producers' last layer: only there all its inputs exist.

    Without one the consumers' first layer. A view of several producers (Concat in place) belongs to each of them.
    """
    for node in waiting:
        for side, choose in ((scope.producers[node], max), (scope.consumers[node], min)):
            layers = dict.fromkeys(layer for other in side for layer in owners.get(other, ()))
            if layers:
                every = side is scope.producers[node] and scope.nodes[node].op in VIEW_OPS
                taken = layers if every else [choose(layers, key=rank.__getitem__)]
                owners[node] = dict.fromkeys(taken, False)
                return True
    return False


def _prefers_producer(scope: Scope, node: str) -> bool:
    op = scope.nodes[node].op
    if op in VIEW_OPS:
        return True
    if op in PROLOGUE_OPS or op in HEAVY_OPS:
        return False
    return any(scope.nodes[other].op in HEAVY_OPS for other in scope.consumers[node])
