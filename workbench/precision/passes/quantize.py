"""INT8: Q/DQ pairs on the inputs of Conv, MatMul and Gemm.

Rules
1. A node is quantized when it is standard, computes in float32 and its activations were observed. A Conv needs constant
   weights; ConvTranspose and everything else stays in float.
2. Activations get QuantizeLinear and DequantizeLinear with one scale per tensor. All users of one tensor that want the
   same form share one pair, named after the first of them: `n17:quantize_x`, `n17:dequantize_x`.
3. The form is int8 with zero point 0, scale = threshold / 127. In an unsigned dialect, an activation that meets
   constant weights is uint8 over the range that was seen, clipped at the threshold on either side: scale =
   (high - low) / 255, zero point = -low / scale. So a tensor that was never negative has zero point 0, and one that
   hardly is (the output of a hard-swish) loses no steps to values that do not occur. Where both operands are
   activations, both are int8 (OpenVINO falls back to float for a uint8 second operand).
4. Constant operands are stored as int8 with a DequantizeLinear behind them, so that the file holds a quarter of the
   bytes. The scale is per output channel: axis 0 of a Conv, the output axis of the second operand of MatMul and Gemm.
   Below opset 13, and for a constant first operand, it is one per tensor.
5. A weight scale is max |w| / 127, never under a millionth of the tensor's largest: a dead channel gets no zero scale.
6. Bias stays in float (TensorRT refuses int32 bias; OpenVINO adds it in float anyway).
7. A node that reads one of the dialect's `unquantized_behind`, directly or through operators that only move values,
   stays in float: OpenVINO 2026.4 fuses the quantization into ReduceMax and ReduceMin and computes wrongly (27 dB, not
   140).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from workbench.core.dialect import Dialect
from workbench.core.precision import Calibration
from workbench.precision.editor import GraphEditor, int_attribute, is_standard
from workbench.precision.observations import Observations
from workbench.precision.passes.lift_opset import PER_CHANNEL_OPSET
from workbench.precision.passes.weights import quantized_weights
from workbench.precision.thresholds import SIGNED_LEVELS, UNSIGNED_LEVELS

OPS = ("Conv", "MatMul", "Gemm")
_PER_TENSOR_OPSET = 10
_OPERANDS = (0, 1)
_MOVES = ("Concat", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Flatten", "Split")


@dataclass
class Quantized:
    """Source nodes that compute in INT8 now, and how many could not, by reason."""

    nodes: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)


def observed_tensors(model: ModelProto) -> list[str]:
    """Activations that INT8 may need ranges of, in graph order."""
    editor = GraphEditor(model)
    able = [node for node in editor.nodes if is_standard(node, *OPS) and not why_not(editor, node)]
    return list(dict.fromkeys(name for node in able for name in _activations(editor, node)))


def why_not(editor: GraphEditor, node: NodeProto) -> str:
    """Why this Conv, MatMul or Gemm stays in float; empty: it need not."""
    if editor.opset < _PER_TENSOR_OPSET:
        return f"opset {editor.opset} has no Q/DQ"
    if any(editor.types.get(node.input[slot]) != TensorProto.FLOAT for slot in _OPERANDS):
        return "its operands are not float32"
    if node.op_type == "Conv" and not _is_constant(editor, node.input[1]):
        return "its weights are computed"
    if not list(_activations(editor, node)):
        return "it has no activation"
    return ""


def quantize(
    model: ModelProto,
    asked: Collection[str],
    observations: Observations,
    calibration: Calibration,
    dialect: Dialect,
) -> Quantized:
    """Edits `model`. `asked` are names of its nodes; those that cannot be quantized are counted, not refused."""
    editor = GraphEditor(model)
    writer = _Writer(editor, observations, calibration)
    result = Quantized()
    for node in editor.nodes:
        if node.name not in asked or not is_standard(node, *OPS):
            continue
        reason = why_not(editor, node) or _unseen(editor, node, observations)
        if not reason and (behind := _reads_from(editor, node, dialect.unquantized_behind)):
            reason = f"it reads a {behind}, behind which {dialect.name} computes INT8 wrongly"
        if reason:
            result.left[f"{node.op_type}: {reason}"] += 1
            continue
        writer.rewrite(node, unsigned=dialect.unsigned_activations and _is_constant(editor, node.input[1]))
        result.nodes.append(node.name)
    editor.commit()
    return result


def _is_constant(editor: GraphEditor, name: str) -> bool:
    return name in editor.constants and name not in editor.inputs


def _activations(editor: GraphEditor, node: NodeProto) -> list[str]:
    return [node.input[slot] for slot in _OPERANDS if not _is_constant(editor, node.input[slot])]


def _unseen(editor: GraphEditor, node: NodeProto, observations: Observations) -> str:
    seen = all(name in observations for name in _activations(editor, node))
    return "" if seen else "calibration saw no finite values"


def _reads_from(editor: GraphEditor, node: NodeProto, ops: tuple[str, ...]) -> str:
    """Rule 7: the first of `ops` that this node reads; empty: none."""
    waiting, seen = list(_activations(editor, node)), set()
    while waiting:
        name = waiting.pop()
        producer = editor.producers.get(name)
        if producer is None or name in seen:
            continue
        seen.add(name)
        if is_standard(producer, *ops):
            return str(producer.op_type)
        if is_standard(producer, *_MOVES):
            waiting.extend(producer.input)
    return ""


class _Writer:
    """Writes pairs for one graph, remembering those that can be shared."""

    def __init__(self, editor: GraphEditor, observations: Observations, calibration: Calibration) -> None:
        self._editor = editor
        self._observations = observations
        self._calibration = calibration
        self._pairs: dict[tuple[str, bool], str] = {}
        self._weights: dict[tuple[str, int | None], str] = {}

    def rewrite(self, node: NodeProto, *, unsigned: bool) -> None:
        for slot in _OPERANDS:
            name = node.input[slot]
            if _is_constant(self._editor, name):
                self._editor.set_input(node, slot, self._weight(node, slot, name))
            else:
                self._editor.set_input(node, slot, self._activation(node, slot, name, unsigned))

    def _activation(self, node: NodeProto, slot: int, name: str, unsigned: bool) -> str:
        if (name, unsigned) not in self._pairs:
            scale, zero_point = self._scale(name, unsigned)
            self._pairs[name, unsigned] = self._write_pair(node, slot, name, scale, zero_point)
        return self._pairs[name, unsigned]

    def _scale(self, name: str, unsigned: bool) -> tuple[float, NDArray[np.generic]]:
        """Rule 3."""
        if not unsigned:
            threshold = self._observations.threshold(name, self._calibration)
            return threshold / SIGNED_LEVELS or 1.0, np.array(0, np.int8)
        low, high = self._observations.range(name, self._calibration)
        scale = (high - low) / UNSIGNED_LEVELS or 1.0
        return scale, np.array(round(-low / scale), np.uint8)

    def _write_pair(self, node: NodeProto, slot: int, name: str, scale: float, zero_point: NDArray[np.generic]) -> str:
        editor, operand = self._editor, "xw"[slot] if node.op_type == "Conv" else "ab"[slot]
        owner = node.name
        scale_name = editor.add_constant(f"{name}:scale", np.array(scale, np.float32))
        zero_name = editor.add_constant(f"{name}:zero_point", zero_point)
        stored, back = editor.new_name(f"{name}:quantized"), editor.new_name(f"{name}:dequantized")
        editor.insert_behind_producer(
            name,
            onnx.helper.make_node(
                "QuantizeLinear", [name, scale_name, zero_name], [stored], name=f"{owner}:quantize_{operand}"
            ),
            onnx.helper.make_node(
                "DequantizeLinear", [stored, scale_name, zero_name], [back], name=f"{owner}:dequantize_{operand}"
            ),
        )
        return back

    def _weight(self, node: NodeProto, slot: int, name: str) -> str:
        axis = self._axis(node, slot, name)
        if (name, axis) not in self._weights:
            self._weights[name, axis] = self._write_weight(node, slot, name, axis)
        return self._weights[name, axis]

    def _axis(self, node: NodeProto, slot: int, name: str) -> int | None:
        """Rule 4: the axis of output channels, or None for one scale."""
        rank = len(self._editor.constants[name].dims)
        if self._editor.opset < PER_CHANNEL_OPSET or slot == 0 or rank < 2:
            return None
        if node.op_type == "Conv":
            return 0
        if node.op_type == "Gemm":
            return 0 if int_attribute(node, "transB", 0) else 1
        return rank - 1

    def _write_weight(self, node: NodeProto, slot: int, name: str, axis: int | None) -> str:
        editor = self._editor
        values, scale = quantized_weights(editor.array(name).astype(np.float32), axis)
        stored = editor.add_constant(f"{name}:int8", values)
        scale_name = editor.add_constant(f"{name}:scale", scale)
        zero_name = editor.add_constant(f"{name}:zero_point", np.zeros(scale.shape, np.int8))
        back = editor.new_name(f"{name}:dequantized")
        operand = "w" if slot else "a"
        new = onnx.helper.make_node(
            "DequantizeLinear", [stored, scale_name, zero_name], [back], name=f"{node.name}:dequantize_{operand}"
        )
        if axis is not None:
            new.attribute.append(onnx.helper.make_attribute("axis", axis))
        editor.insert_before(node, new)
        return back
