"""Sums of squares, which FP16 cannot hold: the nodes of a graph that stay float32 when it is written in FP16.

A variance over 512 values of 129 is a sum of 8.5 million; FP16 ends at 65504. Of normalizations that exporters wrote
out NVIDIA gives the same advice ("forcing Reduce or Pow layers in FP32").

Rules
1. A sum over an axis stays (ReduceSum, ReduceSumSquare, ReduceL1, ReduceL2), and a mean that reads squares.
2. A square that only such a node reads stays: Pow, or Mul of a tensor by itself.
3. What is computed value by value from a node of rule 1, and is no larger, stays too: the division by the count, the
   epsilon, the root. Where it meets a larger tensor, its values are of the size of that tensor's again.
4. The way from squares to the root that ends them stays (Add and operators that move values): the magnitude of a
   spectrum is a power in between.
"""

from __future__ import annotations

from onnx import NodeProto

from workbench.precision.editor import GraphEditor, is_standard

_SUMS = ("ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2")
_BY_VALUE = (
    "Abs", "Add", "Clip", "Div", "Exp", "Expand", "Identity", "Log", "Max", "Min", "Mul", "Neg", "Pow", "Reciprocal",
    "Relu", "Reshape", "Sqrt", "Squeeze", "Sub", "Unsqueeze",
)  # fmt: skip
_TO_THE_ROOT = ("Add", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")


def wide_sums(editor: GraphEditor) -> set[str]:
    """Names of nodes; bodies are not looked into."""
    squares = {node.output[0]: node for node in editor.nodes if _is_square(node)}
    return _of_sums(editor, squares) | _of_roots(editor, squares)


def _of_sums(editor: GraphEditor, squares: dict[str, NodeProto]) -> set[str]:
    """Rules 1 to 3."""
    sums = {node.name for node in editor.nodes if _is_sum(node, squares)}
    found = set(sums)
    small: dict[str, int] = {}  # tensors that hold sums, or what was made of them: number of values
    for node in editor.nodes:
        size = editor.size(node.output[0]) if node.output else None
        if size is None:
            continue
        if node.name in sums:
            small[node.output[0]] = size
        elif is_standard(node, *_BY_VALUE) and size <= max((small.get(name, -1) for name in node.input), default=-1):
            found.add(node.name)
            small[node.output[0]] = size
    return found | {node.name for name, node in squares.items() if _only_for(editor, name, sums)}


def _of_roots(editor: GraphEditor, squares: dict[str, NodeProto]) -> set[str]:
    """Rule 4."""
    found: set[str] = set()
    for node in editor.nodes:
        if is_standard(node, "Sqrt"):
            way = _way_from_squares(editor, node.input[0], squares)
            found |= {node.name, *way} if way else set()
    return found


def _way_from_squares(editor: GraphEditor, name: str, squares: dict[str, NodeProto]) -> set[str]:
    """Nodes between squares and the tensor `name`; empty where it comes from anything else too."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        node = editor.producers.get(waiting.pop())
        if node is None or not (node.output[0] in squares or is_standard(node, *_TO_THE_ROOT)):
            return set()
        if node.name not in found and node.output[0] not in squares:
            waiting.extend(node.input[:1] if node.op_type != "Add" else node.input)
        found.add(node.name)
    return found


def _is_square(node: NodeProto) -> bool:
    return is_standard(node, "Pow") or (is_standard(node, "Mul") and node.input[0] == node.input[1])


def _is_sum(node: NodeProto, squares: dict[str, NodeProto]) -> bool:
    return is_standard(node, *_SUMS) or (is_standard(node, "ReduceMean") and node.input[0] in squares)


def _only_for(editor: GraphEditor, name: str, readers: set[str]) -> bool:
    uses = editor.uses.get(name, [])
    return bool(uses) and name not in editor.outputs and all(use.node.name in readers for use in uses)
