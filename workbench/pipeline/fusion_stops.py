"""Why fusion ended behind a layer: rules that both graphs show, and no guess where they show nothing."""

from __future__ import annotations

from collections import Counter, defaultdict

from workbench.core.graph import FateKind, Graph, Layer, LayerKind
from workbench.core.ledger import Stop
from workbench.core.run import EngineGraph
from workbench.pipeline.conversions import conversion_words

SEEN_LEAST = 2
"""That an engine never fuses an op can only be said of an op it had several times."""


class Stops:
    """Asked of one layer after the other."""

    def __init__(self, source: Graph, engine: EngineGraph) -> None:
        self._engine = engine
        self._ops = {node.id: node.op for node in source.walk()}
        self._outputs = {*engine.graph.outputs}
        self._readers: dict[str, list[Layer]] = defaultdict(list)
        for layer in engine.graph.walk():
            for name in dict.fromkeys(layer.inputs):
                self._readers[name].append(layer)
        self._producers = _producers(source)
        self._pairs: set[tuple[str, str]] = set()  # ops that stand one behind the other in a layer
        self._begun, self._joined = self._count()

    def _count(self) -> tuple[Counter[str], Counter[str]]:
        """Of each op: how many layers begin with it, and how many of its nodes stand behind another in a layer."""
        begun, joined = Counter[str](), Counter[str]()
        for layer in self._engine.graph.walk():
            working = self._working(layer)
            behind = {node: self._producers.get(node, set()).intersection(working) for node in working}
            joined.update(self._ops[node] for node in working if behind[node])
            self._pairs.update((self._ops[before], self._ops[node]) for node in working for before in behind[node])
            begun.update(self._ops[node] for node in working[:1])
        return begun, joined

    def _working(self, layer: Layer) -> list[str]:
        """Nodes that the layer computes, without those that only change a view."""
        fates = self._engine.fates
        known = [node for node in layer.sources if node in self._ops]
        return [n for n in known if n not in fates or fates[n].kind is not FateKind.ABSORBED] or known

    def fuses(self, layer: Layer, reader: Layer) -> bool:
        """Whether some layer of this engine has what `reader` begins with behind what is before it in `layer`."""
        first = self._working(reader)[:1]
        before = {node for one in first for node in self._producers.get(one, set()).intersection(layer.sources)}
        return any((self._ops[node], self._ops[one]) in self._pairs for one in first for node in before)

    def behind(self, layer: Layer) -> tuple[Stop, str]:
        """Nothing for layers that compute nothing."""
        if layer.kind is not LayerKind.COMPUTE:
            return Stop.NONE, ""
        outputs = self._outputs.intersection(layer.outputs)
        if outputs:
            return Stop.OUTPUT, f"it writes the output {min(outputs)}"
        readers = {reader.id: reader for name in layer.outputs for reader in self._readers[name]}
        if not readers:
            return Stop.UNKNOWN, ""
        if len(readers) > 1:
            return Stop.READERS, f"{len(readers)} layers read what it writes"
        return self._before(layer, next(iter(readers.values())))

    def _before(self, layer: Layer, reader: Layer) -> tuple[Stop, str]:
        if reader.kind is LayerKind.REFORMAT:
            does = conversion_words(reader, self._engine.graph.tensors)
            return Stop.CONVERSION, f"the next layer {does}"
        if reader.kind is LayerKind.SHAPE:
            return Stop.SHAPE, "the next layer computes shapes"
        if reader.kind is LayerKind.CONTROL:
            return Stop.CONTROL, f"the next layer is control flow ({reader.heading})"
        if layer.precision is not None and reader.precision is not None and layer.precision is not reader.precision:
            return (
                Stop.PRECISION,
                f"the next layer runs in {reader.precision.label}, this one in {layer.precision.label}",
            )
        return self._never(reader)

    def _never(self, reader: Layer) -> tuple[Stop, str]:
        """How this engine deals with the op that the next layer begins with."""
        working = self._working(reader)
        op = self._ops[working[0]] if working else ""
        begun, joined = self._begun[op], self._joined[op]
        if not op or begun < SEEN_LEAST:
            return Stop.UNKNOWN, ""
        if not joined:
            return Stop.NEVER, f"none of the {begun} layers that begin with {op} takes in what stands before it"
        return (
            Stop.UNKNOWN,
            f"the next layer begins with {op}: {joined} of {begun + joined} were taken in, not this one",
        )


def _producers(graph: Graph) -> dict[str, set[str]]:
    """Node -> the nodes of its own graph or body that make what it reads."""
    found: dict[str, set[str]] = {}
    maker = {name: layer.id for layer in graph.layers for name in layer.outputs if name}
    for layer in graph.layers:
        found[layer.id] = {maker[name] for name in layer.inputs if name in maker}
    for body in graph.subgraphs.values():
        found |= _producers(body)
    return found
