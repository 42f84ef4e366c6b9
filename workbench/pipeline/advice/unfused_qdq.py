"""Quantize and dequantize steps that became layers of their own, instead of parts of the kernels around them.

The one at an input of the model is left out: floats come in. What stands between two of them computes in float. Where
the plan itself keeps that in float, quantizing it too removes both; else the engine or the dialect has no 8-bit form.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import Layer, LayerKind
from workbench.core.precision import Precision
from workbench.core.words import plural
from workbench.pipeline.advice.base import EIGHT_BITS, Level, Seen
from workbench.pipeline.conversions import conversion_words

LOOKS = "quantize and dequantize steps that are layers of their own"
_PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_FORMULA = "the time of these layers; in bytes, what they read and write once"


def look(seen: Seen) -> Iterator[Advice]:
    found = [layer for level in seen.engine_levels for layer in level.graph.layers if _is_own(level, layer)]
    layers = [layer.id for layer in found]
    if not layers:
        return
    edit, why = _action(seen, found)
    yield Advice(
        "unfused_qdq",
        f"{plural(len(found), 'quantize or dequantize layer')}",
        "They only change between floats and 8 bits, for kernels that could not take the step in.",
        seen.by_cost(layers),
        seen.sources(layers),
        seen.time(layers),
        seen.time(layers),
        sum(seen.moved(key) for key in layers),
        _FORMULA,
        edit,
        why,
    )


def _is_own(level: Level, layer: Layer) -> bool:
    at_input = any(name in level.graph.inputs for name in layer.inputs)
    is_named = layer.op in ("QuantizeLinear", "DequantizeLinear")
    says = conversion_words(layer, level.graph.tensors).startswith(("quantizes", "dequantizes"))
    return (is_named or says) and not at_input and layer.kind in (LayerKind.REFORMAT, LayerKind.COMPUTE)


def _action(seen: Seen, found: list[Layer]) -> tuple[Edit | None, str]:
    """Products beside these layers that the plan keeps in float, though it asks 8 bits of others."""
    eight = {precision for precision in seen.asked.values() if precision in EIGHT_BITS}
    if not eight:
        return None, "The pairs stand in the file: start from the float model, and let the plan quantize it."
    kept = [node for node in _beside(seen, found) if seen.nodes[node].op in _PRODUCTS and _is_kept(seen, node)]
    if len(eight) == 1 and kept:
        precision = next(iter(eight))
        return Edit(f"{precision.label} for {plural(len(kept), 'product')} between them", tuple(kept), precision), ""
    return None, "The engine could not take them into a kernel, and the plan keeps no product beside them in float."


def _is_kept(seen: Seen, node: str) -> bool:
    return seen.asked.get(node, Precision.FP32) not in EIGHT_BITS


def _beside(seen: Seen, found: list[Layer]) -> list[str]:
    """Nodes of the layers that read what these write, or write what they read."""
    reads = {name for layer in found for name in layer.inputs}
    writes = {name for layer in found for name in layer.outputs}
    near = (one for one in seen.layers.values() if reads & {*one.outputs} or writes & {*one.inputs})
    return [node for layer in near for node in layer.sources if node in seen.nodes]
