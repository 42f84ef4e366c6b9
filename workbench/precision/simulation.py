"""Half types for the exact simulator: float32 arithmetic, and a rounding behind every node that makes a half type.

ONNX Runtime has no BF16 arithmetic on CPUs and refuses it. FP16 it takes, but runs most of it in float32 and, with
optimisations off too, leaves out the rounding between two such nodes: a MatMul in FP16 gives what float32 gives. Casts
that stand in the file it does carry out.

Rules
1. Constants of a half type become float32 of the same values.
2. Behind each node that makes a half type stand two Casts, to it and back: the tensor is float32 and holds values of
   the half type only, as where an engine sums in float32 and stores halves. Operators that only move values need none.
3. What a node makes is read from the newest definition of its operator: an output has the type of the inputs that
   share its type variable. Bodies of If, Loop and Scan follow the same rules.
4. Inputs and outputs of the whole graph keep their names and become float32: numpy and ONNX Runtime share no BF16.
   Behind an input stand two Casts as behind a node.
5. FP4 weights, for which there is no kernel, are written out (`widening`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from workbench.precision.editor import bodies, is_standard
from workbench.precision.saving import PROTOBUF_LIMIT, weights_bytes
from workbench.precision.widening import widen_fp4

_FLOAT = TensorProto.FLOAT
_HALVES = {TensorProto.FLOAT16: np.dtype(np.float16), TensorProto.BFLOAT16: np.dtype(ml_dtypes.bfloat16)}
_TYPE_ATTRIBUTES = ("to", "dtype")
_EXACT = (
    "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Relu", "Reshape",
    "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
_FIRST_BODY_OUTPUT = {"If": 0, "Loop": 1, "Scan": 0}


def exact_copy(path: str | Path) -> onnx.ModelProto:
    """The ONNX file at `path` rewritten by the rules, where it has a half type. Its nodes must be in order."""
    return _exact(path)[0]


def without_halves(path: str | Path) -> bytes | None:
    """As `exact_copy`, as a file; None where it has no half type, or would pass protobuf's limit."""
    model, has_changed = _exact(path)
    if not has_changed or weights_bytes(model) >= PROTOBUF_LIMIT:
        return None
    data: bytes = model.SerializeToString()
    return data


def _exact(path: str | Path) -> tuple[onnx.ModelProto, bool]:
    model = onnx.load(path)
    has_fp4 = widen_fp4(model)
    rewriter = _Rewriter()
    rewriter.whole(model.graph)
    return model, rewriter.has_changed or has_fp4


class _Scope:
    """What is known of tensors: `halves` are float32 that hold values of this type; `reads` another name to read."""

    def __init__(self, outer: _Scope | None = None) -> None:
        self.halves: dict[str, int] = dict(outer.halves) if outer else {}
        self.reads: dict[str, str] = dict(outer.reads) if outer else {}


class _Rewriter:
    def __init__(self) -> None:
        self.has_changed = False

    def whole(self, graph: GraphProto) -> None:
        scope, front = _Scope(), []
        for value in graph.input:
            if (kind := _half_of(value)) is not None:
                name = value.name
                front.append(helper.make_node("Cast", [name], [f"{name}:narrow"], to=kind))
                front.append(helper.make_node("Cast", [f"{name}:narrow"], [f"{name}:float"], to=_FLOAT))
                scope.halves[name], scope.reads[name] = kind, f"{name}:float"
                value.type.tensor_type.elem_type = _FLOAT
                self.has_changed = True
        self._graph(graph, scope, front)
        for value in graph.output:
            if _half_of(value) is not None:
                value.type.tensor_type.elem_type = _FLOAT

    def _body(self, body: GraphProto, outer: _Scope) -> _Scope:
        scope = _Scope(outer)
        for value in body.input:
            scope.halves.pop(value.name, None)
            scope.reads.pop(value.name, None)
            if (kind := _half_of(value)) is not None:
                scope.halves[value.name] = kind
                value.type.tensor_type.elem_type = _FLOAT
        self._graph(body, scope, [])
        for value in body.output:
            value.name = scope.reads.get(value.name, value.name)
            if value.name in scope.halves:
                value.type.tensor_type.elem_type = _FLOAT
        return scope

    def _graph(self, graph: GraphProto, scope: _Scope, nodes: list[NodeProto]) -> None:
        del graph.value_info[:]
        for tensor in graph.initializer:
            if (kind := self._widen(tensor)) is not None:
                scope.halves[tensor.name] = kind
        for node in graph.node:
            nodes += [node, *self._node(node, scope)]
        copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del graph.node[:]
        graph.node.extend(copies)

    def _node(self, node: NodeProto, scope: _Scope) -> Iterator[NodeProto]:
        """Rewrites a node, notes what it makes, and gives the Casts to stand behind it."""
        made = self._made(node, scope)
        for slot, name in enumerate(node.input):
            node.input[slot] = scope.reads.get(name, name)
        for slot, kind in made.items():
            self.has_changed = True
            scope.halves[node.output[slot]] = kind
            yield from _rounding(node, slot, kind)

    def _made(self, node: NodeProto, scope: _Scope) -> dict[int, int]:
        """Output slot -> half type (rule 3). Rewrites attributes and bodies on the way."""
        within = [(body, self._body(body, scope)) for body in bodies(node)]
        if within:
            body, inner = within[0]
            names = [value.name for value in body.output][_FIRST_BODY_OUTPUT.get(node.op_type, 0) :]
            return {slot: inner.halves[name] for slot, name in enumerate(names) if name in inner.halves}
        told = [kind for entry in node.attribute if (kind := self._retype(entry)) is not None]
        if told or any(entry.name in _TYPE_ATTRIBUTES for entry in node.attribute):
            return dict.fromkeys([0], told[0]) if told else {}
        return _same_type(node, scope)

    def _retype(self, entry: AttributeProto) -> int | None:
        """The half type that an attribute named, which it does no more."""
        if entry.name in _TYPE_ATTRIBUTES and entry.i in _HALVES:
            kind, entry.i = entry.i, _FLOAT
            return int(kind)
        return self._widen(entry.t) if entry.type == AttributeProto.TENSOR else None

    def _widen(self, tensor: TensorProto) -> int | None:
        """Rule 1: the half type it had."""
        kind = int(tensor.data_type)
        if kind not in _HALVES:
            return None
        if tensor.HasField("raw_data"):  # most of a model: not copied more often than need be
            tensor.raw_data = np.frombuffer(tensor.raw_data, _HALVES[kind]).astype(np.float32).tobytes()
            tensor.data_type = _FLOAT
        else:
            values = numpy_helper.to_array(tensor).astype(_HALVES[kind]).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        self.has_changed = True
        return kind


def _half_of(value: ValueInfoProto) -> int | None:
    kind = int(value.type.tensor_type.elem_type)
    return kind if kind in _HALVES else None


def _rounding(node: NodeProto, slot: int, kind: int) -> Iterator[NodeProto]:
    """Rule 2, for one output."""
    name = node.output[slot]
    if not (is_standard(node, *_EXACT) or any(True for _ in bodies(node))):
        node.output[slot] = f"{name}:wide"
        yield helper.make_node("Cast", [f"{name}:wide"], [f"{name}:narrow"], to=kind)
        yield helper.make_node("Cast", [f"{name}:narrow"], [name], to=_FLOAT)


def _same_type(node: NodeProto, scope: _Scope) -> dict[int, int]:
    """Output slots whose type variable an input of a half type has."""
    try:
        schema = onnx.defs.get_schema(node.op_type, onnx.defs.onnx_opset_version(), node.domain)
    except onnx.defs.SchemaError:
        return {}
    takes, makes = schema.inputs, schema.outputs
    read = {
        takes[min(i, len(takes) - 1)].type_str: scope.halves[x] for i, x in enumerate(node.input) if x in scope.halves
    }
    if is_standard(node, "DequantizeLinear"):  # its output has the type of the scale, which its definition leaves open
        return {0: scope.halves[node.input[1]]} if node.input[1] in scope.halves else {}
    found = {slot: makes[min(slot, len(makes) - 1)].type_str for slot, name in enumerate(node.output) if name and makes}
    return {slot: read[word] for slot, word in found.items() if word in read}
