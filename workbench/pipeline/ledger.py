"""The fusion ledger of an engine: a pure function of the two graphs and the times of the layers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from workbench.core.graph import FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.ledger import Ledger, LedgerRow, PatternRow
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.pipeline.conversions import added_layers, conversion_words
from workbench.pipeline.fusion_stops import Stops

BYTES = {
    Precision.FP32: 4.0,
    Precision.TF32: 4.0,
    Precision.FP16: 2.0,
    Precision.BF16: 2.0,
    Precision.FP8: 1.0,
    Precision.INT8: 1.0,
}
"""Of an element between two operations of a layer that computes in this precision; weight-only ones are float."""
_FLOATS = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "float64": 8.0}


def fusion_ledger(source: Graph, engine: EngineGraph, layer_ms: Mapping[str, float] | None = None) -> Ledger:
    """`layer_ms`: mean ms by layer id; empty where nothing was timed."""
    times = dict(layer_ms or {})
    layers = list(engine.graph.walk())
    total = sum(times.values()) if times else None
    saved, unsized = saved_bytes(source, engine)
    added = added_layers(engine)
    stops = Stops(source, engine)
    rows = []
    for layer in layers:
        stop, why = stops.behind(layer)
        ms = times.get(layer.id)
        rows.append(
            LedgerRow(
                layer=layer.id,
                name=layer.name,
                pattern=layer.heading,
                kind=layer.kind,
                precision=layer.precision,
                tactic=layer.tactic,
                sources=layer.sources,
                is_exact=layer.sources_exact,
                is_added=layer.id in added,
                does=conversion_words(layer, engine.graph.tensors),
                ms=ms,
                share=ms / total if ms is not None and total else None,
                saved_bytes=saved.get(layer.id, 0),
                stop=stop,
                why=why,
            )
        )
    return Ledger(
        rows=tuple(rows),
        patterns=patterns(rows),
        nodes=sum(1 for _ in source.walk()),
        layers=len(layers),
        fates=dict(Counter(fate.kind.value for fate in engine.fates.values()).most_common()),
        added=len(added),
        saved_bytes=sum(saved.values()),
        unsized=unsized,
        total_ms=total,
    )


def patterns(rows: Iterable[LedgerRow]) -> tuple[PatternRow, ...]:
    """Rows of one pattern added up, the most frequent pattern first."""
    found: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        found[row.pattern].append(row)
    groups = [_pattern(pattern, group) for pattern, group in found.items()]
    return tuple(sorted(groups, key=lambda group: -group.count))


def _pattern(pattern: str, rows: list[LedgerRow]) -> PatternRow:
    timed = [row for row in rows if row.ms is not None]
    return PatternRow(
        pattern=pattern,
        count=len(rows),
        nodes=sum(len(row.sources) for row in rows),
        ms=sum(row.ms or 0.0 for row in timed) if timed else None,
        share=sum(row.share or 0.0 for row in timed) if timed else None,
        saved_bytes=sum(row.saved_bytes for row in rows),
    )


def saved_bytes(source: Graph, engine: EngineGraph) -> tuple[dict[str, int], int]:
    """ESTIMATE of the memory traffic that fusion saves, by layer id; and how many tensors have no known size.

    The rule: a tensor that one node of a layer makes and only nodes of the same layer read need not leave the kernel.
    Unfused it would be written once and read once, so it counts twice its size: that at the run's input shapes
    (`EngineGraph.sizes`), in the element size of the layer's precision. Not counted are outputs of the model or of a
    body, what a node with several layers makes, what depends on weights alone (it is computed once), and results of
    nodes that only change a view, which are free anyway.
    """
    home = _homes(engine)
    layers = {layer.id: layer for layer in engine.graph.walk()}
    found: dict[str, float] = defaultdict(float)
    unsized = 0
    for maker, size, dtype in _inner_tensors(source, engine, home):
        if size:
            found[home[maker]] += 2 * size * _scale(dtype, layers[home[maker]])
        else:
            unsized += 1
    return {layer: round(size) for layer, size in found.items()}, unsized


def _homes(engine: EngineGraph) -> dict[str, str]:
    """Node -> its layer, for nodes that have exactly one working layer and a kernel in it."""
    taken: dict[str, list[str]] = defaultdict(list)
    for layer in engine.graph.walk():
        if layer.kind is not LayerKind.REFORMAT:
            for node in layer.sources:
                taken[node].append(layer.id)
    return {node: where[0] for node, where in taken.items() if len(where) == 1}


def _inner_tensors(
    graph: Graph, engine: EngineGraph, home: Mapping[str, str], outer: frozenset[str] = frozenset()
) -> Iterator[tuple[str, int, str]]:
    """Maker, bytes and type of the tensors that stay inside one layer. `outer` are constants of the graphs around."""
    readers, constant = _readers(graph), _constants(graph, outer)
    for layer in graph.layers:
        fate = engine.fates.get(layer.id)
        if layer.id not in home or (fate is not None and fate.kind is FateKind.ABSORBED):
            continue
        for place, name in enumerate(layer.outputs):
            homes = {home.get(node) for node in readers.get(name, ())}
            if homes == {home[layer.id]} and name not in graph.outputs and name not in constant:
                yield layer.id, *_size(graph, engine, layer, place)
    for body in graph.subgraphs.values():
        yield from _inner_tensors(body, engine, home, constant)


def _constants(graph: Graph, outer: frozenset[str]) -> frozenset[str]:
    """Tensors that depend on weights alone: those of nodes that read nothing else. Nodes stand in execution order."""
    known = {*outer, *(name for name, tensor in graph.tensors.items() if tensor.constant)} - {*graph.inputs}
    holders = {key.rpartition(".")[0] for key in graph.subgraphs}
    for layer in graph.layers:
        reads = [name for name in layer.inputs if name]
        if reads and layer.id not in holders and known.issuperset(reads):
            known.update(layer.outputs)
    return frozenset(known)


def _size(graph: Graph, engine: EngineGraph, layer: Layer, place: int) -> tuple[int, str]:
    tensor = graph.tensors.get(layer.outputs[place], Tensor(""))
    sizes = engine.sizes.get(layer.id, ())
    return (sizes[place] if place < len(sizes) else 0) or tensor.size_bytes, tensor.dtype


def _readers(graph: Graph) -> dict[str, set[str]]:
    """Tensor -> nodes of this graph that read it; what a body reads counts for its holder."""
    found: dict[str, set[str]] = defaultdict(set)
    for layer in graph.layers:
        for name in layer.inputs:
            found[name].add(layer.id)
    for key, body in graph.subgraphs.items():
        for name in _named_in(body):
            found[name].add(key.rpartition(".")[0])
    return found


def _named_in(body: Graph) -> set[str]:
    """Every tensor a body reads: what is not its own it takes from the graphs around it."""
    names = {name for layer in body.layers for name in layer.inputs} | {*body.outputs}
    return names.union(*(_named_in(inner) for inner in body.subgraphs.values()))


def _scale(dtype: str, layer: Layer) -> float:
    """Bytes of an element in the layer's precision by those in the file; only floats change theirs."""
    if dtype not in _FLOATS or layer.precision is None:
        return 1.0
    return BYTES.get(layer.precision, _FLOATS[dtype]) / _FLOATS[dtype]
