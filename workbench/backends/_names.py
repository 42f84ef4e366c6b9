"""Names of layers: those that engines give lead back to nodes, and people get to read those of the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from workbench.core.graph import Fate, FateKind, Layer
from workbench.core.model import Model
from workbench.model import sources_of


def known_sources(tag: str) -> tuple[str, ...]:
    """Node ids in an engine's comma-separated list of node names, each once, in order."""
    return tuple(dict.fromkeys(node for part in tag.split(",") for node in sources_of(part.strip())))


def entitle(model: Model, layers: Iterable[Layer], fates: Mapping[str, Fate]) -> tuple[Layer, ...]:
    """Layers named for people: by the nodes in them, without those that only change a view. Engines' own names
    change from build to build, or are those of the private copy."""
    nodes = {node.id: node for node in model.graph.walk()}
    done = []
    for layer in layers:
        shown = [node for node in layer.sources if fates[node].kind is not FateKind.ABSORBED] or layer.sources
        name = title([nodes[node] for node in shown]) or layer.op
        done.append(msgspec.structs.replace(layer, name=name))
    return tuple(done)


def title(nodes: Sequence[Layer], limit: int = 4) -> str:
    """`conv1 + bn1 + relu1`: the names of nodes, or their ops where they have none."""
    names = [node.name or node.op for node in nodes]
    return " + ".join(names[:limit]) + (f" + {len(names) - limit} more" if len(names) > limit else "")
