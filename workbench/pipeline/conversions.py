"""Layers that only convert for others: which of them the compiler added, and what they do, in words."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.run import EngineGraph

ADDED = "added"
"""Attribute of an engine layer made of nodes that a pass added: what that pass calls it (`quantize_x`)."""
_SHORT = {"float32": "FP32", "float16": "FP16", "bfloat16": "BF16", "int8": "INT8", "uint8": "UINT8"}


def added_layers(engine: EngineGraph) -> frozenset[str]:
    """Ids of the layers that convert and run no node of the model: every source of theirs computes elsewhere."""
    working = {node for layer in engine.graph.walk() if layer.kind is not LayerKind.REFORMAT for node in layer.sources}
    return frozenset(
        layer.id
        for layer in engine.graph.walk()
        if layer.kind is LayerKind.REFORMAT and (ADDED in layer.attributes or working.issuperset(layer.sources))
    )


def conversion_words(layer: Layer, tensors: Mapping[str, Tensor]) -> str:
    """`casts FP32 to UINT8`, `changes the layout to nChw16c`; empty for a layer that computes."""
    if layer.kind is not LayerKind.REFORMAT:
        return ""
    read = next((tensors[name] for name in layer.inputs if name in tensors and not tensors[name].constant), None)
    made = next((tensors[name] for name in layer.outputs if name in tensors), None)
    if read is not None and made is not None and read.dtype and made.dtype and read.dtype != made.dtype:
        verb = _verb(read.dtype, made.dtype)
        return f"{verb} {_type(read.dtype)} to {_type(made.dtype)}"
    layout = layer.attributes.get("layout", "") or layer.attributes.get("output format", "")
    if layout:
        return f"changes the layout to {layout}"
    moved = read is not None and made is not None and read.shape != made.shape
    return "moves data into another order" if moved else "copies or changes the layout"


def _verb(read: str, made: str) -> str:
    small = ("int8", "uint8", "int4", "uint4", "float8_e4m3fn")
    if made in small and "float" in read and read not in small:
        return "quantizes"
    return "dequantizes" if read in small and "float" in made and made not in small else "casts"


def _type(dtype: str) -> str:
    return _SHORT.get(dtype, dtype)


def neighbours(graph: Graph, layer: Layer) -> tuple[list[Layer], list[Layer]]:
    """Layers directly before and behind one, in its own graph or body, in execution order."""
    for level in _levels(graph):
        if any(other.id == layer.id for other in level.layers):
            reads, writes = {*layer.inputs}, {*layer.outputs}
            before = [other for other in level.layers if reads.intersection(other.outputs)]
            return before, [other for other in level.layers if writes.intersection(other.inputs)]
    return [], []


def _levels(graph: Graph) -> list[Graph]:
    return [graph, *(level for body in graph.subgraphs.values() for level in _levels(body))]
