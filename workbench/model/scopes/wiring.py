"""Who reads whom: the edges between the layers of one graph, by their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.core.graph import Graph, Layer

Reads = Mapping[str, tuple[str, ...]]


class Wiring:
    """Layers by their place: in execution order, but constants directly before their first reader.

    Some converters write constants in any order; blocks that differ in nothing else are to be seen as alike. `reads[i]`
    are the tensors that layer i uses, what its bodies capture among them; `producers` and `consumers` are places
    without doubles. `fixed[i]` is True for layers that depend on no input: constants and what is made of them.
    """

    def __init__(self, graph: Graph) -> None:
        reads = _reads(graph)
        varying = _varying(graph, reads)
        self.layers = _with_constants_at_readers(graph.layers, reads, varying)
        self.outputs = frozenset(graph.outputs)
        self.reads = [reads[layer.id] for layer in self.layers]
        self.fixed = [varying.isdisjoint(names) for names in self.reads]
        self.maker = {name: place for place, layer in enumerate(self.layers) for name in layer.outputs if name}
        self.varying = varying
        self.producers = [self._makers(names) for names in self.reads]
        self.consumers: list[list[int]] = [[] for _ in self.layers]
        for place, makers in enumerate(self.producers):
            for maker in makers:
                self.consumers[maker].append(place)

    def _makers(self, names: tuple[str, ...]) -> list[int]:
        found = [self.maker[name] for name in names if name in self.maker]
        return list(dict.fromkeys(found)) if len(found) > 1 else found


def _reads(graph: Graph) -> Reads:
    reads = {layer.id: layer.inputs for layer in graph.layers}
    for key, body in graph.subgraphs.items():
        holder = key.rpartition(".")[0]
        reads[holder] = (*reads.get(holder, ()), *_captured(body))
    return reads


def _captured(body: Graph) -> Iterable[str]:
    """Tensors of the graphs around it that a body, or a body in it, uses. Bodies are at most 16 deep."""
    own = {*body.inputs, *(name for name, tensor in body.tensors.items() if tensor.constant)}
    own.update(name for layer in body.layers for name in layer.outputs)
    used = [name for layer in body.layers for name in layer.inputs]
    used += [name for inner in body.subgraphs.values() for name in _captured(inner)]
    return [name for name in dict.fromkeys([*used, *body.outputs]) if name and name not in own]


def _varying(graph: Graph, reads: Reads) -> set[str]:
    """Tensors that are other with other inputs: all but weights and what is made of them alone."""
    made = {name for layer in graph.layers for name in layer.outputs}
    read = {name for names in reads.values() for name in names}
    constant = {name for name in read if (tensor := graph.tensors.get(name)) is not None and tensor.constant}
    varying = (read | set(graph.inputs)) - made - constant - {""}
    for layer in graph.layers:
        if not varying.isdisjoint(reads[layer.id]):
            varying.update(layer.outputs)
    return varying - {""}


def _with_constants_at_readers(layers: Sequence[Layer], reads: Reads, varying: set[str]) -> list[Layer]:
    constants = {name: layer for layer in layers if varying.isdisjoint(reads[layer.id]) for name in layer.outputs}
    if not constants:
        return list(layers)
    order: dict[str, Layer] = {}
    for layer in (*(layer for layer in layers if not varying.isdisjoint(reads[layer.id])), *layers):
        waiting = [] if layer.id in order else [layer]
        while waiting:
            missing = [constants[name] for name in reads[waiting[-1].id] if name in constants]
            missing = [each for each in missing if each.id not in order and each.id != waiting[-1].id]
            if missing:
                waiting.append(missing[0])
            else:
                done = waiting.pop()
                order[done.id] = done
    return list(order.values())
