"""Structural closure: the owner of every source node that an engine did not name, found from the edges alone.

An engine names most nodes it took, never all: fusions lose names. What it lost is found by rules that look only at
neighbours. All of it is inferred, and is marked so by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core.graph import Graph, Layer


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

_RANDOM_OPS = ops("RandomNormal RandomUniform RandomNormalLike RandomUniformLike Bernoulli Multinomial")


class Scope:
    """One graph (or body) with the edges between its own nodes. What a body captures counts as its holder's input.

    `outer_constants` are tensors of enclosing graphs that are known at build time.
    """

    def __init__(self, graph: Graph, outer_constants: frozenset[str] = frozenset()) -> None:
        self.graph = graph
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
    if layer.op in _RANDOM_OPS:
        return False
    return layer.op in ("Shape", "Size") or all(name in known for name in reads)


Owners = dict[str, dict[str, bool]]
"""Source node -> the layers it went to -> whether the engine said so itself."""


def close(scope: Scope, owners: Owners, skip: set[str]) -> None:
    """Gives every node of `scope` outside `skip` an owner, as long as any of them has one. Changes `owners`."""
    waiting = [node for node in scope.nodes if node not in owners and node not in skip]
    for attempt in (_by_neighbours, _by_any_neighbour):
        changed = True
        while changed and waiting:
            changed = False
            for node in (*reversed(waiting), *waiting):  # most chains resolve backwards in one sweep
                layers = () if node in owners else attempt(scope, node, owners, skip)
                if layers:
                    owners[node] = dict.fromkeys(layers, False)
                    changed = True
            waiting = [node for node in waiting if node not in owners]


def _by_neighbours(scope: Scope, node: str, owners: Owners, skip: set[str]) -> tuple[str, ...]:
    """The one layer that all consumers, or all producers, share; in the order that fusion takes."""
    after = _shared([n for n in scope.consumers[node] if n not in skip], owners)
    before = _shared([n for n in scope.producers[node] if n not in skip], owners)
    first, second = (before, after) if _prefers_producer(scope, node) else (after, before)
    return first or second


def _by_any_neighbour(scope: Scope, node: str, owners: Owners, skip: set[str]) -> tuple[str, ...]:
    """Where neighbours disagree: the producers' layers, or else the consumers'."""
    for near in (scope.producers[node], scope.consumers[node]):
        layers = dict.fromkeys(layer for other in near for layer in owners.get(other, ()))
        if layers:
            return tuple(layers) if scope.nodes[node].op in VIEW_OPS else tuple(layers)[:1]
    return ()


def _shared(nodes: Iterable[str], owners: Owners) -> tuple[str, ...]:
    """The first layer common to all nodes; empty where there is none or a node has no owner yet."""
    common: list[str] | None = None
    for node in nodes:
        layers = owners.get(node, {})
        common = list(layers) if common is None else [layer for layer in common if layer in layers]
    return (common[0],) if common else ()


def _prefers_producer(scope: Scope, node: str) -> bool:
    op = scope.nodes[node].op
    if op in VIEW_OPS:
        return True
    if op in PROLOGUE_OPS or op in HEAVY_OPS:
        return False
    return any(scope.nodes[other].op in HEAVY_OPS for other in scope.consumers[node])
