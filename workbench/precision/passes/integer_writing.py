"""Writes chains of integer operators (`integer_chains`), and bias as integers.

Rules
1. All activations are uint8 over the range that was seen: sums and products take operands of one type only.
2. The bias of a Gemm, and what is added behind a MatMul, is int32 in steps of both scales: ONNX Runtime computes the
   two as one operator, and in integers only where all its operands are. For a Conv it converts the bias itself.
3. So a bias must fit into int32 in such steps, with as much room again for the sum that it is added to. Where the
   weights of a channel are all but zero (pruned, or closed by a BatchNormalization that was folded) their scale is
   made large enough for its bias. One dead channel of 32 with a bias of 2 gave 13 dB in place of 44 before. A bias
   that does not fit even so, as an infinite one, stays in float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from workbench.precision.editor import GraphEditor, Use, float_attribute, is_standard
from workbench.precision.passes.integer_chains import Chains, Result
from workbench.precision.passes.qdq import Form, QdqWriter
from workbench.precision.passes.weights import Stored

_LARGEST = 2**30  # steps of a bias; scales that are made for one aim at half of them


class ChainWriter:
    """Writes into one graph; `commit()` of the editor is the caller's.

    `form` gives a tensor a form of its own, with no steps below a number. `done` are tensors that come from behind a
    DequantizeLinear already.
    """

    def __init__(self, editor: GraphEditor, writer: QdqWriter, form: Callable[[str, float], Form]) -> None:
        self._editor, self._writer, self._form = editor, writer, form
        self._back: dict[str, str] = {}  # tensors as they were called, and as they are read now
        self._forms: dict[str, Form] = {}
        self.done: set[str] = set()

    def write_results(self, chains: Chains) -> None:
        for result in chains.results:
            self._result(result)

    def write_joins(self, chains: Chains) -> None:
        """What sums and products read beside results: numbers, and tensors that may have a pair by now."""
        for node in chains.joins:
            self._join(node)

    def _result(self, result: Result) -> None:
        name = result.tensor
        if result.factor is not None:
            self._forms[name] = self._forms[result.like].scaled(result.factor)
            self._writer.scale(result.maker, self._back[result.like], self._forms[name])
            self._back[name] = name
        else:
            self._forms[name] = self._forms[result.like] if result.like else self._form(name, result.floor)
            uses = list(self._editor.uses[name])
            self._back[name] = self._writer.pair(result.maker.name, "y", name, self._forms[name])
            self._editor.redirect(name, self._back[name], uses)
        self.done.add(self._back[name])

    def _join(self, node: NodeProto) -> None:
        editor = self._editor
        for slot, name in enumerate(node.input):
            value = editor.constant(name)
            if value is not None:
                editor.set_input(node, slot, self._writer.number(node, _letter(slot), name, value))
            elif name not in self.done:
                editor.set_input(node, slot, self._writer.pair(node.name, _letter(slot), name, self._form(name, -inf)))

    def write_bias(self, nodes: Iterable[NodeProto]) -> None:
        """Rule 2, for MatMul and Gemm whose operands are quantized by now."""
        for node in nodes:
            use = _bias_of(self._editor, node)
            first, second = (self._writer.scale_of(name) for name in node.input[:2])
            if use is not None and first is not None and second is not None:
                self._write_bias(use, np.asarray(first * second, np.float32))

    def _write_bias(self, use: Use, scale: NDArray[np.float32]) -> None:
        name = use.node.input[use.slot]
        value = self._editor.constant(name)
        if value is None or value.dtype != np.float32 or value.ndim != 1 or scale.size not in (1, value.size):
            return
        steps = np.rint(value.astype(np.float64) / scale)
        if not np.abs(steps).max(initial=0.0) <= _LARGEST:
            return
        stored = Stored(steps.astype(np.int32), scale, 0 if scale.ndim else None)
        key = f"bias of {use.node.name}"
        bias = self._writer.weight(use.node, _letter(use.slot), name, key, lambda: stored)
        self._editor.set_input(use.node, use.slot, bias)


def scales_for_bias(
    editor: GraphEditor, node: NodeProto, data: NDArray[np.float32] | None, scales: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Rule 3: the scales of a node's weights, a channel each, where its bias asks for larger ones; else None.

    `data` is the scale of what they are multiplied with.
    """
    use = Use(node, 2) if node.op_type == "Conv" and len(node.input) > 2 else _bias_of(editor, node)
    bias = editor.constant(use.node.input[use.slot]) if use is not None else None
    if data is None or bias is None or bias.dtype != np.float32 or bias.shape != scales.shape:
        return None
    needed = np.where(np.isfinite(bias), np.abs(bias), 0.0) / (data.astype(np.float64) * _LARGEST / 2)
    return np.maximum(scales, needed.astype(np.float32)) if np.any(needed > scales) else None


def _bias_of(editor: GraphEditor, node: NodeProto) -> Use | None:
    if node.op_type == "Gemm":
        is_plain = float_attribute(node, "alpha", 1.0) == float_attribute(node, "beta", 1.0) == 1.0
        return Use(node, 2) if is_plain and len(node.input) > 2 and node.input[2] else None
    uses = editor.uses.get(node.output[0], ())
    if node.op_type != "MatMul" or len(uses) != 1 or not is_standard(uses[0].node, "Add"):
        return None
    return Use(uses[0].node, 1 - uses[0].slot)


def _letter(slot: int) -> str:
    """What an operand is called in the names of its Q/DQ."""
    return chr(ord("a") + slot) if slot < 26 else str(slot)
