"""Types that an engine replaces without being asked, found among the tensors of a graph."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.graph import Graph, Layer
from workbench.core.verdict import Silent

ROUNDED = "values keep 7 digits of 16"
WRAPPED = "values beyond ±2,147,483,647 wrap around"


def silent_changes(graph: Graph, becomes: Mapping[str, tuple[str, str]]) -> tuple[Silent, ...]:
    """`becomes`: type -> the type it turns into, and what that does to values. Bodies count too; constants do not."""
    found = []
    for was, (into, text) in becomes.items():
        names = {name for level in _levels(graph) for name, tensor in level.tensors.items() if tensor.dtype == was}
        made = [layer for layer in graph.walk() if names.intersection(layer.outputs) and not _is_constant(layer)]
        inputs = names.intersection(graph.inputs)
        count = len(inputs) + len({name for layer in made for name in layer.outputs if name in names})
        if count:
            found.append(Silent(was, into, count, tuple(layer.id for layer in made), text))
    return tuple(found)


def _is_constant(layer: Layer) -> bool:
    return layer.op in ("Constant", "ConstantOfShape")


def _levels(graph: Graph) -> list[Graph]:
    return [graph, *(level for body in graph.subgraphs.values() for level in _levels(body))]
