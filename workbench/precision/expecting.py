"""What a model expects of its input, read from its first BatchNormalization, and whether samples are like it.

The running mean and variance of a BatchNormalization are those of its input in training. With only a Conv or a few
element-wise operators before it, they say how inputs were normalised there: what the same nodes make of our samples
must have about the same mean and variance per channel. Where it has not, the usual mistakes are tried on the samples,
and one that makes them fit is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from workbench.core.calibration_report import Finding, Severity
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.model.ids import sources_of
from workbench.precision.base import NO_INPUTS, Fixed, copy_with_branches
from workbench.precision.editor import GraphEditor, float_attribute, int_attribute, is_standard
from workbench.precision.exposing import ExposedGraph

_THROUGH = (
    "Conv",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pad",
    "Transpose",
    "Reshape",
    "Identity",
    "Cast",
    "Unsqueeze",
    "Squeeze",
)
SAMPLES = 16
MISFIT = 0.75
"""In units of `_misfit`: means off by three quarters of a standard deviation, or spreads by a factor of two."""
CURE = 0.25
"""A remedy must leave no more than this share of the misfit."""
Feed = Mapping[str, NDArray[Any]]
Array = NDArray[np.float32]


class _Norm(NamedTuple):
    """A BatchNormalization near an input; `mean` and `std` are its own, per channel."""

    node: str
    input: str
    tensor: str
    mean: NDArray[np.float64]
    std: NDArray[np.float64]


class _Remedy(NamedTuple):
    """What may have gone wrong, as a change of the samples that mends it."""

    kind: str
    words: str
    mend: Callable[[Array], Array]


_REMEDIES = (
    _Remedy("range", "divided by 255 they would fit", lambda x: x / np.float32(255)),
    _Remedy("range", "multiplied by 255 they would fit", lambda x: x * np.float32(255)),
    _Remedy("range", "taken from 0..1 to -1..1 they would fit", lambda x: x * np.float32(2) - np.float32(1)),
    _Remedy("range", "taken from 0..255 to -1..1 they would fit", lambda x: x / np.float32(127.5) - np.float32(1)),
    _Remedy("range", "taken from -1..1 to 0..1 they would fit", lambda x: (x + np.float32(1)) / np.float32(2)),
    _Remedy("color", "with the colours in the other order they would fit", lambda x: np.ascontiguousarray(x[:, ::-1])),
    _Remedy("layout", "taken as NHWC and transposed they would fit", lambda x: _transposed(x)),
)


def look_at_expectations(
    model: Model, shapes: Mapping[str, Shape], feeds: Iterable[Feed], fixed: Fixed = NO_INPUTS
) -> list[Finding]:
    """A warning where the first BatchNormalization got something else in training than these samples give it.

    Nothing where the model has none near its input, which says nothing about the samples then.
    """
    proto, _ = copy_with_branches(model, shapes, fixed)
    norm = _first_norm(GraphEditor(proto))
    samples = [dict(feed) for _, feed in zip(range(SAMPLES), feeds, strict=False)]
    if norm is None or not samples:
        return []
    try:
        return _judged(norm, ExposedGraph(_pruned(proto, norm.tensor), [norm.tensor]), samples)
    except WorkbenchError:
        return []  # nothing can be said; that the model does not run is told by those who need it to


def _judged(norm: _Norm, graph: ExposedGraph, samples: Sequence[Feed]) -> list[Finding]:
    before = _misfit(norm, _moments(graph, samples))
    if before <= MISFIT:
        return []
    after, remedy = min(((_tried(norm, graph, samples, one), one) for one in _REMEDIES), key=lambda pair: pair[0])
    cure = f"; {remedy.words}" if after <= CURE * before and after <= MISFIT else ""
    mean, std = _moments(graph, samples)
    spread = float(np.median(std / norm.std))
    return [
        Finding(
            Severity.WARNING,
            remedy.kind if cure else "range",
            f"The samples are not what the model was trained on: its first BatchNormalization ({norm.node}) gets values"
            f" with {_times(spread)} the spread, and means off by"
            f" {float(np.median(np.abs(mean - norm.mean) / norm.std)):.1f} standard deviations{cure}.",
            "Check scale, mean, std, colour order and layout in the recipe.",
            tensor=norm.input,
            nodes=(norm.node,),
        )
    ]


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor >= 3 else f"{factor:.2g} times"


def _tried(norm: _Norm, graph: ExposedGraph, samples: Sequence[Feed], remedy: _Remedy) -> float:
    if remedy.kind in ("color", "layout") and not _has_colors(samples[0][norm.input]):
        return np.inf
    mended = [dict(feed) | {norm.input: remedy.mend(feed[norm.input]).astype(np.float32)} for feed in samples]
    return _misfit(norm, _moments(graph, mended))


def _has_colors(values: Array) -> bool:
    return values.ndim == 4 and values.shape[1] == 3


def _transposed(values: Array) -> Array:
    """Memory of [N, H, W, C] that was taken for [N, C, H, W], put right."""
    count, channels, height, width = values.shape
    return np.ascontiguousarray(np.moveaxis(values.reshape(count, height, width, channels), 3, 1))


def _moments(graph: ExposedGraph, samples: Sequence[Feed]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per channel over all samples."""
    rows = []
    for index, feed in enumerate(samples):
        values = next(graph.values(feed, index))[1].astype(np.float64)
        flat = values.reshape(values.shape[0], values.shape[1], -1)
        rows.append((flat.mean(axis=(0, 2)), (flat**2).mean(axis=(0, 2))))
    mean, square = np.mean(rows, axis=0)
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def _misfit(norm: _Norm, moments: tuple[NDArray[np.float64], NDArray[np.float64]]) -> float:
    """Of the median channel: its shift in standard deviations and the logarithm of its spread's ratio, as a length."""
    mean, std = moments
    shift = (mean - norm.mean) / norm.std
    ratio = np.log(np.maximum(std, 1e-12) / norm.std)
    return float(np.median(np.hypot(shift, ratio)))


def _first_norm(editor: GraphEditor) -> _Norm | None:
    """The BatchNormalization nearest to an input of four axes, behind at most a Conv and element-wise operators."""
    waiting = [name for name in editor.inputs if editor.rank(name) == 4]
    origin = {name: name for name in waiting}
    while waiting:
        tensor = waiting.pop(0)
        for use in editor.uses.get(tensor, ()):
            node = use.node
            if is_standard(node, "BatchNormalization") and use.slot == 0 and (norm := _norm(editor, node, origin)):
                return norm
            if is_standard(node, *_THROUGH) and _is_alone(editor, node, tensor):
                origin[node.output[0]] = origin[tensor]
                waiting.append(node.output[0])
    return None


def _is_alone(editor: GraphEditor, node: NodeProto, tensor: str) -> bool:
    """All other inputs are constants."""
    return all(name == tensor or not name or editor.constant(name) is not None for name in node.input)


def _norm(editor: GraphEditor, node: NodeProto, origin: Mapping[str, str]) -> _Norm | None:
    mean, variance = (editor.constant(name) for name in node.input[3:5])
    if mean is None or variance is None or int_attribute(node, "training_mode", 0):
        return None
    std = np.sqrt(variance.astype(np.float64) + float_attribute(node, "epsilon", 1e-5))
    own = sources_of(node.name)[0]
    return _Norm(own, origin[node.input[0]], node.input[0], mean.astype(np.float64), std)


def _pruned(proto: ModelProto, tensor: str) -> ModelProto:
    """The nodes that make `tensor`, and no others."""
    editor = GraphEditor(proto)
    needed, waiting = set(), [tensor]
    while waiting:
        producer = editor.producers.get(waiting.pop())
        if producer is not None and producer.name not in needed:
            needed.add(producer.name)
            waiting.extend(producer.input)
    for node in editor.nodes:
        if node.name not in needed:
            editor.drop(node)
    del proto.graph.output[:]
    editor.commit()
    return proto
