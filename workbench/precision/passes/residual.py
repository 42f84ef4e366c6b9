"""Residual sums: which side of an Add is quantized, so that it runs inside the Conv that makes the other side.

An INT8 convolution adds its neighbour while it still holds the sum, but only where that neighbour lies in memory in
8 bits too. So the skip branch gets Q/DQ, and the branch of the last Conv gets none: a Q there would part Conv and Add.
NVIDIA's documentation of explicit quantization gives the same advice for TensorRT.

Measured (INT8, layers in all and float ones among the computing): OpenVINO 2026.4 on fashion_resnet 18 -> 16, 4 -> 2;
on digits_resnet 15 -> 14, 3 -> 2; with Q on the Conv's side instead 18, 2 and two reformats more; with Q on both sides
16, 1 and a reformat more. TensorRT for RTX 1.7 makes the same layers either way, 19 and 14. It costs 0.1 to 0.3 dB.

Rules
1. An Add or a Sum of two activations of one known shape, of which at least one is made by a Conv that nothing else
   reads. Where both are, the Conv that runs last is the one to fuse with.
2. The other side, the skip, is quantized where that Conv is. Where it is quantized already, for a Conv that reads it,
   the pair is shared: an identity skip costs nothing.
   There OpenVINO leaves the sum to a kernel of its own unless the Conv's side is quantized too, as NNCF does. That is
   not done: one layer less on either net, CPU time as before (1.00 of it), and 0.35 dB lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from onnx import NodeProto, TensorProto

from workbench.precision.editor import GraphEditor, is_standard


class Skip(NamedTuple):
    """`add.input[slot]` is a skip; `conv` is the name of the Conv whose result is added to it."""

    add: NodeProto
    slot: int
    conv: str

    @property
    def tensor(self) -> str:
        return str(self.add.input[self.slot])


def skips(editor: GraphEditor) -> Iterator[Skip]:
    """Every skip branch of a graph, in its order."""
    places = {node.name: place for place, node in enumerate(editor.nodes)}
    for node in editor.nodes:
        if not is_standard(node, "Add", "Sum") or len(node.input) != 2 or not _is_of_equals(editor, node):
            continue
        convs = [(places[conv.name], slot, conv.name) for slot in (0, 1) if (conv := _own_conv(editor, node, slot))]
        if convs:
            _, slot, conv_name = max(convs)
            yield Skip(node, 1 - slot, conv_name)


def _is_of_equals(editor: GraphEditor, node: NodeProto) -> bool:
    first, second = node.input
    shape = editor.shape(first)
    return (
        first != second
        and shape is not None
        and shape == editor.shape(second)
        and all(editor.types.get(name) == TensorProto.FLOAT for name in node.input)
        and all(name in editor.producers or name in editor.inputs for name in node.input)
    )


def _own_conv(editor: GraphEditor, node: NodeProto, slot: int) -> NodeProto | None:
    """The Conv that makes this input for this node alone."""
    name = node.input[slot]
    conv = editor.producers.get(name)
    is_own = len(editor.uses[name]) == 1 and name not in editor.outputs
    return conv if conv is not None and is_own and is_standard(conv, "Conv") else None
