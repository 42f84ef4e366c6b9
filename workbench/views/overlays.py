"""What the panes can lay over a graph: pure functions from what is known to values, colours and badges by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from workbench.core.graph import FateKind, Graph, Layer, LayerKind
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.core.theme import Theme
from workbench.session.selection import Links

SOURCE_OVERLAYS = {
    "fate": "What became of each node",
    "precision": "What the plan asks of each node",
    "time share": "Time of the layer a node went into, in equal parts on its nodes: not a measurement of the node",
}
ENGINE_OVERLAYS = {
    "precision": "The precision each layer really ran in",
    "time": "Mean time of each layer",
    "memory": "Bytes each layer writes",
}


class Overlay(msgspec.Struct, frozen=True):
    """`values` heat the boxes in `unit`; `colors` mark their side; `badges` stand beside them; `dimmed` step back."""

    values: dict[str, float] | None = None
    unit: str = ""
    colors: dict[str, str] = {}
    badges: dict[str, str] = {}
    dimmed: frozenset[str] | None = None


def fate_colors(theme: Theme) -> dict[FateKind, str]:
    return {
        FateKind.FUSED: theme.accent,
        FateKind.ALONE: theme.good,
        FateKind.SPLIT: theme.series[1],
        FateKind.FOLDED: theme.faint,
        FateKind.ABSORBED: theme.faint,
        FateKind.REMOVED: theme.faint,
        FateKind.UNKNOWN: theme.bad,
    }


def source_overlay(
    kind: str, links: Links, asked: Mapping[str, Precision], layer_ms: Mapping[str, float], theme: Theme
) -> Overlay:
    """For the source pane."""
    if kind == "fate":
        return _fates(links, theme)
    if kind == "time share":
        return Overlay(values=node_times(links, layer_ms), unit="ms", colors=_asked(asked, theme))
    return Overlay(colors=_asked(asked, theme))


def engine_overlay(kind: str, engine: EngineGraph | None, layer_ms: Mapping[str, float], theme: Theme) -> Overlay:
    """For the engine pane."""
    if engine is None:
        return Overlay()
    layers = list(engine.graph.walk())
    colors = {layer.id: theme.precision[layer.precision] for layer in layers if layer.precision is not None}
    badges = {layer.id: _badge(layer) for layer in layers}
    badges = {layer_id: text for layer_id, text in badges.items() if text}
    if kind == "time":
        return Overlay(values=dict(layer_ms), unit="ms", colors=colors, badges=badges)
    if kind == "memory":
        return Overlay(values=written_bytes(engine.graph), unit="B", colors=colors, badges=badges)
    return Overlay(colors=colors, badges=badges)


def node_times(links: Links, layer_ms: Mapping[str, float]) -> dict[str, float]:
    """A layer's time in equal parts on the nodes fused into it; a node's parts added up."""
    times: dict[str, float] = defaultdict(float)
    for layer_id, ms in layer_ms.items():
        nodes = links.nodes_of([layer_id])
        for node in nodes:
            times[node] += ms / len(nodes)
    return dict(times)


def written_bytes(graph: Graph) -> dict[str, float]:
    """Bytes of the outputs of each layer, where their shapes are known."""
    return {
        layer.id: float(sum(graph.tensors[name].size_bytes for name in layer.outputs if name in graph.tensors))
        for layer in graph.layers
        if layer.kind is not LayerKind.CONSTANT
    }


def _badge(layer: Layer) -> str:
    if len(layer.sources) > 1:
        return f"{len(layer.sources)} nodes → 1"
    return "added" if not layer.sources and layer.kind is LayerKind.REFORMAT else ""


def _asked(asked: Mapping[str, Precision], theme: Theme) -> dict[str, str]:
    return {node: theme.precision[precision] for node, precision in asked.items()}


def _fates(links: Links, theme: Theme) -> Overlay:
    colors: dict[str, str] = {}
    badges: dict[str, str] = {}
    words = {
        FateKind.FOLDED: "folded",
        FateKind.ABSORBED: "no kernel",
        FateKind.REMOVED: "removed",
        FateKind.UNKNOWN: "unknown",
    }
    table = fate_colors(theme)
    for node, fate in links.fates.items():
        colors[node] = table[fate.kind]
        if fate.kind in words:
            badges[node] = words[fate.kind]
        elif fate.kind is FateKind.SPLIT:
            badges[node] = f"→ {len(fate.layers)} layers"
    return Overlay(colors=colors, badges=badges)
