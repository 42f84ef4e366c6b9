"""A BatchNormalization that runs as a layer of its own, though it could be in the weights of the Conv before it.

Folding is exact up to rounding: w' = w * gamma / sqrt(var + eps) (Ioffe and Szegedy 2015; `passes/fold_batchnorm`).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import Layer
from workbench.core.words import plural
from workbench.pipeline.advice.base import Level, Seen

LOOKS = "BatchNormalization behind a Conv that is not folded into it"
PASS = "fold_batchnorm"
_FORMULA = "the time of these layers; in bytes, what they read and write once"


def look(seen: Seen) -> Iterator[Advice]:
    nodes = [node for level in seen.levels for node in level.graph.layers if _is_unfolded(seen, level, node)]
    layers = seen.layers_of(node.id for node in nodes)
    if not layers:
        return
    saved = sum(2 * level.size(node.outputs[0]) for level in seen.levels for node in nodes if node.id in _ids(level))
    is_tried = seen.config.plan.clean and PASS not in seen.config.plan.skip
    yield Advice(
        "batchnorm",
        f"{plural(len(nodes), 'BatchNormalization')} not folded",
        "Each reads and writes a whole tensor to scale its channels; the weights of the Conv before it can do that.",
        seen.by_cost(layers),
        tuple(node.id for node in nodes),
        seen.time(layers),
        seen.time(layers),
        saved,
        _FORMULA,
        None if is_tried else Edit("Fold BatchNormalization before the build", clean=True, unskip=(PASS,)),
        "The clean-up ran and could not fold them: their parameters or weights are no float32 constants."
        if is_tried
        else "",
    )


def _is_unfolded(seen: Seen, level: Level, node: Layer) -> bool:
    if node.op != "BatchNormalization" or not node.inputs:
        return False
    conv = level.maker.get(node.inputs[0])
    if conv is None or conv.op not in ("Conv", "ConvTranspose") or level.only_reader(conv) is not node:
        return False
    mine, its = set(seen.working(node.id)), set(seen.working(conv.id))
    return bool(mine and its) and mine.isdisjoint(its)


def _ids(level: Level) -> set[str]:
    return {layer.id for layer in level.graph.layers}
