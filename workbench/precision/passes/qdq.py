"""Writing QuantizeLinear and DequantizeLinear into a graph: pairs on activations, stored weights behind one.

Every node is named after the source node it first serves: `n17:quantize_x`, `n17:dequantize_w`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from workbench.precision.editor import GraphEditor
from workbench.precision.passes.weights import Stored
from workbench.precision.thresholds import UNSIGNED_LEVELS


class Form(NamedTuple):
    """How an activation is stored: the zero point has the storage type (int8, uint8, E4M3)."""

    scale: float
    zero_point: NDArray[np.generic]

    def scaled(self, factor: float) -> Form:
        """The form of the same stored values that stand for tensors `factor` times as large."""
        return self._replace(scale=float(np.float32(self.scale * factor)))


class _Kept(NamedTuple):
    """Names of the constants of one stored weight, and the attributes of what dequantizes it."""

    values: str
    scale: str
    zero_point: str
    scale_of_scales: str
    attributes: dict[str, int]


class QdqWriter:
    """Writes for one graph; `commit()` of the editor is the caller's."""

    def __init__(self, editor: GraphEditor) -> None:
        self._editor = editor
        self._pairs: dict[tuple[str, str, float], str] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._made: dict[str, NodeProto] = {}  # every DequantizeLinear, by its output

    def pair(self, owner: str, operand: str, name: str, form: Form) -> str:
        """Q and DQ behind whatever makes `name`; the tensor to read instead of it. Users in one form share a pair."""
        key = (name, form.zero_point.dtype.name, form.scale)
        if key not in self._pairs:
            self._pairs[key] = self._write_pair(owner, operand, name, form)
        return self._pairs[key]

    def weight(self, node: NodeProto, operand: str, name: str, how: str, store: Callable[[], Stored]) -> str:
        """DQ in front of `node`; the tensor to read instead of the constant `name`.

        `how` tells forms of one weight apart; `store` makes the form where there is none yet. Nodes share the stored
        values, and each has a DequantizeLinear of its own.
        """
        if (name, how) not in self._kept:
            self._kept[name, how] = self._keep(name, store())
        kept = self._kept[name, how]
        scale = kept.scale
        if kept.scale_of_scales:
            scale = self._dequantize(node, f"scale_{operand}", [scale, kept.scale_of_scales], scale)
        inputs = [kept.values, scale, *([kept.zero_point] if kept.zero_point else [])]
        return self._dequantize(node, operand, inputs, name, kept.attributes)

    def scale(self, node: NodeProto, back: str, form: Form) -> None:
        """Puts a DequantizeLinear of this form in place of `node`, which multiplies `back`, that of a pair."""
        editor, stored = self._editor, self._made[back].input[0]
        scale = editor.add_constant(f"{node.output[0]}:scale", np.array(form.scale, np.float32))
        zero = editor.add_constant(f"{node.output[0]}:zero_point", form.zero_point)
        made = helper.make_node("DequantizeLinear", [stored, scale, zero], [node.output[0]], node.name)
        editor.replace(node, made)
        self._made[node.output[0]] = made

    def number(self, node: NodeProto, operand: str, name: str, value: NDArray[np.generic]) -> str:
        """DQ in front of `node` of a constant that is one number, exactly: 255 steps from the zero point."""
        editor, number = self._editor, float(value.ravel()[0])
        far, near = np.uint8(255 if number > 0.0 else 0), np.uint8(0 if number > 0.0 else 255)
        stored = editor.add_constant(f"{name}:uint8", np.full(value.shape, far))
        scale = editor.add_constant(f"{name}:scale", np.array(abs(number) / UNSIGNED_LEVELS or 1.0, np.float32))
        zero = editor.add_constant(f"{name}:zero_point", np.array(near if number else far))
        return self._dequantize(node, operand, [stored, scale, zero], name)

    def scale_of(self, back: str) -> NDArray[np.float32] | None:
        """The scale of what a DequantizeLinear of this writer gives; None where it has not made this tensor."""
        return self._editor.array(self._made[back].input[1]).astype(np.float32) if back in self._made else None

    def _write_pair(self, owner: str, operand: str, name: str, form: Form) -> str:
        editor = self._editor
        scale = editor.add_constant(f"{name}:scale", np.array(form.scale, np.float32))
        zero = editor.add_constant(f"{name}:zero_point", form.zero_point)
        stored, back = editor.new_name(f"{name}:quantized"), editor.new_name(f"{name}:dequantized")
        first, second = (editor.new_node_name(f"{owner}:{verb}_{operand}") for verb in ("quantize", "dequantize"))
        made = helper.make_node("DequantizeLinear", [stored, scale, zero], [back], second)
        editor.insert_behind_producer(
            name, helper.make_node("QuantizeLinear", [name, scale, zero], [stored], first), made
        )
        self._made[back] = made
        return back

    def _keep(self, name: str, stored: Stored) -> _Kept:
        """The constants of a stored weight. Blocks have no zero points, which default to zero."""
        editor = self._editor
        values = editor.add_constant(f"{name}:{stored.values.dtype.name}", stored.values)
        scale = editor.add_constant(f"{name}:scale", stored.scale)
        whole, zero = "", ""
        if stored.scale_of_scales is not None:
            whole = editor.add_constant(f"{name}:scale_of_scales", stored.scale_of_scales)
        if not stored.block:
            zero = editor.add_constant(f"{name}:zero_point", np.zeros(stored.scale.shape, stored.values.dtype))
        attributes = {} if stored.axis is None else {"axis": stored.axis}
        return _Kept(values, scale, zero, whole, attributes | ({"block_size": stored.block} if stored.block else {}))

    def _dequantize(
        self, node: NodeProto, operand: str, inputs: list[str], name: str, attributes: dict[str, int] | None = None
    ) -> str:
        editor = self._editor
        back = editor.new_name(f"{name}:dequantized")
        title = editor.new_node_name(f"{node.name}:dequantize_{operand}")
        made = helper.make_node("DequantizeLinear", inputs, [back], title, **(attributes or {}))
        editor.insert_before(node, made)
        self._made[back] = made
        return back
