"""What a rule is, and what it looks at.

A rule is a module with `LOOKS`, what it looks for in half a sentence, and `look(seen)`, which yields its advice: with
evidence (layers, nodes), a gain estimated by a formula it states, and an edit or why there is none. A rule tells what
both graphs show and no more: where they show nothing, it yields nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

from workbench.core.advice import Advice
from workbench.core.graph import FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig, EngineGraph
from workbench.core.titles import engine_maker
from workbench.pipeline.fusion_stops import Stops

LEAST_SHARE = 0.01
"""Of the time, or of the memory traffic where nothing was timed: what gains less is not worth a line."""
HALVES = (Precision.FP16, Precision.BF16)
EIGHT_BITS = (Precision.INT8, Precision.FP8)


class Rule(Protocol):
    LOOKS: str

    def look(self, seen: Seen) -> Iterator[Advice]: ...


class Level:
    """A graph, or a body of one, with who makes and who reads each tensor."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.maker = {name: layer for layer in graph.layers for name in layer.outputs if name}
        self._readers: dict[str, list[Layer]] = defaultdict(list)
        for layer in graph.layers:
            for name in dict.fromkeys(layer.inputs):
                self._readers[name].append(layer)

    def readers(self, name: str) -> list[Layer]:
        return self._readers.get(name, [])

    def only_reader(self, layer: Layer) -> Layer | None:
        """The one layer that reads what this one writes, where nothing else does and it is no output."""
        readers = {reader.id: reader for name in layer.outputs for reader in self.readers(name)}
        is_output = bool({*layer.outputs} & {*self.graph.outputs})
        return next(iter(readers.values())) if len(readers) == 1 and not is_output else None

    def is_constant(self, name: str) -> bool:
        """An initializer, or what is computed from such alone by a Constant or one step behind it."""
        tensor, maker = self.graph.tensors.get(name), self.maker.get(name)
        if maker is None:
            return tensor is not None and tensor.constant
        return maker.kind is LayerKind.CONSTANT

    def size(self, name: str) -> int:
        tensor = self.graph.tensors.get(name)
        return tensor.size_bytes if tensor is not None else 0

    def shape(self, name: str) -> tuple[int | str, ...]:
        tensor = self.graph.tensors.get(name)
        return tensor.shape or () if tensor is not None else ()


class Seen:
    """One engine and the model it was built from. `ms` is by engine layer, `asked` by source node."""

    def __init__(
        self,
        source: Graph,
        engine: EngineGraph,
        config: BuildConfig,
        ms: Mapping[str, float],
        asked: Mapping[str, Precision],
    ) -> None:
        self.source, self.engine, self.config, self.ms, self.asked = source, engine, config, ms, asked
        self.levels = [Level(graph) for graph in _levels(source)]
        self.engine_levels = [Level(graph) for graph in _levels(engine.graph)]
        self.layers = {layer.id: layer for layer in engine.graph.walk()}
        self.nodes = {node.id: node for node in source.walk()}
        self.total_ms = sum(ms.values()) if ms else None
        self.moved_bytes = sum(self.moved(layer) for layer in self.layers)

    @cached_property
    def stops(self) -> Stops:
        return Stops(self.source, self.engine)

    @property
    def maker(self) -> str:
        """Whose engine it is, as `core.titles` has it: built here or read from files."""
        return engine_maker(self.config.backend)

    def working(self, node: str) -> list[str]:
        """The layers that compute a node, without those that only convert for it; none where it is gone."""
        fate = self.engine.fates.get(node)
        if fate is None or fate.kind in (FateKind.FOLDED, FateKind.ABSORBED, FateKind.REMOVED, FateKind.UNKNOWN):
            return []
        return [key for key in fate.layers if key in self.layers and self.layers[key].kind is LayerKind.COMPUTE]

    def layers_of(self, nodes: Iterable[str]) -> list[str]:
        """The working layers of several nodes, in execution order."""
        found = {key for node in nodes for key in self.working(node)}
        return [key for key in self.layers if key in found]

    def time(self, layers: Iterable[str]) -> float | None:
        """Measured ms of these layers; None where nothing was timed."""
        return sum(self.ms.get(key, 0.0) for key in layers) if self.ms else None

    def moved(self, layer: str) -> int:
        """Bytes that a layer reads and writes, where the engine says their shapes; weights count."""
        one = self.layers[layer]
        touched = (self.tensors.get(name) for name in (*dict.fromkeys(one.inputs), *one.outputs))
        return sum(tensor.size_bytes for tensor in touched if tensor is not None)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Of the engine, by name."""
        return {name: tensor for level in self.engine_levels for name, tensor in level.graph.tensors.items()}

    def gain_ms(self, layers: Collection[str], saved_bytes: int) -> float | None:
        """The share of the layers' time that is their saved share of the traffic; None where nothing was timed."""
        moved = sum(self.moved(key) for key in layers)
        time = self.time(layers)
        return time * min(1.0, saved_bytes / moved) if time is not None and moved else None

    def by_cost(self, layers: Iterable[str]) -> tuple[str, ...]:
        """The most costly first: by time, else by bytes."""
        return tuple(sorted(dict.fromkeys(layers), key=lambda key: (-self.ms.get(key, 0.0), -self.moved(key))))

    def sources(self, layers: Iterable[str]) -> tuple[str, ...]:
        """The nodes fused into these layers, each once."""
        return tuple(dict.fromkeys(node for key in layers for node in self.layers[key].sources))


def _levels(graph: Graph) -> list[Graph]:
    return [graph, *(level for body in graph.subgraphs.values() for level in _levels(body))]
