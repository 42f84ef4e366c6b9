"""FP8 by rounding, for engines without FP8 kernels: operands are rounded to E4M3, the arithmetic stays float32.

Q/DQ of E4M3 would say the same in two nodes, but ONNX Runtime 1.31 drops a Relu before such a QuantizeLinear and cannot
load other graphs at its full optimisation level; casts it leaves alone.

Rules
1. The nodes, the scales and the constants are those of `quantize` in FP8.
2. An activation is divided by its scale, clipped to +-448, cast to E4M3 and back, and multiplied: one such chain per
   tensor, shared by its users: `n17:round`.
3. Constant operands are replaced by rounded ones.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.editor import GraphEditor, is_standard
from workbench.precision.observations import Observations
from workbench.precision.passes.quantize import FP8_OPSET, OPS, Quantized, is_constant, unseen, why_not
from workbench.precision.passes.weights import E4M3_LARGEST, dequantized, fp8_weights, rounded_scale

_BY_MAX = Calibration(method=CalibrationMethod.MAX)


def round_fp8(model: ModelProto, asked: Collection[str], observations: Observations) -> Quantized:
    """Edits `model`. `asked` are names of its nodes; those that cannot be rounded are counted, not refused."""
    editor = GraphEditor(model)
    rounded: dict[str, str] = {}
    result = Quantized()
    for node in editor.nodes:
        if node.name not in asked or not is_standard(node, *OPS):
            continue
        if reason := why_not(editor, node, FP8_OPSET) or unseen(editor, node, observations):
            result.left[f"{node.op_type}: {reason}"] += 1
            continue
        for slot in (0, 1):
            name = node.input[slot]
            if name not in rounded:
                rounded[name] = _rounded(editor, node, name, observations)
            editor.set_input(node, slot, rounded[name])
        result.nodes.append(node.name)
    editor.commit()
    return result


def _rounded(editor: GraphEditor, node: NodeProto, name: str, observations: Observations) -> str:
    if is_constant(editor, name):
        stored = fp8_weights(editor.array(name).astype(np.float32))
        return editor.add_constant(f"{name}:fp8", dequantized(stored))
    return _write_chain(editor, node, name, rounded_scale(observations.threshold(name, _BY_MAX) / E4M3_LARGEST))


def _write_chain(editor: GraphEditor, node: NodeProto, name: str, scale: float) -> str:
    """Rule 2."""
    factor = editor.add_constant(f"{name}:scale", np.array(scale, np.float32))
    low, high = (
        editor.add_constant(f"{name}:{word}", np.array(sign * E4M3_LARGEST, np.float32))
        for word, sign in (("low", -1), ("high", 1))
    )
    steps: tuple[tuple[str, list[str], dict[str, int]], ...] = (
        ("Div", ["", factor], {}),
        ("Clip", ["", low, high], {}),
        ("Cast", [""], {"to": TensorProto.FLOAT8E4M3FN}),
        ("Cast", [""], {"to": TensorProto.FLOAT}),
        ("Mul", ["", factor], {}),
    )
    nodes, at = [], name
    for op, inputs, attributes in steps:
        made = editor.new_name(f"{name}:rounded")
        title = editor.new_node_name(f"{node.name}:round")
        nodes.append(helper.make_node(op, [at, *inputs[1:]], [made], title, **attributes))
        at = made
    editor.insert_behind_producer(name, *nodes)
    return at
