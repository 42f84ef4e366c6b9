"""Topological order. ONNX Runtime runs unsorted graphs, so they are sorted here and not refused."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import onnx

from workbench.core.errors import WorkbenchError
from workbench.model.walk import bodies, graphs


def execution_order(graph: onnx.GraphProto) -> list[int]:
    """Indices of the nodes in an order in which every input is made before it is used.

    Stable: a sorted graph keeps its order. Names that bodies take from this graph count as inputs. Raises
    WorkbenchError for a cycle.
    """
    makers = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    waits: list[set[int]] = [_makers_of(node, makers) for node in graph.node]
    users: list[list[int]] = [[] for _ in graph.node]
    for index, needed in enumerate(waits):
        for maker in needed:
            users[maker].append(index)
    order = _kahn(waits, users)
    if len(order) < len(graph.node):
        stuck = next(i for i, needed in enumerate(waits) if needed)
        label = graph.node[stuck].name or graph.node[stuck].op_type
        raise WorkbenchError(
            f"The graph has a cycle: node {stuck} ({label!r}) needs its own output.",
            "Export the model again; no engine can run a graph with a cycle.",
        )
    return order


def _makers_of(node: onnx.NodeProto, makers: dict[str, int]) -> set[int]:
    return {makers[name] for name in names_used(node) if name in makers}


def _kahn(waits: list[set[int]], users: list[list[int]]) -> list[int]:
    """Kahn's algorithm; of several ready nodes the first in the file goes first. Empties `waits`."""
    ready = [index for index, needed in enumerate(waits) if not needed]
    order = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for user in users[index]:
            waits[user].discard(index)
            if not waits[user]:
                heapq.heappush(ready, user)
    return order


def names_used(node: onnx.NodeProto) -> set[str]:
    """Tensors a node needs: its inputs, and what its bodies take from outside."""
    used = {name for name in node.input if name}
    for _, body in bodies(node):
        used |= names_from_outside(body)
    return used


def names_from_outside(body: onnx.GraphProto) -> set[str]:
    """Names used in a body, or in bodies of it, and not made there."""
    made = {value.name for value in body.input} | {tensor.name for tensor in body.initializer}
    made |= {sparse.values.name for sparse in body.sparse_initializer}
    used = {value.name for value in body.output}
    for node in body.node:
        made.update(node.output)
        used |= names_used(node)
    return used - made


def sort_all(graph: onnx.GraphProto) -> bool:
    """Sorts a graph and its bodies in place; whether anything moved."""
    moved = [_sort(each) for each in reversed(list(graphs(graph)))]  # bodies first: sorting copies nodes
    return any(moved)


def _sort(graph: onnx.GraphProto) -> bool:
    order = execution_order(graph)
    if is_sorted(order):
        return False
    copies = [onnx.NodeProto() for _ in order]
    for copy, index in zip(copies, order, strict=True):
        copy.CopyFrom(graph.node[index])
    del graph.node[:]
    graph.node.extend(copies)
    return True


def is_sorted(order: Iterable[int]) -> bool:
    return all(index == place for place, index in enumerate(order))
