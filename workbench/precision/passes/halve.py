"""FP16 or BF16 written into the graph: tensors and weights of the asked nodes get the type, casts stand at the borders.

Rules
1. An asked node computes in the half type in every slot whose operator definition allows it together with float32; a
   slot that is float32 by definition (the scales of Resize) keeps it. BF16 goes by the newest definition of an
   operator: engines take it below the opset that wrote it down.
2. Random generators, operators of other domains and nodes with a float operand of unknown type stay as they are, and
   so do QuantizeLinear and DequantizeLinear before opset 19, in which scales may be half. Control flow keeps float32 at
   its borders; the nodes in its bodies follow the same rules.
3. A Cast that makes float32 from anything but a float stays (large integers overflow FP16); one from a float makes the
   half type instead.
4. Where a node reads another float type than its producer makes, one Cast is written and shared: `n17:cast_fp16`.
5. Inputs and outputs of the graph keep their types and names. Where they are free (`keep_io`), an input that is read
   in the half type alone takes it, and so does an output that is made in it: no Cast stands at that border.
6. Constants are converted in place, or beside the original where float32 users remain. Values beyond +-65504 are
   clamped, a scalar too small for FP16 becomes its smallest number (an epsilon must not become 0); both are counted.
7. In FP16, sums of squares and what is made of them stay in float32 (`wide_sums`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from workbench.model.kinds import RANDOM
from workbench.precision.editor import GraphEditor, Use, bodies
from workbench.precision.passes.wide_sums import wide_sums

_FLOAT = TensorProto.FLOAT
_STAYS = RANDOM | {"DynamicQuantizeLinear"}
_QDQ = {"QuantizeLinear", "DequantizeLinear"}
_QDQ_OPSET = 19
_ATTRIBUTES = {"Cast": "to", "EyeLike": "dtype", "Constant": "value", "ConstantOfShape": "value"}
"""Operators whose output type stands in an attribute; without it they stay in float32."""


@dataclass(frozen=True)
class Half:
    """A half type: ONNX's number and name of it, numpy's type, its word in node names."""

    onnx_type: int
    constraint: str
    dtype: np.dtype[np.generic]
    word: str
    largest: float
    smallest: float


FP16 = Half(TensorProto.FLOAT16, "tensor(float16)", np.dtype(np.float16), "fp16", 65504.0, 2.0**-24)
BF16 = Half(TensorProto.BFLOAT16, "tensor(bfloat16)", np.dtype(ml_dtypes.bfloat16), "bf16", 3.3895313892515355e38, 0.0)


@dataclass
class Halved:
    """Source nodes that compute in the half type now; asked ones that could not; constants that were changed.

    `ends` are inputs and outputs of the model that have the half type now.
    """

    nodes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    clamped: int = 0
    raised: int = 0


def halve(model: ModelProto, asked: Collection[str], half: Half, *, keep_io: bool = True) -> Halved:
    """Edits `model`. `asked` are names of its nodes; without `keep_io` its inputs and outputs may become half."""
    result = Halved()
    _halve_graph(GraphEditor(model), asked, half, result, keep_io=keep_io)
    return result


def _halve_graph(
    editor: GraphEditor, asked: Collection[str], half: Half, result: Halved, *, keep_io: bool = True
) -> None:
    for body in editor.inner():
        _halve_graph(body, asked, half, result)
    rewriter = _Rewriter(editor, half, keep_io=keep_io)
    for node in editor.nodes:
        if node.name in asked and rewriter.touches_float(node):
            (result.nodes if rewriter.decide(node) else result.left).append(node.name)
    rewriter.rewrite()
    editor.commit()
    del editor.graph.value_info[:]
    result.ends += rewriter.ends
    result.clamped += rewriter.clamped
    result.raised += rewriter.raised


class _Rewriter:
    def __init__(self, editor: GraphEditor, half: Half, *, keep_io: bool) -> None:
        self._editor = editor
        self._half = half
        self._keep_io = keep_io
        self._slots: dict[str, frozenset[int]] = {}  # node -> input slots that want the half type
        self._made: set[str] = set()  # tensors made in the half type
        self._wide = wide_sums(editor) if half is FP16 else set()
        self.ends: list[str] = []
        self.clamped = 0
        self.raised = 0

    def touches_float(self, node: NodeProto) -> bool:
        """Whether there is anything to decide: not for control flow, nor for a Cast that makes a float of integers."""
        if any(True for _ in bodies(node)):
            return False
        if node.op_type == "Cast" and self._editor.types.get(node.input[0]) != _FLOAT:
            return False
        return any(self._editor.types.get(name) == _FLOAT for name in (*node.input, *node.output))

    def decide(self, node: NodeProto) -> bool:
        """Whether the node computes in the half type; remembers its slots (rules 1 to 3)."""
        types = self._editor.types
        schema = self._schema(node)
        if schema is None or node.name in self._wide or not self._may_change(node):
            return False
        floats_out = {o for o, name in enumerate(node.output) if types.get(name) == _FLOAT}
        takes = [i for i, name in enumerate(node.input) if types.get(name) == _FLOAT and self._takes(schema.inputs, i)]
        makes = {o for o in floats_out if self._takes(schema.outputs, o)}
        if makes != floats_out or not (takes or makes):
            return False
        self._slots[node.name] = frozenset(takes)
        self._made.update(node.output[o] for o in makes)
        return True

    def _may_change(self, node: NodeProto) -> bool:
        """Rules 2 and 3, and the attributes that would have to follow."""
        types = self._editor.types
        if node.domain not in ("", "ai.onnx") or node.op_type in _STAYS:
            return False
        if node.op_type in _QDQ and self._editor.opset < _QDQ_OPSET:
            return False
        if any(name and name not in types for name in (*node.input, *node.output)):
            return False
        wanted = _ATTRIBUTES.get(node.op_type)
        return wanted is None or any(entry.name == wanted for entry in node.attribute)

    def _schema(self, node: NodeProto) -> onnx.defs.OpSchema | None:
        version = self._editor.opset if self._half is FP16 else onnx.defs.onnx_opset_version()
        try:
            return onnx.defs.get_schema(node.op_type, version)
        except onnx.defs.SchemaError:
            return None

    def _takes(self, slots: Sequence[onnx.defs.OpSchema.FormalParameter], index: int) -> bool:
        """Whether the definition allows the half type in this slot (the last slot may stand for many)."""
        allowed: Collection[str] = slots[min(index, len(slots) - 1)].types if slots else ()
        return self._half.constraint in allowed

    def rewrite(self) -> None:
        for node in self._editor.nodes:
            if node.name in self._slots:
                self._retype_attribute(node)
        for name, uses in list(self._editor.uses.items()):
            if self._editor.types.get(name) == _FLOAT:
                self._serve(name, list(uses))
        for name in sorted(self._made & self._editor.outputs):
            (self._keep_output if self._keep_io else self._free)(name)

    def _serve(self, name: str, uses: list[Use]) -> None:
        """Gives every use of `name` the type it wants (rule 4)."""
        editor = self._editor
        wants_half = [use for use in uses if use.slot in self._slots.get(use.node.name, ())]
        wants_float = [use for use in uses if use.slot not in self._slots.get(use.node.name, ())]
        if name in editor.constants:
            self._serve_constant(name, wants_half, wants_float)
        elif name in self._made and wants_float and not (self._keep_io and name in editor.outputs):
            editor.redirect(name, self._cast(name, wants_float[0].node, _FLOAT, "fp32"), wants_float)
        elif name in editor.inputs - editor.outputs and wants_half and not (self._keep_io or wants_float):
            self._free(name)
        elif name not in self._made and wants_half:
            cast = self._cast(name, wants_half[0].node, self._half.onnx_type, self._half.word)
            editor.redirect(name, cast, wants_half)

    def _serve_constant(self, name: str, wants_half: list[Use], wants_float: list[Use]) -> None:
        if not wants_half:
            return
        values = self._convert(self._editor.array(name))
        if wants_float or name in self._editor.outputs:
            beside = self._editor.add_constant(f"{name}:{self._half.word}", values)
            self._editor.redirect(name, beside, wants_half)
        else:
            self._editor.set_constant(name, values)

    def _convert(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Rule 6."""
        wide = values.astype(np.float32)
        too_large = np.isfinite(wide) & (np.abs(wide) > self._half.largest)
        self.clamped += int(too_large.sum())
        wide = np.where(too_large, np.copysign(np.float32(self._half.largest), wide), wide)
        if wide.size == 1 and 0.0 < abs(float(wide.reshape(()))) < self._half.smallest:
            self.raised += 1
            wide = np.copysign(np.full_like(wide, self._half.smallest), wide)
        return np.asarray(wide.astype(self._half.dtype))

    def _cast(self, name: str, owner: NodeProto, to: int, word: str) -> str:
        editor = self._editor
        cast = editor.new_name(f"{name}:{word}")
        node_name = editor.new_node_name(f"{owner.name}:cast_{word}")
        editor.insert_behind_producer(name, helper.make_node("Cast", [name], [cast], name=node_name, to=to))
        return cast

    def _keep_output(self, name: str) -> None:
        """Rule 5: the producer makes `name:fp16`, a Cast makes the output; users in the half type read the former."""
        editor = self._editor
        producer = editor.producers[name]
        inner = editor.new_name(f"{name}:{self._half.word}")
        producer.output[list(producer.output).index(name)] = inner
        uses = [use for use in editor.uses.get(name, ()) if use.slot in self._slots.get(use.node.name, ())]
        editor.redirect(name, inner, uses)
        node_name = editor.new_node_name(f"{producer.name}:cast_output")
        editor.insert_after(producer, helper.make_node("Cast", [inner], [name], name=node_name, to=_FLOAT))

    def _free(self, name: str) -> None:
        """Rule 5: an input or output of the graph has the half type itself."""
        graph = self._editor.graph
        value = next(value for value in (*graph.input, *graph.output) if value.name == name)
        value.type.tensor_type.elem_type = self._half.onnx_type
        self.ends.append(name)

    def _retype_attribute(self, node: NodeProto) -> None:
        """The type of some operators' output stands in an attribute."""
        for entry in node.attribute:
            if entry.name != _ATTRIBUTES.get(node.op_type):
                continue
            if entry.type == onnx.AttributeProto.INT and entry.i == _FLOAT:
                entry.i = self._half.onnx_type
            elif entry.type == onnx.AttributeProto.TENSOR:
                values = self._convert(numpy_helper.to_array(entry.t))
                entry.t.CopyFrom(numpy_helper.from_array(values, entry.t.name))
