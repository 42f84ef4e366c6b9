"""The linked selection: nodes of the source graph and layers of the engine graph, one from the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from workbench.core.graph import Fate, Layer
from workbench.core.model import Model
from workbench.core.run import EngineGraph
from workbench.pipeline.conversions import added_layers


class Side(StrEnum):
    """Where the user chose; what is selected elsewhere follows from it."""

    SOURCE = "source"
    ENGINE = "engine"  # of the current run
    FIRST = "first"  # of the other run, where two engines stand side by side (`EnginePair`)


class Selection(msgspec.Struct, frozen=True):
    """Ids of source nodes, of layers of the current engine, and of layers of the first of two engines."""

    nodes: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    chosen: Side = Side.SOURCE

    def __bool__(self) -> bool:
        return bool(self.nodes or self.layers or self.first)

    @property
    def by_layer(self) -> bool:
        """True where a layer of the current engine was chosen."""
        return self.chosen is Side.ENGINE


class Links:
    """Both directions of the mapping between a model and one engine of it.

    `added` are layers that convert and run no node: the compiler put them between others.
    """

    def __init__(self, model: Model | None, engine: EngineGraph | None) -> None:
        self.nodes: dict[str, Layer] = {node.id: node for node in model.graph.walk()} if model else {}
        self.layers: dict[str, Layer] = {layer.id: layer for layer in engine.graph.walk()} if engine else {}
        self.fates: dict[str, Fate] = dict(engine.fates) if engine else {}
        self.added: frozenset[str] = added_layers(engine) if engine else frozenset()
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
        return Selection(self.nodes_of(chosen), chosen, chosen=Side.ENGINE)

    def again(self, selection: Selection) -> Selection:
        """The same selection after the engine has changed: the nodes stay, their layers are found anew."""
        return self.by_nodes(selection.nodes)
