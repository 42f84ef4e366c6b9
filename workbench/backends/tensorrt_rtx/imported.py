"""An engine that TensorRT built elsewhere, from what it says of itself: the same mapper as after a build of our own."""

from __future__ import annotations

import msgspec

from workbench.backends._foreign import NO_MODEL, Names, with_edges
from workbench.backends.tensorrt_rtx.graph import engine_graph
from workbench.backends.tensorrt_rtx.inspector import COPY
from workbench.backends.tensorrt_rtx.layers import Block, EngineLayer, first_profile
from workbench.core.graph import Fate, Graph
from workbench.core.model import Model, TypedModel


def imported_engine(block: Block, model: Model | None) -> tuple[Graph, dict[str, Fate]]:
    """The graph, and the fate of every node of `model`; without a model no layer has sources."""
    names = Names(model or NO_MODEL)
    shown = first_profile(block)
    lines = tuple(msgspec.structs.replace(line, nodes=_nodes(line, names)) for line in shown.layers)
    typed = TypedModel(model or NO_MODEL, "", {})
    graph, fates = engine_graph(msgspec.structs.replace(shown, layers=lines), typed)
    return msgspec.structs.replace(graph, layers=with_edges(typed.model, graph.layers)), fates


def _nodes(line: EngineLayer, names: Names) -> tuple[str, ...]:
    """Ids of what the layer runs; of what it copies a tensor for, as the mapper has it of nodes that a pass added."""
    found = names.find_all(line.nodes)
    if line.name.startswith("{ForeignNode["):
        found = found or tuple(filter(None, (names.maker(name) for name in line.nodes)))
    if line.name.startswith(COPY):
        return tuple(name if ":" in name else f"{name}:reformat" for name in found)
    return found
