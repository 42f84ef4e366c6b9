"""Writing QuantizeLinear and DequantizeLinear into a graph: pairs on activations, stored weights behind one.

Every node is named after the source node it first serves: `n17:quantize_x`, `n17:dequantize_w`. Users of one tensor in
one form share one pair, and of one weight in one form one DequantizeLinear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto

from workbench.precision.editor import GraphEditor
from workbench.precision.passes.weights import Stored


class Form(NamedTuple):
    """How an activation is stored: the zero point has the storage type (int8, uint8, E4M3)."""

    scale: float
    zero_point: NDArray[np.generic]

    @property
    def word(self) -> str:
        """The storage type in tensor names, where one tensor is stored in two."""
        return self.zero_point.dtype.name


class QdqWriter:
    """Writes for one graph; `commit()` of the editor is the caller's."""

    def __init__(self, editor: GraphEditor) -> None:
        self._editor = editor
        self._pairs: dict[tuple[str, str, float], str] = {}
        self._weights: dict[tuple[str, str], str] = {}

    def pair(self, owner: str, operand: str, name: str, form: Form) -> str:
        """Q and DQ behind whatever makes `name`; the tensor to read instead of it."""
        key = (name, form.word, form.scale)
        if key not in self._pairs:
            self._pairs[key] = self._write_pair(owner, operand, name, form)
        return self._pairs[key]

    def weight(self, node: NodeProto, operand: str, name: str, how: str, store: Callable[[], Stored]) -> str:
        """DQ in front of `node`; the tensor to read instead of the constant `name`.

        `how` tells forms of one weight apart; `store` makes the form where there is none yet.
        """
        if (name, how) not in self._weights:
            self._weights[name, how] = self._write_weight(node, operand, name, store())
        return self._weights[name, how]

    def _write_pair(self, owner: str, operand: str, name: str, form: Form) -> str:
        editor = self._editor
        scale = editor.add_constant(f"{name}:scale", np.array(form.scale, np.float32))
        zero = editor.add_constant(f"{name}:zero_point", form.zero_point)
        stored, back = editor.new_name(f"{name}:quantized"), editor.new_name(f"{name}:dequantized")
        editor.insert_behind_producer(
            name,
            _node("QuantizeLinear", [name, scale, zero], stored, editor.new_node_name(f"{owner}:quantize_{operand}")),
            _node(
                "DequantizeLinear", [stored, scale, zero], back, editor.new_node_name(f"{owner}:dequantize_{operand}")
            ),
        )
        return back

    def _write_weight(self, node: NodeProto, operand: str, name: str, stored: Stored) -> str:
        editor = self._editor
        values = editor.add_constant(f"{name}:{stored.values.dtype.name}", stored.values)
        scale = editor.add_constant(f"{name}:scale", stored.scale)
        if stored.scale_of_scales is not None:
            scale = self._widen_scale(node, operand, scale, stored.scale_of_scales)
        inputs = [values, scale]
        if not stored.block:
            inputs.append(editor.add_constant(f"{name}:zero_point", np.zeros(stored.scale.shape, stored.values.dtype)))
        back = editor.new_name(f"{name}:dequantized")
        new = _node("DequantizeLinear", inputs, back, editor.new_node_name(f"{node.name}:dequantize_{operand}"))
        for key, value in (("axis", stored.axis), ("block_size", stored.block or None)):
            if value is not None:
                new.attribute.append(onnx.helper.make_attribute(key, value))
        editor.insert_before(node, new)
        return back

    def _widen_scale(self, node: NodeProto, operand: str, scale: str, whole: NDArray[np.generic]) -> str:
        """FP4: its scales are E4M3 and have a scale of their own."""
        editor = self._editor
        factor = editor.add_constant(f"{scale}:scale", whole)
        wide = editor.new_name(f"{scale}:dequantized")
        name = editor.new_node_name(f"{node.name}:dequantize_scale_{operand}")
        editor.insert_before(node, _node("DequantizeLinear", [scale, factor], wide, name))
        return wide


def _node(op: str, inputs: list[str], output: str, name: str) -> NodeProto:
    return onnx.helper.make_node(op, inputs, [output], name=name)
