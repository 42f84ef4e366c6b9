"""Who reads whom: the edges between the layers of one graph, by their place in it."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.graph import Graph


class Wiring:
    """`reads[i]` are the tensors that layer i uses, those its bodies capture among them; `maker` gives a tensor's layer.

    `producers` and `consumers` are layers without doubles, in the order in which they are met. `fixed[i]` is True for
    layers that depend on no input: constants and what is made of them.
    """

    def __init__(self, graph: Graph) -> None:
        self.layers = graph.layers
        self.inputs = frozenset(graph.inputs)
        self.outputs = frozenset(graph.outputs)
        self.maker = {name: i for i, layer in enumerate(graph.layers) for name in layer.outputs if name}
        captured = _captured_by_holder(graph)
        self.reads: list[tuple[str, ...]] = [
            layer.inputs + captured[layer.id] if layer.id in captured else layer.inputs for layer in graph.layers
        ]
        self.producers: list[list[int]] = []
        self.consumers: list[list[int]] = [[] for _ in graph.layers]
        for place, names in enumerate(self.reads):
            found = [maker for name in dict.fromkeys(names) if (maker := self.maker.get(name, -1)) >= 0]
            self.producers.append(list(dict.fromkeys(found)) if len(found) > 1 else found)
            for maker in self.producers[-1]:
                self.consumers[maker].append(place)
        self.fixed = self._fixed()

    def _fixed(self) -> list[bool]:
        fixed: list[bool] = []
        for place, names in enumerate(self.reads):
            makers = self.producers[place]
            fixed.append(all(maker < place and fixed[maker] for maker in makers) and self.inputs.isdisjoint(names))
        return fixed


def _captured_by_holder(graph: Graph) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, body in graph.subgraphs.items():
        holder = key.rpartition(".")[0]
        found[holder] = (*found.get(holder, ()), *_captured(body))
    return found


def _captured(body: Graph) -> Iterable[str]:
    """Tensors of the graphs around it that a body, or a body in it, uses. Bodies are at most 16 deep."""
    own = {*body.inputs, *(name for name, tensor in body.tensors.items() if tensor.constant)}
    own.update(name for layer in body.layers for name in layer.outputs)
    used = [name for layer in body.layers for name in layer.inputs]
    used += [name for inner in body.subgraphs.values() for name in _captured(inner)]
    return [name for name in dict.fromkeys([*used, *body.outputs]) if name and name not in own]
