"""Who reads whom: the edges between the layers of one graph, by their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.core.graph import Graph, Layer


class Wiring:
    """Layers by their place: in execution order, but constants directly before their first reader.

    Some converters write constants in any order; blocks that differ in nothing else are to be seen as alike. `reads[i]`
    are the tensors that layer i uses, what its bodies capture among them; `producers` and `consumers` are places
    without doubles. `fixed[i]` is True for layers that depend on no input: constants and what is made of them; the
    tensors that they and the weights are, are `constants`.
    """

    def __init__(self, graph: Graph) -> None:
        self.outputs = frozenset(graph.outputs)
        self._connect(graph, graph.layers, _captured_by_holder(graph))
        if any(self.fixed):
            self._connect(graph, self._constants_at_readers(), _captured_by_holder(graph))

    def _connect(self, graph: Graph, layers: Sequence[Layer], captured: Mapping[str, tuple[str, ...]]) -> None:
        self.layers = layers
        self.reads = (
            [layer.inputs + captured.get(layer.id, ()) for layer in layers]
            if captured
            else [layer.inputs for layer in layers]
        )
        self.producers: list[list[int]] = []
        self.consumers: list[list[int]] = [[] for _ in layers]
        self.fixed: list[bool] = []
        self.constants: set[str] = set()
        maker: dict[str, int] = {}
        for place, layer in enumerate(layers):
            makers: list[int] = []
            is_fixed = True
            for name in self.reads[place]:
                found = maker.get(name)
                if found is None:
                    is_fixed = (name in self.constants or self._is_weight(graph, name)) and is_fixed
                else:
                    is_fixed = is_fixed and self.fixed[found]
                    if found not in makers:
                        makers.append(found)
                        self.consumers[found].append(place)
            self.producers.append(makers)
            self.fixed.append(is_fixed)
            if is_fixed:
                self.constants.update(layer.outputs)
            for name in layer.outputs:
                if name:
                    maker[name] = place

    def _is_weight(self, graph: Graph, name: str) -> bool:
        """An input that is left out counts as one."""
        tensor = graph.tensors.get(name)
        if name and (tensor is None or not tensor.constant):
            return False
        self.constants.add(name)
        return True

    def _constants_at_readers(self) -> list[Layer]:
        order: dict[int, None] = {}
        readers = [place for place, is_fixed in enumerate(self.fixed) if not is_fixed]
        for place in (*readers, *range(len(self.layers))):
            waiting = [] if place in order else [place]
            while waiting:
                missing = [i for i in self.producers[waiting[-1]] if self.fixed[i] and i not in order]
                if missing:
                    waiting.append(missing[0])
                else:
                    order[waiting.pop()] = None
        return [self.layers[place] for place in order]


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
