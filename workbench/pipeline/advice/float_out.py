"""Layers that read 8 bits and write floats which are quantized again at once: most of the memory saved is lost.

TensorRT for RTX 1.7 does so by design: its INT8 convolutions write Float, and a generated kernel rounds the result (108
layers instead of 58 on a ResNet-50), whatever float type is asked around them. Between two such layers a value is
written in 4 bytes, read in 4, written in 1 and read in 1; in FP16 it is written and read in 2 each. Seen in builds: the
OCR sample moves 92 MB an inference in INT8 and 34 MB in FP16, the fashion sample 0.63 MB and 0.54 MB.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import Layer, LayerKind
from workbench.core.precision import Precision
from workbench.core.titles import TENSORRT
from workbench.core.words import plural
from workbench.pipeline.advice.base import EIGHT_BITS, Level, Seen

LOOKS = "layers that read 8 bits and write floats which are rounded to 8 bits again"
_NARROW = ("int8", "uint8", "float8_e4m3fn")
_INSTEAD = "4 bytes an element instead of 10 between these layers, weights 2 instead of 1; as a share of their traffic"
_ROUNDED = "such tensors written and read in one byte instead of four; as a share of the layers' traffic, of their time"


def look(seen: Seen) -> Iterator[Advice]:
    found = [(level, layer) for level in seen.engine_levels for layer in level.graph.layers if _is_one(level, layer)]
    if not found:
        return
    layers = [key for level, layer in found for key in (layer.id, *(r.id for r in _readers(level, layer)))]
    edit, why = _action(seen)
    written = sum(level.size(layer.outputs[0]) for level, layer in found)
    weights = sum(level.size(name) for level, layer in found for name in layer.inputs if level.is_constant(name))
    saved = max(0, written * 6 // 4 - weights) if edit else written * 6 // 4
    yield Advice(
        "float_out",
        f"{plural(len(found), 'layer')} with 8 bits in and floats out",
        "What they write is rounded to 8 bits by the next kernel: it is written and read in four bytes each.",
        seen.by_cost(layers),
        seen.sources(layer.id for _, layer in found),
        seen.time(layers),
        seen.gain_ms(list(dict.fromkeys(layers)), saved),
        saved,
        _INSTEAD if edit else _ROUNDED,
        edit,
        why,
    )


def _action(seen: Seen) -> tuple[Edit | None, str]:
    if seen.maker != TENSORRT:
        return None, "Which kernels round what they write is decided by the engine; no choice of the plan changes that."
    asked = {precision for precision in seen.asked.values() if precision in EIGHT_BITS}
    if asked != {Precision.INT8}:
        return None, "It is the form of these kernels in this version; no choice of the plan changes that."
    nodes = tuple(node for node, precision in seen.asked.items() if precision is Precision.INT8)
    by_rule = nodes if any(rule.precision is Precision.INT8 for rule in seen.config.plan.rules) else ()
    return Edit("FP16 instead of INT8", by_rule, Precision.FP16 if by_rule else None, Precision.FP16), ""


def _is_one(level: Level, layer: Layer) -> bool:
    if layer.kind is not LayerKind.COMPUTE or layer.precision not in EIGHT_BITS or len(layer.outputs) != 1:
        return False
    readers = _readers(level, layer)
    is_wide = _dtype(level, layer.outputs[0]) == "float32" and layer.outputs[0] not in level.graph.outputs
    return is_wide and bool(readers) and all(_rounds(level, reader) for reader in readers)


def _readers(level: Level, layer: Layer) -> list[Layer]:
    return level.readers(layer.outputs[0])


def _rounds(level: Level, reader: Layer) -> bool:
    """It computes in float and writes 8 bits only."""
    return reader.precision not in EIGHT_BITS and {_dtype(level, name) for name in reader.outputs} <= {*_NARROW}


def _dtype(level: Level, name: str) -> str:
    tensor = level.graph.tensors.get(name)
    return tensor.dtype if tensor is not None else ""
