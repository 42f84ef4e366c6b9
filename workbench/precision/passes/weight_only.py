"""Weights alone in INT8, INT4 or FP4: a DequantizeLinear behind the stored weights, activations in float.

One file for every engine: OpenVINO and ONNX Runtime make weight-only kernels of it (FullyConnected with i8 or i4
weights, MatMulNBits), TensorRT fuses the dequantization into the product. Smaller for sure; faster is not promised.

Rules
1. INT8: the constant second operand of Conv, MatMul and Gemm, one scale per output channel (opset 13).
2. INT4 (opset 21) and FP4 (opset 23): MatMul and Gemm with constant two-dimensional weights; scales in blocks along the
   input axis, which is axis 0: a Gemm with transB is written with its weights transposed and transB 0, for ONNX Runtime
   fuses only that form.
3. A block must divide the input channels: where the wished one (`block`) does not, half of it is tried, and so on
   down to 16. Weights that no block divides stay in float. FP4 has blocks of 16 always.
4. Nodes that read one weight share the stored values, unless the dialect wants each to have its own: TensorRT for RTX
   1.7 crashes on products that share two stored weights crosswise, as a Fourier transform written in MatMuls does.
   The float original goes where nothing else reads it.
5. Weights of fewer than 1024 values stay in float: a kernel more, or a crash of TensorRT's, is no price for a kilobyte.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from workbench.core.precision import Precision
from workbench.precision.editor import GraphEditor, int_attribute, is_standard
from workbench.precision.passes.qdq import QdqWriter
from workbench.precision.passes.quantize import OPS, Quantized, Wish, output_axis
from workbench.precision.passes.weights import Stored, fp4_weights, int4_weights, int8_weights

OPSETS = {Precision.INT8_WEIGHTS: 13, Precision.INT4_WEIGHTS: 21, Precision.FP4_WEIGHTS: 23}
"""The opset that brought the form of DequantizeLinear each needs."""
SMALLEST_BLOCK = 16
FEWEST = 1024
BLOCKS = (16, 32, 64, 128, 256)
"""Sizes that engines have kernels for."""


def store_weights(model: ModelProto, asked: Collection[str], wish: Wish, block: int, *, own: bool = False) -> Quantized:
    """Edits `model`. `asked` are names of its nodes; those that cannot be stored so are counted. `own` as in rule 4."""
    editor = GraphEditor(model)
    writer = QdqWriter(editor)
    result = Quantized()
    for node in editor.nodes:
        if node.name not in asked or not is_standard(node, *OPS):
            continue
        reason = _why_not(editor, node, wish.precision)
        if reason:
            result.left[f"{node.op_type}: {reason}"] += 1
            continue
        _store(editor, writer, node, wish, block, node.name if own else "")
        result.nodes.append(node.name)
    editor.commit()
    return result


def _why_not(editor: GraphEditor, node: NodeProto, precision: Precision) -> str:
    if editor.opset < OPSETS[precision]:
        return f"opset {editor.opset} has no such DequantizeLinear"
    name = node.input[1]
    if name not in editor.constants or name in editor.inputs:
        return "its weights are computed"
    if editor.types.get(name) != TensorProto.FLOAT:
        return "its weights are not float32"
    dims = editor.constants[name].dims
    if math.prod(dims) < FEWEST:
        return f"fewer than {FEWEST} weights"
    if precision is Precision.INT8_WEIGHTS:
        return "" if len(dims) >= 2 else "its weights have one dimension"
    if node.op_type == "Conv":
        return f"{precision.label} are for MatMul and Gemm"
    if len(dims) != 2:
        return "its weights have not two dimensions"
    return "" if _block(dims[_input_axis(node)], SMALLEST_BLOCK) else "no block divides its input channels"


def _input_axis(node: NodeProto) -> int:
    return 1 if node.op_type == "Gemm" and int_attribute(node, "transB", 0) else 0


def _block(size: int, wished: int) -> int:
    """Rule 3; 0 where none fits."""
    while wished >= SMALLEST_BLOCK:
        if size % wished == 0:
            return wished
        wished //= 2
    return 0


def _store(editor: GraphEditor, writer: QdqWriter, node: NodeProto, wish: Wish, block: int, owner: str) -> None:
    name, turned = node.input[1], wish.precision is not Precision.INT8_WEIGHTS and _input_axis(node) == 1

    def store() -> Stored:
        values = editor.array(name).astype(np.float32)
        values = np.ascontiguousarray(values.T) if turned else values
        if wish.precision is Precision.INT8_WEIGHTS:
            return int8_weights(values, output_axis(node, values.ndim), wish.scales)
        if wish.precision is Precision.FP4_WEIGHTS:
            return fp4_weights(values, 0, wish.scales)
        return int4_weights(values, 0, _block(len(values), block), wish.scales)

    if turned:
        next(entry for entry in node.attribute if entry.name == "transB").i = 0
    axis = output_axis(node, len(editor.constants[name].dims))
    editor.set_input(node, 1, writer.weight(node, "w", name, f"{wish.precision}:{axis}:{turned}:{owner}", store))
