"""What of a graph is drawn: layers and the pills of inputs and outputs as boxes; constants are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from workbench.core.graph import Graph, Layer, LayerKind, Tensor

HEIGHT = 36.0
WIDTH_LEAST = 104.0
WIDTH_MOST = 280.0  # `Conv+BatchNormalization+Add+Relu` is seen whole
NAME_MOST = 124.0  # a long name does not widen its box further: it is elided
WIDTH_STEP = 8.0
ZEROS = str.maketrans("123456789", "0" * 9)
SHORT_NUMBER = re.compile(r"(?<!0)0{1,2}(?!0)")
PADDING = 36.0
GROUP_ROOM = 24.0  # more of it on a closed group: the chevron stands there

DIM_MOST = 8  # characters of a free dimension's name on the picture; the tooltip has it whole

INPUT, OUTPUT, OUTER = "input:", "output:", "outer:"  # ids of pills, before the tensor's name


class Look(IntEnum):
    """What a box is, for its colour: a class each, so that thousands are drawn in a few calls."""

    PLAIN = 0
    WEIGHTED = 1  # convolutions and products: where the time goes
    SHAPE = 2
    REFORMAT = 3
    CONTROL = 4
    PILL = 5
    GROUP = 6  # a closed group


WEIGHTED_OPS = ("Conv", "MatMul", "Gemm", "FullyConnected", "LSTM", "GRU", "RNN", "Attention", "Einsum")
# fmt: off
SHAPE_OPS = frozenset([
    "Shape", "Size", "Gather", "Slice", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split",
    "Expand", "Tile", "Pad", "Range", "Identity", "ConstantOfShape",
])
# fmt: on
REFORMAT_OPS = frozenset(["Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Reorder", "Reformat"])

Measure = Callable[[str, bool], float]  # text, is it monospaced -> width in px at zoom 1


class Box(NamedTuple):
    """One that is drawn for itself while its groups are open. `opens` are keys of bodies."""

    id: str
    title: str
    name: str
    look: Look
    layer: Layer | None = None
    opens: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


class Boxes:
    """Decides what is drawn: constants and unused optional inputs are not."""

    def __init__(self, graph: Graph, outer: dict[str, Tensor]) -> None:
        self._tensors = {**outer, **graph.tensors}
        hidden = {layer.id for layer in graph.layers if is_hidden(layer, self._tensors)}
        self._hidden = {t for layer in graph.layers if layer.id in hidden for t in layer.outputs}
        shown = [layer for layer in graph.layers if layer.id not in hidden]
        bodies: dict[str, list[str]] = {}
        for key in graph.subgraphs:
            bodies.setdefault(key.rpartition(".")[0], []).append(key)
        self._borrows = {key: borrowed_tensors(body) for key, body in graph.subgraphs.items()}
        made = {tensor for layer in graph.layers for tensor in layer.outputs} | set(graph.inputs)
        read = {tensor for layer in shown for tensor in layer.inputs}.union(graph.outputs, *self._borrows.values())
        borrowed = sorted(t for t in read - made if t in outer and not self._is_quiet(t))
        self.all = [
            *(self._pill(INPUT, t) for t in graph.inputs if not self._is_quiet(t)),
            *(self._pill(OUTER, t) for t in borrowed),
            *(self._layer(layer, tuple(bodies.get(layer.id, ()))) for layer in shown),
            *(self._pill(OUTPUT, t) for t in graph.outputs),
        ]

    def _is_quiet(self, name: str) -> bool:
        tensor = self._tensors.get(name)
        return name in self._hidden or (tensor is not None and tensor.constant)

    def _pill(self, prefix: str, name: str) -> Box:
        title = f"{name}  {shape_text(self._tensors.get(name), DIM_MOST)}".strip()
        ends = ((name,), ()) if prefix == OUTPUT else ((), (name,))
        return Box(prefix + name, title, "", Look.PILL, reads=ends[0], writes=ends[1])

    def _layer(self, layer: Layer, bodies: tuple[str, ...]) -> Box:
        title = f"{layer.heading} ▸" if bodies else layer.heading
        name = layer.name if layer.name and layer.name != layer.op else layer.id
        reads = layer.inputs
        if bodies:
            reads += tuple(sorted(set().union(*(self._borrows[key] for key in bodies))))
        return Box(layer.id, title, name, look_of(layer), layer, bodies, reads, layer.outputs)


def borrowed_tensors(body: Graph) -> frozenset[str]:
    """What a body reads of the graphs around it: the edges into its layer that the layer's own inputs do not name."""
    made = {t for layer in body.layers for t in layer.outputs} | set(body.inputs)
    read = {t for layer in body.layers for t in layer.inputs} | set(body.outputs)
    read.update(*(borrowed_tensors(inner) for inner in body.subgraphs.values()))
    constant = {name for name, tensor in body.tensors.items() if tensor.constant}
    return frozenset(read - made - constant - {""})


def is_hidden(layer: Layer, tensors: dict[str, Tensor]) -> bool:
    """Weights and constants are no steps of the computation: they are no boxes.

    `ConstantOfShape` of a constant is one too: the light models of the onnx package keep all weights so.
    """
    if layer.kind is LayerKind.CONSTANT:
        return True
    known = (tensors[name].constant for name in layer.inputs if name in tensors)
    return layer.op == "ConstantOfShape" and bool(layer.inputs) and all(known)


def is_weighted(op: str) -> bool:
    """Convolutions and products."""
    return any(part in op for part in WEIGHTED_OPS)


def look_of(layer: Layer) -> Look:
    """By kind first; source nodes, which all are compute, by their op."""
    return _look(layer.op, layer.kind)


@lru_cache(maxsize=4096)
def _look(op: str, kind: LayerKind) -> Look:
    if kind is LayerKind.CONTROL:
        return Look.CONTROL
    if kind is LayerKind.REFORMAT or op in REFORMAT_OPS:
        return Look.REFORMAT
    if is_weighted(op):
        return Look.WEIGHTED
    if kind is LayerKind.SHAPE or op in SHAPE_OPS:
        return Look.SHAPE
    return Look.PLAIN


def box_width(title: str, name: str, measure: Measure, more: float = 0.0, name_most: float = NAME_MOST) -> float:
    """In steps of 8 px."""
    text = PADDING + more + max(measure(evened(title), False), min(measure(evened(name), True), name_most))
    return ceil(min(max(text, WIDTH_LEAST), WIDTH_MOST) / WIDTH_STEP) * WIDTH_STEP


def evened(text: str) -> str:
    """A text for measuring: numbers are equally wide, so that blocks which differ in them share one layout."""
    return SHORT_NUMBER.sub("000", text.translate(ZEROS))


def shape_text(tensor: Tensor | None, most: int = 60) -> str:
    """`1×3×224×224`; free dimensions by name, `?` where that is invented or longer than `most`; empty if unknown."""
    if tensor is None or tensor.shape is None:
        return ""
    dims = (str(dim) for dim in tensor.shape)
    return "×".join("?" if len(dim) > most or dim.startswith("unk__") else dim for dim in dims) or "scalar"


def outer_tensors(graphs: Iterator[Graph] | list[Graph]) -> dict[str, Tensor]:
    """What a body inside these graphs (outermost first) may read; outputs of hidden layers count as constant."""
    found: dict[str, Tensor] = {}
    for graph in graphs:
        for name in (*graph.inputs, *(t for layer in graph.layers for t in layer.outputs)):
            found.setdefault(name, Tensor(name))
        found.update(graph.tensors)
        for layer in graph.layers:
            if is_hidden(layer, graph.tensors):
                found.update({t: Tensor(t, constant=True) for t in layer.outputs})
    return found
