"""What another tool made of a private copy, brought into our form: names that lead back, and the plan it amounts to.

Rules
1. A node is the user's that kept its id (`n2`, fused `n2/MatMulAddFusion`), or makes its tensor in its place
   (MatMulNBits for MatMul); never a Q, a DQ or a Cast that took it. Any other was added: it is named after the node it
   serves (`n17:quantizelinear`). What is no longer there was folded.
2. A product (Conv, Gemm, MatMul) runs in INT8 or FP8 where data and weights both come from a DequantizeLinear of that
   type, in INT8, INT4 or FP4 weights where its weights alone do. Any other node runs in what all its operands have.
   FP16 and BF16 are the types of the tensors. All else is FP32.
3. Inputs and outputs have to be those of the copy, in name, order and type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from onnx import ModelProto, NodeProto, TensorProto

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.model import annotate
from workbench.model.ids import sources_of
from workbench.model.walk import with_bodies
from workbench.precision.editor import GraphEditor
from workbench.precision.passes.lift_opset import name_added_nodes

_BOUNDARIES = frozenset({"QuantizeLinear", "DequantizeLinear", "Cast"})
_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_STORED = {
    TensorProto.INT8: Precision.INT8,
    TensorProto.UINT8: Precision.INT8,
    TensorProto.FLOAT8E4M3FN: Precision.FP8,
    TensorProto.INT4: Precision.INT4_WEIGHTS,
    TensorProto.UINT4: Precision.INT4_WEIGHTS,
    TensorProto.FLOAT4E2M1: Precision.FP4_WEIGHTS,
}
_HALF_TYPES = {TensorProto.FLOAT16: Precision.FP16, TensorProto.BFLOAT16: Precision.BF16}
_HALVES = frozenset(_HALF_TYPES.values())
_AS_WEIGHTS = {Precision.INT8: Precision.INT8_WEIGHTS}
_MOVES = frozenset({"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Cast"})


class Adopted(NamedTuple):
    """`precisions` of the nodes that are not in FP32, by id; `removed` as in `TypedModel`."""

    proto: ModelProto
    precisions: dict[str, Precision]
    removed: dict[str, str]

    def plan(self, like: PrecisionPlan, note: str) -> PrecisionPlan:
        """As painted rules, one a precision: what the workbench compiles to the same choice with its own ranges."""
        nodes: dict[Precision, list[str]] = {}
        for node, precision in self.precisions.items():
            nodes.setdefault(precision, []).append(node)
        rules = tuple(Rule(p, nodes=tuple(ids), note=note) for p, ids in sorted(nodes.items()))
        return PrecisionPlan(rules=rules, calibration=like.calibration)


def adopt(base: ModelProto, made: ModelProto, tool: str) -> Adopted:
    """`made` of `base`, whose nodes are named by id; it is changed in place. Raises WorkbenchError on rule 3."""
    _check_ends(base, made, tool)
    ops = {node.name: node.op_type for node in with_bodies(base.graph.node)}
    makers = {tensor: node.name for node in with_bodies(base.graph.node) for tensor in node.output if tensor}
    kept: set[str] = set()
    for node in with_bodies(made.graph.node):
        name = _own_name(node, ops, makers)
        node.name = "" if name in kept else name
        kept.add(name)
    name_added_nodes(made, "")
    annotate(made)
    gone = [source for name in ops if name not in kept for source in sources_of(name)]
    return Adopted(made, _precisions(made, ops), dict.fromkeys(gone, "folded"))


def _own_name(node: NodeProto, ops: Mapping[str, str], makers: Mapping[str, str]) -> str:
    """Rule 1; "" for a node that was added."""
    names: list[str] = [node.name, node.name.partition("/")[0], *(makers.get(tensor, "") for tensor in node.output)]
    for name in names:
        if name in ops and (node.op_type == ops[name] or node.op_type not in _BOUNDARIES):
            return name
    return ""


def _check_ends(base: ModelProto, made: ModelProto, tool: str) -> None:
    for ours, theirs in ((base.graph.input, made.graph.input), (base.graph.output, made.graph.output)):
        weights = {tensor.name for graph in (base.graph, made.graph) for tensor in graph.initializer}
        wanted, found = (
            [(end.name, end.type.tensor_type.elem_type) for end in ends if end.name not in weights]
            for ends in (ours, theirs)
        )
        if wanted != found:
            names = one_line(", ".join(name for name, _ in set(found) ^ set(wanted)), 200)
            raise WorkbenchError(f"{tool} changed what goes in or comes out: {names}.", "Use the workbench's own plan.")


def _precisions(made: ModelProto, ops: Mapping[str, str]) -> dict[str, Precision]:
    editor = GraphEditor(made)
    found: dict[str, Precision] = {}
    for node in made.graph.node:
        precision = _precision(editor, node) if node.name in ops else None
        if precision is not None:
            found |= dict.fromkeys(sources_of(node.name), precision)
    return found


def _precision(editor: GraphEditor, node: NodeProto) -> Precision | None:
    """Rule 2."""
    if node.op_type == "MatMulNBits":
        return Precision.INT4_WEIGHTS
    operands = [name for name in node.input if name]
    if node.op_type in _PRODUCTS:
        data, weights = (_stored(editor, name) for name in operands[:2])
        if weights is None or data is weights:
            return data if weights else None
        return _AS_WEIGHTS.get(weights, weights) if weights not in _HALVES else None
    given = {_stored(editor, name) for name in operands if name not in editor.constants}
    return given.pop() if len(given) == 1 else None


def _stored(editor: GraphEditor, name: str) -> Precision | None:
    """What a tensor was dequantized from, with nothing but moves behind it; else the half type it has."""
    maker = editor.producers.get(name)
    while maker is not None and maker.op_type in _MOVES:
        maker = editor.producers.get(maker.input[0])
    if maker is not None and maker.op_type == "DequantizeLinear":
        return _STORED.get(editor.types.get(maker.input[0], 0))
    return _HALF_TYPES.get(editor.types.get(name, 0))
