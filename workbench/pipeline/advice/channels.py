"""Channels that fill no whole vector: the rest of the vector is computed and thrown away.

GPU: tensor cores want both channel counts (of a Gemm: K and N) in multiples of 16 bytes, that is 4 in TF32, 8 in FP16
and BF16, 16 in INT8 and FP8 (NVIDIA, Matrix Multiplication Background User's Guide, "Tensor Core Requirements").
CPU: a vector holds 16 accumulators of 32 bits with AVX-512, 8 with AVX2, whatever the type of the operands; the
kernel's name says which. Output channels lie along it. Measured with OpenVINO 2026.4 on AVX-512, one thread, 3 x 3 on
64 channels: 4, 8, 12 and 16 take 1.4 to 1.7 ms, 20 to 32 take 2.3 to 3.0 ms, 40 and 48 take 3.9 to 4.1 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from workbench.core.advice import Advice
from workbench.core.graph import Layer
from workbench.core.precision import Precision
from workbench.core.titles import TENSORRT
from workbench.core.words import plural
from workbench.pipeline.advice.base import Level, Seen

LOOKS = "channels of Conv, MatMul and Gemm that are no multiple of the vector or of the tensor core"
_GPU = {
    Precision.TF32: 4,
    Precision.FP16: 8,
    Precision.BF16: 8,
    Precision.INT8: 16,
    Precision.FP8: 16,
}
_VECTORS = {"avx512": 16, "avx2": 8}
_FORMULA = "of each layer the share of its arithmetic that is padding, 1 - C / (C rounded up), of its time or traffic"
WASTE_LEAST = 0.1


class _Odd(NamedTuple):
    node: Layer
    layer: str
    words: str
    waste: float


def look(seen: Seen) -> Iterator[Advice]:
    found = [
        odd for level in seen.levels for node in level.graph.layers if (odd := _odd(seen, level, node)) is not None
    ]
    layers = [odd.layer for odd in found]
    if not layers:
        return
    worst = max(found, key=lambda odd: odd.waste * (seen.ms.get(odd.layer, 0.0) or seen.moved(odd.layer)))
    times = seen.time(layers)
    yield Advice(
        "channels",
        f"{plural(len(found), 'layer')} with channels that fill no vector",
        f"{worst.words}: {100 * worst.waste:.0f} % of what is computed is thrown away.",
        seen.by_cost(layers),
        tuple(odd.node.id for odd in found),
        times,
        sum(seen.ms.get(odd.layer, 0.0) * odd.waste for odd in found) if times is not None else None,
        round(sum(seen.moved(odd.layer) * odd.waste for odd in found)),
        _FORMULA,
        None,
        "Only another model has other channels: choose multiples when it is designed and trained.",
    )


def _odd(seen: Seen, level: Level, node: Layer) -> _Odd | None:
    """Inputs of the model and its outputs are left out: colours and classes are what they are."""
    counts = _channels(level, node)
    working = seen.working(node.id)
    if not counts or len(working) != 1 or set(node.outputs) & {*level.graph.outputs}:
        return None
    layer = seen.layers[working[0]]
    if seen.maker == TENSORRT:
        step = _GPU.get(layer.precision, 0) if layer.precision is not None else 0
        wanted = [
            count
            for count, is_end in zip(counts, (node.inputs[0] in level.graph.inputs, False), strict=True)
            if not is_end
        ]
    else:
        vector = re.search("|".join(_VECTORS), layer.tactic)
        step, wanted = (_VECTORS[vector[0]] if vector else 0), [counts[1]]
    if not step:
        return None
    used = 1.0
    for count in wanted:
        used *= count / (-(-count // step) * step)
    words = f"{node.op} {node.id} has {' and '.join(map(str, wanted))} channels, in steps of {step}"
    return _Odd(node, layer.id, words, 1.0 - used) if 1.0 - used >= WASTE_LEAST else None


def _channels(level: Level, node: Layer) -> tuple[int, int] | None:
    """Input and output channels of a dense product with constant weights; None for depthwise ones, single scores and
    all else."""
    if node.op not in ("Conv", "MatMul", "Gemm") or len(node.inputs) < 2 or not level.is_constant(node.inputs[1]):
        return None
    shape = level.shape(node.inputs[1])
    if any(isinstance(dim, str) for dim in shape) or len(shape) < 2:
        return None
    first, second = int(shape[0]), int(shape[1])
    if node.op == "Conv":
        return None if second == 1 or first == 1 or int(node.attributes.get("group", "1") or 1) > 1 else (second, first)
    if node.op == "MatMul":
        return (int(shape[-2]), int(shape[-1]))
    return (second, first) if node.attributes.get("transB", "0") == "1" else (first, second)
