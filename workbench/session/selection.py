"""The linked selection: nodes of the source graph and layers of the engine graph, one from the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from workbench.core.graph import Fate, Layer
from workbench.core.model import Model
from workbench.core.run import EngineGraph


class Selection(msgspec.Struct, frozen=True):
    """Ids on both sides. `by_layer` says which side the user chose; the other follows from fates and sources."""

    nodes: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()
    by_layer: bool = False

    def __bool__(self) -> bool:
        return bool(self.nodes or self.layers)


class Links:
    """Both directions of the mapping between a model and one engine of it."""

    def __init__(self, model: Model | None, engine: EngineGraph | None) -> None:
        self.nodes: dict[str, Layer] = {node.id: node for node in model.graph.walk()} if model else {}
        self.layers: dict[str, Layer] = {layer.id: layer for layer in engine.graph.walk()} if engine else {}
        self.fates: dict[str, Fate] = dict(engine.fates) if engine else {}
        self._to_layers: dict[str, set[str]] = defaultdict(set)
        for node, fate in self.fates.items():
            self._to_layers[node].update(fate.layers)
        for layer in self.layers.values():
            for node in layer.sources:
                self._to_layers[node].add(layer.id)
        self._to_nodes: dict[str, set[str]] = defaultdict(set)
        for node, layers in self._to_layers.items():
            for layer_id in layers:
                self._to_nodes[layer_id].add(node)

    def layers_of(self, nodes: Iterable[str]) -> frozenset[str]:
        return frozenset(layer for node in nodes for layer in self._to_layers.get(node, ()) if layer in self.layers)

    def nodes_of(self, layers: Iterable[str]) -> frozenset[str]:
        return frozenset(node for layer in layers for node in self._to_nodes.get(layer, ()) if node in self.nodes)

    def by_nodes(self, nodes: Iterable[str]) -> Selection:
        chosen = frozenset(node for node in nodes if node in self.nodes)
        return Selection(chosen, self.layers_of(chosen))

    def by_layers(self, layers: Iterable[str]) -> Selection:
        chosen = frozenset(layer for layer in layers if layer in self.layers)
        return Selection(self.nodes_of(chosen), chosen, by_layer=True)

    def again(self, selection: Selection) -> Selection:
        """The same selection after the engine has changed: the nodes stay, their layers are found anew."""
        return self.by_nodes(selection.nodes)
