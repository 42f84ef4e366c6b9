"""Layers that change only the type or the layout of data for the layers around them.

Casts at the ends of a graph written in halves go where its inputs and outputs may be halves too. Casts inside stand
around what the plan keeps in another float type. Layouts are the engine's own choice: it found the layers faster so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import Layer, LayerKind
from workbench.core.titles import ONNXRUNTIME, OPENVINO
from workbench.core.words import plural
from workbench.pipeline.advice.base import HALVES, Level, Seen
from workbench.pipeline.conversions import added_layers, conversion_words

LOOKS = "casts and reformats between layers"
_FORMULA = "the time of these layers; in bytes, what they read and write once"
_ENDS = "inputs and outputs in two bytes instead of four; as a share of the layers' traffic, of their time"
_HALF_TYPES = ("float16", "bfloat16")


def look(seen: Seen) -> Iterator[Advice]:
    added = added_layers(seen.engine)
    said = [(layer, _words(level, layer)) for level in seen.engine_levels for layer in level.graph.layers]
    casts = [layer for layer, words in said if words.startswith("casts") and _is_float(seen, layer)]
    moves = [layer for layer, words in said if layer.id in added and _moves(layer, words)]
    ends = _ends(seen)
    if ends:
        yield _about_ends(seen, ends)
    edges = {*seen.engine.graph.inputs, *seen.engine.graph.outputs}
    inner = [layer for layer in casts if edges.isdisjoint((*layer.inputs, *layer.outputs))]
    if inner and seen.config.plan.default in HALVES:
        text, edit, why = _about_inner(seen, inner)
        yield _advice(seen, inner, f"{plural(len(inner), 'cast')} inside", text, edit, why)
    if moves:
        why = "The engine chose these layouts for the layers around them; no choice of the plan changes that."
        if seen.maker == ONNXRUNTIME:
            why += " Tune options also tries it without them (graph_level)."
        yield _advice(seen, moves, f"{plural(len(moves), 'reformat layer')}", "They only move data.", None, why)


def _ends(seen: Seen) -> dict[str, int]:
    """Layers that read a float32 input or write a float32 output and are in halves on their other side -> its bytes.

    OpenVINO has halves as a hint only: its inputs and outputs are those of the file.
    """
    level, found = seen.engine_levels[0], dict[str, int]()
    if not seen.config.plan.keep_io or seen.maker == OPENVINO:
        return {}
    ends = {*level.graph.inputs, *level.graph.outputs}
    for layer in level.graph.layers:
        touched = [level.graph.tensors[n] for n in (*layer.inputs, *layer.outputs) if n in level.graph.tensors]
        wide = [tensor for tensor in touched if tensor.name in ends and tensor.dtype == "float32"]
        if wide and any(tensor.dtype in _HALF_TYPES and not tensor.constant for tensor in touched):
            found[layer.id] = sum(tensor.size_bytes for tensor in wide)
    return found


def _about_ends(seen: Seen, ends: dict[str, int]) -> Advice:
    saved = sum(ends.values()) // 2
    return Advice(
        "conversions",
        f"{plural(len(ends), 'cast')} at inputs and outputs",
        "The plan keeps their types, so floats are cast to halves and back at every inference.",
        seen.by_cost(ends),
        seen.sources(ends),
        seen.time(ends),
        seen.gain_ms(list(ends), saved),
        saved,
        _ENDS,
        Edit("Let inputs and outputs be halves", keep_io=False),
    )


def _advice(seen: Seen, found: Sequence[Layer], title: str, text: str, edit: Edit | None, why: str) -> Advice:
    layers = [layer.id for layer in found]
    time, moved = seen.time(layers), sum(seen.moved(key) for key in layers)
    nodes = seen.sources(layers)
    return Advice("conversions", title, text, seen.by_cost(layers), nodes, time, time, moved, _FORMULA, edit, why)


def _about_inner(seen: Seen, casts: Sequence[Layer]) -> tuple[str, Edit | None, str]:
    """Nodes that rules of the plan keep out of its default; what that would cost in accuracy is not known."""
    default = seen.config.plan.default
    tensors = {name for layer in casts for name in (*layer.inputs, *layer.outputs)}
    near = (layer for layer in seen.layers.values() if tensors & {*layer.inputs, *layer.outputs} and layer not in casts)
    kept = tuple(dict.fromkeys(n for one in near for n in one.sources if seen.asked.get(n, default) is not default))
    text = f"They stand around layers in another type than {default.label}."
    if kept:
        return text, Edit(f"{default.label} for {plural(len(kept), 'node')} between casts", kept, default), ""
    return text, None, "The plan asks no other type there: it is the engine's choice, or what FP16 could not hold."


def _words(level: Level, layer: Layer) -> str:
    return conversion_words(layer, level.graph.tensors)


def _moves(layer: Layer, words: str) -> bool:
    """Neither a cast nor a step of Q/DQ, which `unfused_qdq` looks at."""
    is_qdq = layer.op in ("QuantizeLinear", "DequantizeLinear")
    return bool(words) and not is_qdq and not words.startswith(("casts", "quantizes", "dequantizes"))


def _is_float(seen: Seen, layer: Layer) -> bool:
    types = {seen.tensors[name].dtype for name in (*layer.inputs, *layer.outputs) if name in seen.tensors}
    return layer.kind is LayerKind.REFORMAT and bool(types & {*_HALF_TYPES})
