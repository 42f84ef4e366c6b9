"""A graph as boxes and edges, ready for the layout and the painter: arrays and texts, no Qt, no items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.views.canvas.layout import Placement, arrange

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEIGHT = 36.0
WIDTH_LEAST = 104.0
WIDTH_MOST = 280.0  # `Conv+BatchNormalization+Add+Relu` is seen whole
NAME_MOST = 124.0  # a long name does not widen its box further: it is elided
PADDING = 36.0

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


WEIGHTED_OPS = ("Conv", "MatMul", "Gemm", "FullyConnected", "LSTM", "GRU", "RNN", "Attention", "Einsum")
# fmt: off
SHAPE_OPS = frozenset([
    "Shape", "Size", "Gather", "Slice", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split",
    "Expand", "Tile", "Pad", "Range", "Identity", "ConstantOfShape",
])
# fmt: on
REFORMAT_OPS = frozenset(["Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Reorder", "Reformat"])

Measure = Callable[[str, bool], float]  # text, is it monospaced -> width in px at zoom 1


@dataclass(frozen=True)
class Scene:
    """Boxes 0..n-1: pills of the inputs, layers in their order, pills of the outputs.

    `edges` (k, 2) are box indices without doubles; `edge_tensors` names what runs along each. `opens` holds the keys of
    the bodies a box can open. `layers[i]` is None for pills.
    """

    ids: list[str]
    titles: list[str]
    names: list[str]
    layers: list[Layer | None]
    tensors: dict[str, Tensor]
    looks: NDArray[np.int8]
    widths: Floats
    edges: Ints
    edge_tensors: list[tuple[str, ...]]
    opens: dict[int, tuple[str, ...]]
    incoming: dict[int, str]  # shape of the first tensor that a box reads, as it is written on edges
    placed: Placement
    index: dict[str, int]

    @property
    def count(self) -> int:
        return len(self.ids)

    def members(self, box: int) -> tuple[str, ...]:
        """Ids of the layers a box stands for: itself, all inside a closed group, none for a pill."""
        return (self.ids[box],) if self.layers[box] is not None else ()

    @cached_property
    def leaves(self) -> tuple[list[str], Ints]:
        """Ids of all layers that boxes stand for, and the box of each."""
        ids = [(member, box) for box in range(self.count) for member in self.members(box)]
        return [member for member, _ in ids], np.asarray([box for _, box in ids], dtype=np.int64)

    @cached_property
    def homes(self) -> dict[str, int]:
        """The box that shows a layer, by its id: its own, or the closed group that it is in."""
        ids, boxes = self.leaves
        return dict(zip(ids, boxes.tolist(), strict=True))

    def any_among(self, ids: Collection[str]) -> NDArray[np.bool_]:
        """Boxes that stand for at least one of these layers."""
        mask = np.zeros(self.count, dtype=np.bool_)
        mask[[self.homes[i] for i in ids if i in self.homes]] = True
        return mask

    def all_among(self, ids: Collection[str]) -> NDArray[np.bool_]:
        """Boxes that stand for some of these layers and for no others."""
        members, boxes = self.leaves
        inside = np.fromiter((i in ids for i in members), np.bool_, len(members)) if ids else np.zeros(0, np.bool_)
        others = np.bincount(boxes[~inside], minlength=self.count) if ids else np.ones(self.count, np.int64)
        return self.any_among(ids) & (others == 0)


def build_scene(graph: Graph, outer: dict[str, Tensor], measure: Measure) -> Scene:
    """Lay out `graph`. `outer` are tensors of the graphs around a body, which it may read without declaring them."""
    boxes = _Boxes(graph, outer)
    titles = [box.title for box in boxes.all]
    names = [box.name for box in boxes.all]
    widths = np.asarray([_width(box, measure) for box in boxes.all], dtype=np.float64)
    pairs = boxes.edges()
    edges = np.asarray(list(pairs), dtype=np.int64).reshape(-1, 2)
    return Scene(
        ids=[box.id for box in boxes.all],
        titles=titles,
        names=names,
        layers=[box.layer for box in boxes.all],
        tensors={**outer, **graph.tensors},
        looks=np.asarray([box.look for box in boxes.all], dtype=np.int8),
        widths=widths,
        edges=edges,
        edge_tensors=[tuple(tensors) for tensors in pairs.values()],
        opens={i: box.opens for i, box in enumerate(boxes.all) if box.opens},
        incoming=_incoming(pairs, {**outer, **graph.tensors}),
        placed=arrange(widths, edges, HEIGHT),
        index={box.id: i for i, box in enumerate(boxes.all)},
    )


def _incoming(pairs: dict[tuple[int, int], list[str]], tensors: dict[str, Tensor]) -> dict[int, str]:
    shapes: dict[int, str] = {}
    for (_, target), names in pairs.items():
        shapes.setdefault(target, shape_text(tensors.get(names[0]), DIM_MOST))
    return shapes


@dataclass(frozen=True)
class _Box:
    id: str
    title: str
    name: str
    look: Look
    layer: Layer | None = None
    opens: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


class _Boxes:
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

    def _pill(self, prefix: str, name: str) -> _Box:
        title = f"{name}  {shape_text(self._tensors.get(name), DIM_MOST)}".strip()
        ends = ((name,), ()) if prefix == OUTPUT else ((), (name,))
        return _Box(prefix + name, title, "", Look.PILL, reads=ends[0], writes=ends[1])

    def _layer(self, layer: Layer, bodies: tuple[str, ...]) -> _Box:
        title = f"{layer.heading} ▸" if bodies else layer.heading
        name = layer.name if layer.name and layer.name != layer.op else layer.id
        borrowed = sorted(set().union(*(self._borrows[key] for key in bodies)))
        reads = tuple(filter(None, (*layer.inputs, *borrowed)))
        return _Box(layer.id, title, name, look_of(layer), layer, bodies, reads, tuple(filter(None, layer.outputs)))

    def edges(self) -> dict[tuple[int, int], list[str]]:
        """Box pairs in the order of the consumers' inputs, with the tensors between them."""
        maker = {tensor: i for i, box in enumerate(self.all) for tensor in box.writes}
        pairs: dict[tuple[int, int], list[str]] = {}
        for i, box in enumerate(self.all):
            for tensor in box.reads:
                if tensor in maker and maker[tensor] != i:
                    names = pairs.setdefault((maker[tensor], i), [])
                    if tensor not in names:
                        names.append(tensor)
        return pairs


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


def look_of(layer: Layer) -> Look:
    """By kind first; source nodes, which all are compute, by their op."""
    if layer.kind is LayerKind.CONTROL:
        return Look.CONTROL
    if layer.kind is LayerKind.REFORMAT or layer.op in REFORMAT_OPS:
        return Look.REFORMAT
    if any(part in layer.op for part in WEIGHTED_OPS):
        return Look.WEIGHTED
    if layer.kind is LayerKind.SHAPE or layer.op in SHAPE_OPS:
        return Look.SHAPE
    return Look.PLAIN


def _width(box: _Box, measure: Measure) -> float:
    text = max(measure(box.title, False), min(measure(box.name, True), NAME_MOST))
    return float(np.ceil(np.clip(text + PADDING, WIDTH_LEAST, WIDTH_MOST) / 2) * 2)


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
