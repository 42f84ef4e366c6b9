"""The largest magnitude of every float tensor, found inside the graph: what FP16 can hold is decided by it.

Behind each tensor stands a ReduceMax and a ReduceMin whose results are single values, so that no tensor is kept longer
than the model itself needs it: the pass takes hardly more memory than plain inference, whatever the model's size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from workbench.core.errors import Cancelled
from workbench.core.model import Model, Shape
from workbench.precision.base import NO_INPUTS, Fixed, base_graph
from workbench.precision.editor import GraphEditor
from workbench.precision.exposing import ExposedGraph

Feed = Mapping[str, NDArray[np.generic]]


def observe_amaxes(
    model: Model,
    shapes: Mapping[str, Shape],
    feeds: Iterable[Feed],
    *,
    total: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    fixed: Fixed = NO_INPUTS,
    skip: Collection[str] = (),
) -> dict[str, float]:
    """Largest magnitude by name of every float32 tensor outside bodies, over all feeds; infinite where one overflowed.

    The graph is the clean base graph. Raises Cancelled and WorkbenchError.
    """
    proto = base_graph(model, shapes, fixed, skip).proto
    editor = GraphEditor(proto)
    tensors = float_tensors(editor)
    ends = [name for tensor in tensors for name in _add_ends(editor, tensor)]
    editor.commit()
    graph = ExposedGraph(proto, ends, is_fast=False)
    del proto, editor
    found = dict.fromkeys(tensors, 0.0)
    progress(0, total)
    for index, feed in enumerate(feeds):
        if cancelled():
            raise Cancelled
        values = graph.values(feed, index)
        for tensor, (_, high), (_, low) in zip(tensors, values, values, strict=True):
            found[tensor] = max(found[tensor], _amax(float(low), float(high)))
        progress(index + 1, max(total, index + 1))
    return found


def float_tensors(editor: GraphEditor) -> list[str]:
    """Inputs and results of nodes that are float32 and not empty, in graph order."""
    results = (name for node in editor.nodes for name in node.output if name)
    names = dict.fromkeys([*(value.name for value in editor.graph.input), *results])
    return [name for name in names if editor.types.get(name) == TensorProto.FLOAT and editor.size(name) != 0]


def _add_ends(editor: GraphEditor, tensor: str) -> tuple[str, str]:
    """Largest and smallest value of a tensor as two more tensors; no axes means all of them, in every opset."""
    ops = ("ReduceMax", "ReduceMin")
    made = (editor.new_name(f"{tensor}:largest"), editor.new_name(f"{tensor}:smallest"))
    nodes = [
        onnx.helper.make_node(op, [tensor], [name], name=editor.new_node_name(f"{op}:{tensor}"), keepdims=0)
        for op, name in zip(ops, made, strict=True)
    ]
    editor.insert_behind_producer(tensor, *nodes)
    return made


def _amax(low: float, high: float) -> float:
    """NaN, which only an overflow can have made from finite inputs, counts as infinite."""
    largest = max(-low, high)
    return largest if np.isfinite(largest) and not np.isnan(low + high) else float("inf")
