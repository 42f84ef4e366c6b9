"""INT8 and FP8: Q/DQ pairs on the inputs of Conv, MatMul and Gemm.

Rules
1. A node is quantized when it is standard, computes in float32 and its activations were observed. A Conv needs constant
   weights; ConvTranspose and everything else stays in float.
2. Activations get QuantizeLinear and DequantizeLinear with one scale per tensor. All users of one tensor that want the
   same form share one pair, named after the first of them: `n17:quantize_x`, `n17:dequantize_x`.
3. INT8 is int8 with zero point 0, scale = threshold / 127. In an unsigned dialect, an activation that meets
   constant weights is uint8 over the range that was seen, clipped at the threshold on either side: scale =
   (high - low) / 255, zero point = -low / scale. So a tensor that was never negative has zero point 0, and one that
   hardly is (the output of a hard-swish) loses no steps to values that do not occur. Where both operands are
   activations, both are int8 (OpenVINO falls back to float for a uint8 second operand).
4. FP8 is E4M3, scale = largest magnitude seen / 448, whatever the method: clipping buys a float type nothing, for its
   steps are relative to the value.
5. Constant operands are stored as int8 or E4M3 with a DequantizeLinear behind them, so that the file holds a quarter of
   the bytes. An int8 scale is per output channel: axis 0 of a Conv, the output axis of the second operand of MatMul and
   Gemm. Below opset 13, and for a constant first operand, it is one per tensor. See `weights`.
6. Bias stays in float (TensorRT refuses int32 bias; OpenVINO adds it in float anyway).
7. A node that reads one of the dialect's `unquantized_behind`, directly or through operators that only move values,
   stays in float: OpenVINO 2026.4 fuses the quantization into ReduceMax and ReduceMin and computes wrongly (27 dB, not
   140).
8. In INT8, the skip branch of a residual sum is quantized (`residual`): `n20:quantize_skip`.
9. In INT8, the input of an average pool between quantized nodes is quantized (`pooling`).
10. Q/DQ stand before operators that only move values for quantized nodes (Flatten, Reshape, Transpose, Squeeze,
   Unsqueeze): the values are the same, what computes them writes 8 bits itself, and what moves them moves a quarter of
   the bytes. Engines take a DequantizeLinear through these to the node that multiplies.
11. In a dialect of `integer_results`, INT8 follows `integer_chains` and `integer_writing` in place of rules 6, 8, 9 and
    10, and all activations are uint8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto

from workbench.core.dialect import Dialect
from workbench.core.precision import Calibration, CalibrationMethod, Precision
from workbench.precision.editor import GraphEditor, Use, int_attribute, is_standard
from workbench.precision.observations import Observations
from workbench.precision.passes.drop_dead import drop_dead
from workbench.precision.passes.integer_chains import better_float, integer_chains
from workbench.precision.passes.integer_writing import ChainWriter, scales_for_bias
from workbench.precision.passes.lift_opset import PER_CHANNEL_OPSET
from workbench.precision.passes.pooling import pools_before
from workbench.precision.passes.qdq import Form, QdqWriter
from workbench.precision.passes.residual import skips
from workbench.precision.passes.weights import (
    E4M3,
    E4M3_LARGEST,
    Stored,
    fp8_weights,
    int8_scales,
    int8_weights,
    rounded_scale,
)
from workbench.precision.thresholds import SIGNED_LEVELS, UNSIGNED_LEVELS

OPS = ("Conv", "MatMul", "Gemm")
_BY_MAX = Calibration(method=CalibrationMethod.MAX)
_BY_PERCENTILE = Calibration(method=CalibrationMethod.PERCENTILE)
PER_TENSOR_OPSET = 10
FP8_OPSET = 19
_OPERANDS = (0, 1)
_VIEWS = ("Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_MOVES = ("Concat", "Slice", "Split", *_VIEWS)


class Wish(NamedTuple):
    """INT8 or FP8, and the type that scales will have in the end: the float type of the graph around."""

    precision: Precision
    scales: DTypeLike = np.float32


@dataclass
class Quantized:
    """Nodes that compute in INT8 or FP8 now, those that move 8-bit values for them alone (rule 10), how many could
    not, by reason, and nodes that are gone, with why."""

    nodes: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    removed: dict[str, str] = field(default_factory=dict)


def observed_tensors(model: ModelProto, dialect: Dialect | None = None) -> list[str]:
    """Activations that INT8 may need ranges of, in graph order; more of them for a dialect of `integer_results`."""
    editor = GraphEditor(model)
    able = [node for node in editor.nodes if is_standard(node, *OPS) and not why_not(editor, node)]
    names = dict.fromkeys(name for node in able for name in _activations(editor, node))
    quantizable = frozenset(node.name for node in able)
    names |= dict.fromkeys(node.input[slot] for node, slot, _ in _around(editor, quantizable))
    if dialect is not None and dialect.integer_results:
        tensors = integer_chains(editor, quantizable, partial(_may_have_range, editor)).tensors
        names |= dict.fromkeys(name for name in tensors if _may_have_range(editor, name))
    return list(names)


def _may_have_range(editor: GraphEditor, name: str) -> bool:
    return editor.types.get(name) == TensorProto.FLOAT and editor.constant(name) is None


def why_not(editor: GraphEditor, node: NodeProto, opset: int = PER_TENSOR_OPSET) -> str:
    """Why this Conv, MatMul or Gemm stays in float; empty: it need not. `opset` is what its Q/DQ need."""
    if editor.opset < opset:
        return f"opset {editor.opset} has no such Q/DQ"
    if any(editor.types.get(node.input[slot]) != TensorProto.FLOAT for slot in _OPERANDS):
        return "its operands are not float32"
    if node.op_type == "Conv" and not is_constant(editor, node.input[1]):
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
    wish: Wish = Wish(Precision.INT8),  # noqa: B008  frozen
) -> Quantized:
    """Edits `model`. `asked` are names of its nodes; those that cannot be quantized are counted, not refused."""
    editor = GraphEditor(model)
    result = Quantized()
    able = [node for node in editor.nodes if node.name in asked and is_standard(node, *OPS)]
    for node in list(able):
        if reason := _why_not_now(editor, node, observations, dialect, wish.precision):
            result.left[f"{node.op_type}: {reason}"] += 1
            able.remove(node)
    in_chains = dialect.integer_results and wish.precision is Precision.INT8
    if in_chains:
        reasons = better_float(editor, able, partial(_has_range, observations))
        result.left.update(f"{node.op_type}: {reasons[node.name]}" for node in able if node.name in reasons)
        able = [node for node in able if node.name not in reasons]
    result.nodes = [node.name for node in able]
    around = _around(editor, frozenset(result.nodes)) if wish.precision is Precision.INT8 and not in_chains else []
    unsigned = {node.name: _is_unsigned(editor, node, dialect) for node in able}
    rewriter = _Rewriter(editor, observations, calibration, wish, unsigned)
    if in_chains:
        rewriter.rewrite_chains(able)
    else:
        for node in able:
            rewriter.rewrite(node)
    for node, slot, role in around:
        name = node.input[slot]
        if _has_range(observations, name) and not _reads_from(editor, [name], dialect.unquantized_behind):
            rewriter.rewrite_input(node, slot, role, unsigned=dialect.unsigned_activations)
    result.moves = rewriter.moves
    editor.commit()
    if in_chains:
        result.removed = {name: "absorbed" for name in drop_dead(model) if ":" not in name}
    return result


def _is_unsigned(editor: GraphEditor, node: NodeProto, dialect: Dialect) -> bool:
    """Rules 3 and 11."""
    return dialect.integer_results or (dialect.unsigned_activations and is_constant(editor, node.input[1]))


def _has_range(observations: Observations, name: str) -> bool:
    return name in observations and observations.threshold(name, _BY_MAX) > 0.0


def _why_not_now(
    editor: GraphEditor, node: NodeProto, observations: Observations, dialect: Dialect, precision: Precision
) -> str:
    """`why_not`, and what calibration and the dialect have against it."""
    opset = FP8_OPSET if precision is Precision.FP8 else PER_TENSOR_OPSET
    reason = why_not(editor, node, opset) or unseen(editor, node, observations)
    if not reason and (behind := _reads_from(editor, _activations(editor, node), dialect.unquantized_behind)):
        return f"it reads a {behind}, behind which {dialect.name} computes {precision.label} wrongly"
    return reason


def _around(editor: GraphEditor, quantized: frozenset[str]) -> list[tuple[NodeProto, int, str]]:
    """Rules 8 and 9: inputs of other nodes that are quantized along with these, and the role of their Q/DQ."""
    sums = [(skip.add, skip.slot, "skip") for skip in skips(editor) if skip.conv in quantized]
    return [*sums, *((pool, 0, "x") for pool in pools_before(editor, quantized))]


def is_constant(editor: GraphEditor, name: str) -> bool:
    """Whether a tensor is an initializer that nobody may feed."""
    return name in editor.constants and name not in editor.inputs


def _activations(editor: GraphEditor, node: NodeProto) -> list[str]:
    return [node.input[slot] for slot in _OPERANDS if not is_constant(editor, node.input[slot])]


def unseen(editor: GraphEditor, node: NodeProto, observations: Observations) -> str:
    """Why what calibration saw of its activations gives no range; empty: it does."""
    names = _activations(editor, node)
    if not all(name in observations for name in names):
        return "calibration saw no finite values"
    if any(observations.threshold(name, _BY_MAX) == 0.0 for name in names):
        return "calibration saw zeros only"
    return ""


def _reads_from(editor: GraphEditor, names: list[str], ops: tuple[str, ...]) -> str:
    """Rule 7: the first of `ops` that these tensors come from; empty: none."""
    waiting, seen = list(names), set()
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


class _Rewriter:
    """Gives the operands of nodes their quantized forms. `unsigned`: the nodes, and which read unsigned activations."""

    def __init__(
        self,
        editor: GraphEditor,
        observations: Observations,
        calibration: Calibration,
        wish: Wish,
        unsigned: Mapping[str, bool],
    ) -> None:
        self._editor = editor
        self._observations = observations
        self._calibration = calibration
        self._wish = wish
        self._unsigned = unsigned
        self._may_move = True
        self._uses = {name: tuple(uses) for name, uses in editor.uses.items()}  # as they were
        self._moved: set[str] = set()  # tensors that come from behind a pair by moves alone
        self.moves: list[str] = []
        self._writer = QdqWriter(editor)

    def rewrite_chains(self, nodes: list[NodeProto]) -> None:
        """Rule 11."""
        writer = ChainWriter(self._editor, self._writer, self._unsigned_form)
        quantized, has_range = frozenset(node.name for node in nodes), partial(_has_range, self._observations)
        chains = integer_chains(self._editor, quantized, has_range)
        writer.write_results(chains)
        self._moved, self._may_move = writer.done, False
        for node in nodes:
            self.rewrite(node)
        writer.write_joins(chains)
        writer.write_bias(nodes)

    def rewrite(self, node: NodeProto) -> None:
        for slot in _OPERANDS:
            name, operand = node.input[slot], ("xw" if node.op_type == "Conv" else "ab")[slot]
            if is_constant(self._editor, name):
                self._editor.set_input(node, slot, self._weight(node, slot, "w" if slot else "a", name))
            else:
                self._activation(node, slot, operand)

    def _activation(self, node: NodeProto, slot: int, operand: str) -> None:
        """Rules 2 and 10."""
        name = node.input[slot]
        if name in self._moved:
            return
        form = self._form(name, self._unsigned[node.name])
        place = self._place(Use(node, slot))
        if place.node is not node:
            self._moved.add(name)
        pair = self._writer.pair(node.name, operand, place.node.input[place.slot], form)
        self._editor.set_input(place.node, place.slot, pair)

    def _place(self, use: Use) -> Use:
        """Where the pair goes: upstream past moves that serve nothing but quantized nodes of one form."""
        editor, form = self._editor, self._unsigned[use.node.name]
        users = self._uses[use.node.input[use.slot]]
        serves = all(user.slot in _OPERANDS and self._unsigned.get(user.node.name) is form for user in users)
        while serves and self._may_move:
            name = use.node.input[use.slot]
            move = editor.producers.get(name)
            if move is None or name in editor.outputs or not is_standard(move, *_VIEWS):
                break
            use = Use(move, 0)
            self.moves.append(move.name)
            serves = len(self._uses[move.input[0]]) == 1
        return use

    def rewrite_input(self, node: NodeProto, slot: int, operand: str, *, unsigned: bool) -> None:
        name = node.input[slot]
        pair = self._writer.pair(node.name, operand, name, self._form(name, unsigned))
        self._editor.set_input(node, slot, pair)

    def _form(self, name: str, unsigned: bool) -> Form:
        """Rules 3 and 4."""
        seen, kind = self._observations, self._wish.scales
        if self._wish.precision is Precision.FP8:
            largest = seen.threshold(name, _BY_MAX)
            return Form(rounded_scale(largest / E4M3_LARGEST, kind), np.array(0, E4M3))
        if not unsigned:
            threshold = seen.threshold(name, self._calibration)
            return Form(rounded_scale(threshold / SIGNED_LEVELS, kind), np.array(0, np.int8))
        return self._unsigned_form(name)

    def _unsigned_form(self, name: str, floor: float = -inf) -> Form:
        """Rule 3; with no steps below `floor`, which is not above zero (rule 8 of `integer_chains`)."""
        by_error = floor > -inf and self._calibration.method is CalibrationMethod.MSE
        low, high = self._observations.range(name, _BY_PERCENTILE if by_error else self._calibration)
        low = max(low, floor)
        scale = rounded_scale((high - low) / UNSIGNED_LEVELS, self._wish.scales)
        return Form(scale, np.array(round(min(-low / scale, UNSIGNED_LEVELS)), np.uint8))

    def _weight(self, node: NodeProto, slot: int, operand: str, name: str) -> str:
        axis = self._axis(node, slot, name)
        scales = None if self._may_move or axis is None else self._scales_for_bias(node, name, axis)

        def store() -> Stored:
            values = self._editor.array(name).astype(np.float32)
            if self._wish.precision is Precision.FP8:
                return fp8_weights(values, self._wish.scales)
            return int8_weights(values, axis, self._wish.scales, scales)

        own = "" if scales is None else node.name
        return self._writer.weight(node, operand, name, f"{self._wish.precision}:{axis}:{own}", store)

    def _scales_for_bias(self, node: NodeProto, name: str, axis: int) -> NDArray[np.float32] | None:
        """Rule 3 of `integer_writing`."""
        scales = int8_scales(self._editor.array(name).astype(np.float32), axis, self._wish.scales)
        return scales_for_bias(self._editor, node, self._writer.scale_of(node.input[0]), scales)

    def _axis(self, node: NodeProto, slot: int, name: str) -> int | None:
        """Rule 5."""
        if self._editor.opset < PER_CHANNEL_OPSET or slot == 0 or self._wish.precision is Precision.FP8:
            return None
        return output_axis(node, len(self._editor.constants[name].dims))


def output_axis(node: NodeProto, rank: int) -> int | None:
    """The axis of output channels in the weights of a Conv, MatMul or Gemm; None where they have none."""
    if rank < 2:
        return None
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        return 0 if int_attribute(node, "transB", 0) else 1
    return rank - 1
