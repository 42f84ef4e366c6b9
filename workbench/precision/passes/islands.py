"""What stands between quantized nodes only, and so stays in the float32 that their Q/DQ read and write.

Where Q/DQ have float32 scales, such a node in a half type would stand between two Casts, and an engine that looks for
Conv, activation and QuantizeLinear in a row finds none. Measured, fashion_resnet in FP16 with 8 of its Convs in INT8,
on ONNX Runtime: with these Casts 2 of them ran in INT8, in 0.31 ms; without 5, in 0.17 ms.

Rules
1. The operators are those that engines fuse into a quantized neighbour: `_FUSED`.
2. Whatever is computed and read by such a node comes from a DequantizeLinear, a quantized node, or another such node;
   whatever it makes goes to a QuantizeLinear or another such node, and is no output of the graph.
"""

from __future__ import annotations

from collections.abc import Collection

from onnx import NodeProto

from workbench.precision.editor import GraphEditor, is_standard

_FUSED = (
    "Add", "AveragePool", "BatchNormalization", "Clip", "Div", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu",
    "MaxPool", "Mul", "PRelu", "Relu", "Sigmoid", "Sub", "Sum", "Tanh",
)  # fmt: skip


def islands(editor: GraphEditor, candidates: Collection[str], quantized: Collection[str]) -> set[str]:
    """Names among `candidates` that rules 1 and 2 hold for. `quantized` are names of nodes that read Q/DQ."""
    found = {node.name: node for node in editor.nodes if node.name in candidates and is_standard(node, *_FUSED)}
    while gone := [name for name, node in found.items() if not _is_between(editor, node, {*found, *quantized}, found)]:
        for name in gone:
            del found[name]
    return set(found)


def _is_between(editor: GraphEditor, node: NodeProto, before: Collection[str], behind: Collection[str]) -> bool:
    makers = [editor.producers[name] for name in node.input if name in editor.producers]
    fed = any(name in editor.inputs for name in node.input)
    users = [use.node for name in node.output for use in editor.uses.get(name, ())]
    return (
        bool(makers and users)
        and not fed
        and not editor.outputs.intersection(node.output)
        and all(maker.name in before or is_standard(maker, "DequantizeLinear") for maker in makers)
        and all(user.name in behind or is_standard(user, "QuantizeLinear") for user in users)
    )
