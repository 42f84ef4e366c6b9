"""Names of layers: those that engines give lead back to nodes, and people get to read those of the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from workbench.backends._closure import VIEW_OPS
from workbench.core.graph import Layer
from workbench.core.model import Model
from workbench.model import sources_of
from workbench.model.kinds import CONTROL


def known_sources(names: Iterable[str]) -> tuple[str, ...]:
    """Ids of the nodes an engine names for one layer, each once, in order.

    Nodes that a pass added (`n17:quantize_x`) count only where nothing else is named: a quantization of the input of
    n17 that was fused into the layer before it does not make n17 a part of that layer.
    """
    names = [name.strip() for name in names]
    own = [name for name in names if not is_added(name)]
    for group in (own, names):
        found = tuple(dict.fromkeys(node for name in group for node in sources_of(name)))
        if found:
            return found
    return ()


ADDED = "added"
"""Attribute of a layer that only converts for others: what the pass that added it calls it (`quantize_x`)."""


def is_added(name: str) -> bool:
    """True for a node that a pass added: `n17:quantize_x`."""
    return ":" in name.partition("/")[0]


def converts_for_others(names: Iterable[str]) -> str:
    """What a layer made of added nodes alone does, in the words of the pass: it quantizes or casts for others."""
    known = [name.strip() for name in names if sources_of(name.strip())]
    roles = [name.partition("/")[0].partition(":")[2] for name in known]
    return ", ".join(dict.fromkeys(roles)) if all(roles) else ""


def title(nodes: Sequence[Layer]) -> str:
    """`Conv+BatchNormalization+Relu`: the ops of nodes, without those that only change a view beside others."""
    return "+".join(node.op for node in _shown(nodes))


def named_by_nodes(model: Model, layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Layers whose names are those of the nodes in them.

    For engines whose own names change from build to build, or are those of the private copy.
    """
    nodes = {node.id: node for node in model.graph.walk()}
    done = []
    for layer in layers:
        name = node_names([nodes[node] for node in layer.sources]) or layer.op
        if ADDED in layer.attributes:
            name = f"{layer.attributes[ADDED]} for {name}"
        done.append(msgspec.structs.replace(layer, name=name))
    return tuple(done)


def _shown(nodes: Sequence[Layer]) -> Sequence[Layer]:
    """Without nodes that only change a view, and without calls of functions whose nodes stand here themselves."""
    held = {node.id.rpartition(".")[0].rpartition(".")[0] for node in nodes}
    nodes = [node for node in nodes if node.id not in held or node.op in CONTROL]
    return [node for node in nodes if node.op not in VIEW_OPS] or nodes


def node_names(nodes: Sequence[Layer], limit: int = 4) -> str:
    """`conv1 + bn1 + relu1`: the names of nodes, or their ops where they have none; the same nodes as in a title."""
    names = [node.name or node.op for node in _shown(nodes)]
    return " + ".join(names[:limit]) + (f" + {len(names) - limit} more" if len(names) > limit else "")
