"""What the panes can lay over a graph: a table of overlays, each a function from what is known to values by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.costs import Cost
from workbench.core.graph import FateKind, Graph, LayerKind
from workbench.core.layer_errors import LayerErrors
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.core.theme import Theme
from workbench.core.verdict import Verdict
from workbench.session.selection import Links
from workbench.views.canvas.heat import Group, Heat, Kinds, Scale
from workbench.views.verdict_overlay import verdict_kinds

NO_TIMES = "No layer times yet: build the model first"
NO_ENGINE = "No engine yet: build the model first"
NO_ERRORS = "This run has no error per node: check its layers first"
NO_CULPRITS = "Not searched yet: find the culprits of the plan first (Ctrl+Shift+F)"
NO_COSTS = "No model is open"
NO_VERDICT = "No backend was asked yet"
NO_PAIR = "Needs two engines side by side that were both timed (Ctrl+T)"
FATE_WORDS = {
    FateKind.FUSED: "fused",
    FateKind.ALONE: "alone",
    FateKind.SPLIT: "split",
    FateKind.FOLDED: "folded",
    FateKind.ABSORBED: "absorbed",
    FateKind.REMOVED: "removed",
    FateKind.UNKNOWN: "unknown",
}
SENSITIVITY = "Sensitivity, SQNR alone"
HARMLESS_DB = 60.0  # an error so small is seen nowhere: the quiet end of the scale


class Facts(msgspec.Struct, frozen=True):
    """All that overlays are made of. `layer_ms` is by engine layer, everything else by source node.

    `shares` splits times of layers on nodes (see `TimeShares`). `difference_ms` is, of two engines, what B takes more.
    `verdict` is that of the chosen backend.
    """

    links: Links
    theme: Theme
    engine: EngineGraph | None = None
    asked: Mapping[str, Precision] = {}
    layer_ms: Mapping[str, float] = {}
    shares: TimeShares | None = None
    costs: Mapping[str, Cost] = {}
    costs_problem: str = ""  # why they cannot be counted
    errors: LayerErrors | None = None
    difference_ms: Mapping[str, float] = {}
    sensitivity: Mapping[str, float] = {}
    verdict: Verdict | None = None


Make = Callable[[Facts], Heat | Kinds | None]


class OverlayKind(msgspec.Struct, frozen=True):
    """One overlay. `source` and `engine` make it for a pane; None: that pane does not have it.

    `reason` is what is missing where there are no values.
    """

    id: str
    title: str
    summary: str
    reason: str
    source: Make | None = None
    engine: Make | None = None

    @property
    def is_live(self) -> bool:
        """Its values change while a run is at work."""
        return self.reason in (NO_TIMES, NO_ERRORS)

    @property
    def needs_costs(self) -> bool:
        """Costs are counted only where somebody wants to see them."""
        return self.reason == NO_COSTS

    @property
    def needs_verdict(self) -> bool:
        """Backends are asked only where somebody wants to see what they say."""
        return self.reason == NO_VERDICT


class TimeShares:
    """Splits the time of each layer in equal parts on the nodes fused into it. Made once for an engine."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self._layers = list(links.layers)
        self._names = np.asarray(list(links.nodes), dtype=object)
        place = {node: i for i, node in enumerate(links.nodes)}
        pairs = [(i, place[n]) for i, layer in enumerate(self._layers) for n in links.nodes_of([layer])]
        table = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        self._layer, self._node = table[:, 0], table[:, 1]
        count = np.bincount(self._layer, minlength=len(self._layers))
        self._part: NDArray[np.float64] = 1.0 / count[self._layer]

    def node_ms(self, layer_ms: Mapping[str, float]) -> dict[str, float]:
        """A node's parts added up; only nodes of layers that have a time."""
        times = np.fromiter(map(layer_ms.get, self._layers, repeat(np.nan)), np.float64, len(self._layers))
        parts = times[self._layer] * self._part
        known = ~np.isnan(parts)
        total = np.bincount(self._node[known], parts[known], len(self._names))
        timed = np.unique(self._node[known])
        return dict(zip(self._names[timed].tolist(), total[timed].tolist(), strict=True))


# times


def _node_time(facts: Facts, *, share_leads: bool) -> Heat | None:
    if facts.shares is None or not facts.layer_ms:
        return None
    return _time(facts.shares.node_ms(facts.layer_ms), share_leads, "in no layer that was timed")


def _layer_time(facts: Facts, *, share_leads: bool) -> Heat | None:
    return _time(facts.layer_ms, share_leads, "not timed") if facts.layer_ms else None


def _time(values: Mapping[str, float], share_leads: bool, missing: str) -> Heat:
    title = "Share of time" if share_leads else "Time"
    return Heat(values, "ms", title, total=sum(values.values()), share_leads=share_leads, missing=missing)


def _difference(facts: Facts) -> Heat | None:
    """Which end of the scale is which is said by its ticks: below zero B is faster."""
    if not facts.difference_ms:
        return None
    return Heat(facts.difference_ms, "ms", "Time, B − A", Scale.DIVERGING, missing="not timed")


# errors


def sqnr_db(errors: LayerErrors | None, kind: str) -> dict[str, float]:
    """By source node, less is worse: `introduced`, `inherited` or `total`; of several outputs the worst."""
    found: dict[str, float] = {}
    for tensor, figures in errors.known() if errors is not None else ():
        value = float(getattr(figures, kind).sqnr_db)
        for node in tensor.nodes:
            found[node] = min(found.get(node, value), value)
    return found


def _error(values: Mapping[str, float], title: str) -> Heat | None:
    if not values:
        return None
    low, high = max(min(values.values()), 0.0), min(max(values.values()), HARMLESS_DB)
    return Heat(values, "dB", title, Scale.LINEAR, low, high, True, Group.WORST, missing="not checked")


def _node_error(facts: Facts, kind: str) -> Heat | None:
    return _error(sqnr_db(facts.errors, kind), f"Error {kind}, SQNR")


def _layer_error(facts: Facts, kind: str) -> Heat | None:
    """The worst of the nodes that went into each layer."""
    return _error(_worst(facts, sqnr_db(facts.errors, kind)), f"Error {kind}, SQNR")


def _worst(facts: Facts, values: Mapping[str, float]) -> dict[str, float]:
    """By layer, of the nodes that went into it."""
    layers: dict[str, float] = {}
    for layer in facts.links.layers:
        known = [values[node] for node in facts.links.nodes_of([layer]) if node in values]
        if known:
            layers[layer] = min(known)
    return layers


# costs


def _node_cost(facts: Facts, part: Callable[[Cost], int | None], unit: str, title: str) -> Heat | None:
    return _cost({node: part(cost) for node, cost in facts.costs.items()}, unit, title)


def _layer_cost(facts: Facts, part: Callable[[Cost], int | None], unit: str, title: str) -> Heat | None:
    """The sum over the nodes that went into a layer; a node in several layers counts in equal parts."""
    layers: dict[str, float | None] = {}
    for layer in facts.links.layers:
        sums = [_part_of(facts, node, part) for node in facts.links.nodes_of([layer])]
        known = [value for value in sums if value is not None]
        layers[layer] = sum(known) if known else None
    return _cost(layers, unit, title)


def _part_of(facts: Facts, node: str, part: Callable[[Cost], int | None]) -> float | None:
    value = part(facts.costs[node]) if node in facts.costs else None
    return None if value is None else value / len(facts.links.layers_of([node]))


def _cost(found: Mapping[str, float | None], unit: str, title: str) -> Heat | None:
    values = {key: float(value) for key, value in found.items() if value is not None}
    return Heat(values, unit, title, Scale.LOG, total=sum(values.values()), missing="not known") if values else None


def written_bytes(graph: Graph) -> dict[str, float]:
    """Bytes of the outputs of each layer, where their shapes are known."""
    return {
        layer.id: float(sum(graph.tensors[name].size_bytes for name in layer.outputs if name in graph.tensors))
        for layer in graph.layers
        if layer.kind is not LayerKind.CONSTANT
    }


def _layer_memory(facts: Facts) -> Heat | None:
    return _cost(written_bytes(facts.engine.graph), "B", "Bytes written") if facts.engine is not None else None


# kinds


def _asked(facts: Facts) -> Kinds | None:
    return _precisions(facts.asked, "Precision asked", facts.theme)


def _ran(facts: Facts) -> Kinds | None:
    found = {layer.id: layer.precision for layer in facts.links.layers.values() if layer.precision is not None}
    return _precisions(found, "Precision", facts.theme)


def _precisions(found: Mapping[str, Precision], title: str, theme: Theme) -> Kinds | None:
    present = set(found.values())
    colors = {precision.label: theme.precision[precision] for precision in Precision if precision in present}
    values = {key: precision.label for key, precision in found.items()}
    return Kinds(values, colors, title, "without one") if values else None


def fate_colors(theme: Theme) -> dict[FateKind, str]:
    """Three greys for nodes that no kernel computes, a colour of the safe series for all others."""
    blue, orange, teal, pink, *_ = theme.series
    return {
        FateKind.FUSED: blue,
        FateKind.ALONE: teal,
        FateKind.SPLIT: orange,
        FateKind.FOLDED: theme.faint,
        FateKind.ABSORBED: theme.soft,
        FateKind.REMOVED: theme.line,
        FateKind.UNKNOWN: pink,
    }


def _fates(facts: Facts) -> Kinds | None:
    colors = {FATE_WORDS[kind]: color for kind, color in fate_colors(facts.theme).items()}
    values = {node: FATE_WORDS[fate.kind] for node, fate in facts.links.fates.items()}
    return Kinds(values, colors, "Fate", "without one") if values else None


OVERLAYS = (
    OverlayKind(
        "time",
        "time",
        "Mean time of each layer; of a node its equal part of the layer it went into: not a measurement of the node",
        NO_TIMES,
        lambda facts: _node_time(facts, share_leads=False),
        lambda facts: _layer_time(facts, share_leads=False),
    ),
    OverlayKind("fate", "fate", "What became of each node", NO_ENGINE, _fates),
    OverlayKind(
        "precision",
        "precision",
        "What the plan asks of each node; what each layer really ran in",
        "Nothing is known of precisions here",
        _asked,
        _ran,
    ),
    OverlayKind(
        "introduced",
        "error",
        "Error that a node itself introduces: SQNR of its output when its inputs are FP32",
        NO_ERRORS,
        lambda facts: _node_error(facts, "introduced"),
        lambda facts: _layer_error(facts, "introduced"),
    ),
    OverlayKind(
        "memory",
        "memory",
        "Bytes that each layer writes, with the shapes chosen",
        NO_COSTS,
        lambda facts: _node_cost(facts, lambda cost: cost.bytes_written, "B", "Bytes written"),
        _layer_memory,
    ),
    OverlayKind(
        "verdict",
        "verdict",
        "What the chosen backend takes before anything is built: refused nodes, and types that it changes silently",
        NO_VERDICT,
        lambda facts: verdict_kinds(facts.verdict, facts.links.nodes, facts.theme),
    ),
    OverlayKind(
        "sensitivity",
        "sensitivity",
        "What each layer costs by itself: SQNR of the model's outputs with only it in its low precision",
        NO_CULPRITS,
        lambda facts: _error(facts.sensitivity, SENSITIVITY),
        lambda facts: _error(_worst(facts, facts.sensitivity), SENSITIVITY),
    ),
    OverlayKind(
        "share",
        "share of time",
        "Time as a share of the sum over all layers",
        NO_TIMES,
        lambda facts: _node_time(facts, share_leads=True),
        lambda facts: _layer_time(facts, share_leads=True),
    ),
    OverlayKind(
        "inherited",
        "error inherited",
        "Error that arrives with a node's inputs: SQNR of its output in the quantized graph",
        NO_ERRORS,
        lambda facts: _node_error(facts, "inherited"),
        lambda facts: _layer_error(facts, "inherited"),
    ),
    OverlayKind(
        "flops",
        "FLOPs",
        "Arithmetic of each node by its shapes, a multiply-add as two; of a layer the sum over its nodes",
        NO_COSTS,
        lambda facts: _node_cost(facts, lambda cost: cost.flops, "FLOP", "FLOPs"),
        lambda facts: _layer_cost(facts, lambda cost: cost.flops, "FLOP", "FLOPs"),
    ),
    OverlayKind(
        "parameters",
        "parameters",
        "Elements of the weights that each node reads; of a layer the sum over its nodes",
        NO_COSTS,
        lambda facts: _node_cost(facts, lambda cost: cost.parameters or None, "", "Parameters"),
        lambda facts: _layer_cost(facts, lambda cost: cost.parameters or None, "", "Parameters"),
    ),
    OverlayKind(
        "difference",
        "difference",
        "Of two engines, the time of B minus that of A, in equal parts on the layers that do the same work",
        NO_PAIR,
        engine=_difference,
    ),
)
SOURCE_OVERLAYS = {kind.id: kind for kind in OVERLAYS if kind.source is not None}
ENGINE_OVERLAYS = {kind.id: kind for kind in OVERLAYS if kind.engine is not None}


# stripes


def asked_stripes(facts: Facts) -> dict[str, str]:
    """The colour of what the plan asks, by node."""
    return {node: facts.theme.precision[precision] for node, precision in facts.asked.items()}


def ran_stripes(facts: Facts) -> dict[str, str]:
    """The colour of what each layer ran in."""
    layers = facts.links.layers.values()
    return {layer.id: facts.theme.precision[layer.precision] for layer in layers if layer.precision is not None}


def reasons(kinds: Iterable[OverlayKind], facts: Facts, *, is_engine: bool) -> dict[str, str]:
    """Why an overlay has nothing to show; empty where it has. Cheap: nothing is computed for it."""
    missing = {
        NO_TIMES: "" if facts.layer_ms else NO_TIMES,
        NO_ENGINE: "" if facts.links.fates else NO_ENGINE,
        NO_ERRORS: _why_no_errors(facts.errors),
        NO_CULPRITS: "" if facts.sensitivity else NO_CULPRITS,
        NO_COSTS: facts.costs_problem,
        NO_PAIR: "" if facts.difference_ms else NO_PAIR,
    }
    found = {kind.id: missing.get(kind.reason, "") for kind in kinds}
    if is_engine and facts.engine is not None:
        found["memory"] = ""  # the engine's own shapes
    return found


def _why_no_errors(errors: LayerErrors | None) -> str:
    if errors is None:
        return NO_ERRORS
    has_some = next(errors.known(), None) is not None
    return "" if has_some else errors.reason or "The layers are being checked"
