"""Which whole numbers an input may hold, read from the graph: places in a table, or lengths of sequences.

Rules
1. An input that a Gather takes its indices from holds 0 to n - 1, n being the table's size along the Gather's axis.
2. An input that an LSTM, GRU or RNN takes its sequence lengths from holds the whole length of the sequence.
3. The way there leads through operators that only cast or move values. The narrowest range wins.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.graph import Graph, Layer

_MOVES = {"Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Slice"}
_RECURRENT = {"LSTM", "GRU", "RNN"}
_INDICES, _LENGTHS = 1, 4

Range = tuple[int, int]


def index_range(graph: Graph, name: str) -> Range | None:
    """Lowest and highest value of the input `name`, both included; None where the graph does not tell."""
    found = list(_ranges(graph, name))
    return min(found, key=lambda ends: ends[1] - ends[0]) if found else None


def _ranges(graph: Graph, name: str) -> Iterator[Range]:
    waiting, seen = [name], {name}
    while waiting:
        tensor = waiting.pop()
        for layer in graph.layers:
            if tensor not in layer.inputs:
                continue
            if (ends := _range(graph, layer, tensor)) is not None:
                yield ends
            if layer.op in _MOVES and layer.inputs[0] == tensor:
                fresh = [output for output in layer.outputs if output not in seen]
                seen.update(fresh)
                waiting.extend(fresh)


def _range(graph: Graph, layer: Layer, tensor: str) -> Range | None:
    if layer.op == "Gather" and tensor in layer.inputs[_INDICES : _INDICES + 1]:
        size = _size(graph, layer.inputs[0], int(layer.attributes.get("axis", "0")))
        return (0, size - 1) if size else None
    if layer.op in _RECURRENT and tensor in layer.inputs[_LENGTHS : _LENGTHS + 1]:
        length = _size(graph, layer.inputs[0], 1 if layer.attributes.get("layout") == "1" else 0)
        return (length, length) if length else None
    return None


def _size(graph: Graph, tensor: str, axis: int) -> int:
    """Of an axis; 0 where it is not known."""
    shape = graph.tensors[tensor].shape if tensor in graph.tensors else None
    if not shape or not -len(shape) <= axis < len(shape):
        return 0
    size = shape[axis]
    return size if isinstance(size, int) else 0
