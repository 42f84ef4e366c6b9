"""A chain that an engine would fuse, cut because a tensor in its middle is an output of the model.

The tensor must be written for who asked for it; and then it is read again. That is said only of ops that this very
engine fuses elsewhere behind what stands here (`fusion_stops`).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.graph import Layer, LayerKind
from workbench.core.words import plural
from workbench.pipeline.advice.base import Level, Seen

LOOKS = "chains cut by an output of the model in their middle"
_FORMULA = "what is read again of the output; as a share of the layers' traffic, of their time"


def look(seen: Seen) -> Iterator[Advice]:
    cuts = [cut for level in seen.engine_levels for layer in level.graph.layers if (cut := _cut(seen, level, layer))]
    layers = [key for layer, reader, _ in cuts for key in (layer.id, reader.id)]
    if not cuts:
        return
    names = ", ".join(name for _, _, name in cuts[:3]) + (" …" if len(cuts) > 3 else "")
    saved = sum(level.size(name) for level in seen.engine_levels for _, _, name in cuts if name in level.graph.tensors)
    yield Advice(
        "broken_chain",
        f"{plural(len(cuts), 'chain')} cut by an output",
        f"{names}: what follows could be computed in the same kernel, as it is elsewhere in this engine.",
        seen.by_cost(layers),
        seen.sources(layers),
        seen.time(layers),
        seen.gain_ms(layers, saved),
        saved,
        _FORMULA,
        None,
        "An output is what the model is asked for. If nobody needs it, export the model without it.",
    )


def _cut(seen: Seen, level: Level, layer: Layer) -> tuple[Layer, Layer, str] | None:
    outputs = [name for name in layer.outputs if name in level.graph.outputs]
    readers = {reader.id: reader for name in layer.outputs for reader in level.readers(name)}
    if len(outputs) != 1 or len(readers) != 1 or layer.kind is not LayerKind.COMPUTE:
        return None
    reader = next(iter(readers.values()))
    return (layer, reader, outputs[0]) if seen.stops.fuses(layer, reader) else None
