"""How large what a node writes is at fixed input shapes: the file itself may leave it open."""

from __future__ import annotations

from math import prod

import onnx

from workbench.model.dtypes import dtype_bytes, dtype_name
from workbench.model.inference import Type, types_by_graph
from workbench.model.walk import bodies


def output_sizes(proto: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Bytes of every output of each node, by node id; 0 where a size cannot be known.

    `proto` is an annotated private copy with fixed input shapes.
    """
    types = types_by_graph(proto)
    found: dict[str, tuple[int, ...]] = {}
    waiting = [("", proto.graph)]
    while waiting:
        key, graph = waiting.pop()
        for node in graph.node:
            found[node.name] = tuple(_size(types[key].get(name)) for name in node.output)
            waiting += [(f"{node.name}.{name}", body) for name, body in bodies(node)]
    return found


def _size(of: Type | None) -> int:
    if of is None or of[1] is None or not all(isinstance(dim, int) for dim in of[1]):
        return 0
    return dtype_bytes(dtype_name(of[0]), prod(int(dim) for dim in of[1]))
