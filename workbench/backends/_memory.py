"""Memory that an engine does not report: the peak of its activations by liveness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.graph import Layer, Tensor


def peak_bytes(layers: Sequence[Layer], tensors: Mapping[str, Tensor], outputs: Sequence[str]) -> int:
    """Most bytes of activations alive at once, in execution order; memory that layers share is not known."""
    last = {name: index for index, layer in enumerate(layers) for name in (*layer.inputs, *layer.outputs)}
    last |= dict.fromkeys(outputs, len(layers))
    alive: dict[str, int] = {}
    peak = 0
    for index, layer in enumerate(layers):
        for name in (*layer.inputs, *layer.outputs):
            if name in tensors and not tensors[name].constant:
                alive[name] = tensors[name].size_bytes
        peak = max(peak, sum(alive.values()))
        alive = {name: size for name, size in alive.items() if last[name] > index}
    return peak
