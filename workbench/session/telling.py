"""What became of a node, and where a layer comes from: an answer for each of them, in a badge or in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.alignment import AlignedGroup, Change
from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind
from workbench.core.ledger import Ledger
from workbench.core.words import plural
from workbench.pipeline.conversions import conversion_words, neighbours
from workbench.pipeline.ledger import fusion_ledger
from workbench.session.selection import Links, Selection, Side
from workbench.session.words import node_label

if TYPE_CHECKING:
    from workbench.session.session import Session

INFERRED = "~"
BADGE_MOST = 30  # characters
ADDED_BADGE = "added"
REFUSED_BADGE = "refused"
FATE_SORTS = {
    FateKind.FUSED: "fused",
    FateKind.SPLIT: "split",
    FateKind.ALONE: "alone",
    FateKind.FOLDED: "folded",
    FateKind.ABSORBED: "absorbed",
    FateKind.REMOVED: "removed",
    FateKind.UNKNOWN: "unknown",
}
_ADDED = {
    LayerKind.REFORMAT: "The compiler added this layer",
    LayerKind.CONSTANT: "This layer gives a constant that the compiler made",
    LayerKind.SHAPE: "This layer computes shapes for the others",
    LayerKind.CONTROL: "This layer steers which layers run next",
    LayerKind.SYNC: "This layer waits until others are done",
    LayerKind.COMPUTE: "The engine does not say which nodes this layer runs",
}


def fate_badge(fate: Fate, links: Links) -> str:
    """`→ Conv+Relu`, `alone`, `split → 3`, `folded`, `absorbed`, `removed`; a `~` in front of what is inferred."""
    match fate.kind:
        case FateKind.FUSED:
            into = _working(fate, links)
            text = f"→ {_short(into[0].heading)}" if into else "fused"
        case FateKind.SPLIT:
            text = f"split → {len(_working(fate, links))}"
        case _:
            text = FATE_SORTS[fate.kind]
    return text if fate.exact else INFERRED + text


def _working(fate: Fate, links: Links) -> list[Layer]:
    """The layers a node went to, without those that only convert for it where there are others."""
    layers = [links.layers[key] for key in fate.layers if key in links.layers]
    return [layer for layer in layers if layer.id not in links.added] or layers


def layer_badge(layer: Layer, links: Links) -> str:
    """`6 nodes → 1`; `added` where the compiler put the layer between others."""
    if layer.id in links.added:
        return ADDED_BADGE
    if len(layer.sources) > 1:
        return f"{'' if layer.sources_exact else INFERRED}{len(layer.sources)} nodes → 1"
    return ""


def difference_badge(group: AlignedGroup) -> str:
    """Of a layer where two engines stand side by side: `1 → 2 layers`, `only in B`, `FP32 → INT8`, `other kernel`."""
    if group.change in (Change.ONLY_A, Change.ONLY_B):
        return group.change.value
    if group.change is not Change.SAME:
        return f"{len(group.a) - group.converting[0]} → {len(group.b) - group.converting[1]} layers"
    if group.is_precision_changed:
        sides = (group.precisions_a, group.precisions_b)
        return " → ".join("/".join(precision.label for precision in side) or "no floats" for side in sides)
    return "other kernel" if group.is_tactic_changed else ""


def node_answer(node: Layer, links: Links) -> str:
    """What became of a source node, and why, in a sentence."""
    fate = links.fates.get(node.id)
    if fate is None:
        return "There is no engine yet that could say what becomes of it."
    told = _became(node, fate, links)
    return told if fate.exact else f"{told} Inferred: the engine does not name it."


def _became(node: Layer, fate: Fate, links: Links) -> str:
    layers = _working(fate, links)
    names = _listed([layer.heading for layer in layers])
    match fate.kind:
        case FateKind.FUSED if layers:
            others = len(links.nodes_of([layer.id for layer in layers]) - {node.id})
            return f"Fused into {names}, with {plural(others, 'other node')}."
        case FateKind.ALONE if layers:
            return f"A layer of its own: {names}."
        case FateKind.SPLIT:
            return f"Its work is done by {len(layers)} layers: {names}."
        case FateKind.FOLDED:
            return "Computed once, at build time: nothing it depends on changes from one inference to the next."
        case FateKind.ABSORBED if layers:
            return f"No kernel of its own: it only changes how {names} reads or writes its data."
        case FateKind.ABSORBED:
            return "No kernel of its own: it only renames or reshapes what passes through."
        case FateKind.REMOVED:
            body = "it stands in a branch that is never taken" if "." in node.id else "no output of the model needs it"
            return f"Removed: {body}."
    return "The engine does not say what became of it, and no layer is near."


def layer_answer(layer: Layer, links: Links, graph: Graph) -> str:
    """Which nodes a layer runs; where it runs none, what it is for and which layers it stands between."""
    nodes = [links.nodes[key] for key in layer.sources if key in links.nodes]
    if nodes and layer.id not in links.added:
        exact = "" if layer.sources_exact else "; some inferred, not named by the engine"
        return f"Runs {_listed([node.name or f'{node.op} {node.id}' for node in nodes])}{exact}."
    does = conversion_words(layer, graph.tensors)
    served = f", for {_listed([node_label(node) for node in nodes])}" if nodes else ""
    return f"{_ADDED[layer.kind]}{f': it {does}' if does else ''}{served}{_between(layer, graph)}."


def _between(layer: Layer, graph: Graph) -> str:
    """`, between Conv+Relu and MatMul`; the ends of the model count as neighbours."""
    before, behind = neighbours(graph, layer)
    above = _listed([other.heading for other in before]) or _named(layer.inputs, graph.inputs, "the input")
    below = _listed([other.heading for other in behind]) or _named(layer.outputs, graph.outputs, "the output")
    if above and below:
        return f", between {above} and {below}"
    return f", behind {above}" if above else f", before {below}" if below else ""


def _named(tensors: tuple[str, ...], ends: tuple[str, ...], what: str) -> str:
    known = [name for name in tensors if name in ends]
    return f"{what} {_listed(known)}" if known else ""


def _listed(names: list[str]) -> str:
    """`a, b, c and 4 more`, doubles once."""
    names = [_short(name) for name in dict.fromkeys(names)]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _short(text: str) -> str:
    return text if len(text) <= BADGE_MOST else f"{text[: BADGE_MOST - 11]}…{text[-10:]}"


def selection_answer(session: Session) -> tuple[str, str]:
    """What is selected, and what became of it in a sentence; empty where nothing is selected."""
    selection, pair = session.selection, session.pair
    if not selection:
        return "", ""
    links, engine = (pair.links, pair.engine) if selection.chosen is Side.FIRST else (session.links, session.engine)
    chosen = {Side.SOURCE: selection.nodes, Side.FIRST: selection.first, Side.ENGINE: selection.layers}
    ids = chosen[selection.chosen]
    if len(ids) > 1 or not ids:
        return _several(selection, is_pair=pair.is_on), ""
    (key,) = ids
    if selection.chosen is Side.SOURCE:
        node = links.nodes[key]
        return _short(node_label(node)), node_answer(node, links)
    layer = links.layers[key]
    return _short(layer.heading), layer_answer(layer, links, engine.graph if engine is not None else Graph(""))


def _several(selection: Selection, *, is_pair: bool) -> str:
    if is_pair:
        return f"{plural(len(selection.first), 'layer')} of A, {plural(len(selection.layers), 'layer')} of B"
    return f"{plural(len(selection.nodes), 'node')}, {plural(len(selection.layers), 'layer')}"


def ledger_of(session: Session) -> Ledger | None:
    """The fusion ledger of the current engine; None where there is none."""
    if session.model is None or session.engine is None or session.current is None:
        return None
    return fusion_ledger(session.model.graph, session.engine, session.runs.layer_ms(session.current.id))
