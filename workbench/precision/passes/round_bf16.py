"""BF16 by rounding, for engines without BF16 kernels: operands are rounded to BF16, the arithmetic stays float32.

Rules
1. Only nodes that multiply and sum are touched: Conv, ConvTranspose, MatMul, Gemm, LSTM, GRU and RNN.
2. Constant operands are replaced by rounded ones (to nearest, ties to even).
3. Other float32 operands go through Cast to BF16 and back; one pair per tensor: `n17:round`, `n17:round_back`.
4. The bias is left alone: hardware adds it to a float32 sum.
5. Nodes in bodies of If, Loop and Scan are treated alike, inside the body.
"""

from __future__ import annotations

from collections.abc import Collection

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from workbench.precision.editor import GraphEditor, is_standard

_OPERANDS = {
    "Conv": (0, 1),
    "ConvTranspose": (0, 1),
    "MatMul": (0, 1),
    "Gemm": (0, 1),
    "LSTM": (0, 1, 2, 5),
    "GRU": (0, 1, 2, 5),
    "RNN": (0, 1, 2, 5),
}
_OPSET_WITH_BF16 = 13


def round_bf16(model: ModelProto, asked: Collection[str]) -> list[str]:
    """Edits `model`; returns the nodes whose operands are rounded now."""
    editor = GraphEditor(model)
    return _round_graph(editor, asked) if editor.opset >= _OPSET_WITH_BF16 else []


def _round_graph(editor: GraphEditor, asked: Collection[str]) -> list[str]:
    inside = [name for body in editor.inner() for name in _round_graph(body, asked)]
    rounded: dict[str, str] = {}
    done = [node for node in editor.nodes if node.name in asked and is_standard(node, *_OPERANDS)]
    for node in done:
        for slot in _OPERANDS[node.op_type]:
            name = node.input[slot] if slot < len(node.input) else ""
            if editor.types.get(name) != TensorProto.FLOAT:
                continue
            if name not in rounded:
                rounded[name] = _rounded(editor, node, name)
            editor.set_input(node, slot, rounded[name])
    editor.commit()
    return inside + [node.name for node in done]


def _rounded(editor: GraphEditor, node: NodeProto, name: str) -> str:
    if name in editor.constants:
        return editor.add_constant(f"{name}:bf16", to_bf16(editor.array(name)))
    narrow, wide = editor.new_name(f"{name}:bf16"), editor.new_name(f"{name}:rounded")
    first, second = editor.new_node_name(f"{node.name}:round"), editor.new_node_name(f"{node.name}:round_back")
    editor.insert_behind_producer(
        name,
        helper.make_node("Cast", [name], [narrow], name=first, to=TensorProto.BFLOAT16),
        helper.make_node("Cast", [narrow], [wide], name=second, to=TensorProto.FLOAT),
    )
    return wide


def to_bf16(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Rounded to BF16 (to nearest, ties to even), as float32."""
    return values.astype(ml_dtypes.bfloat16).astype(np.float32)
