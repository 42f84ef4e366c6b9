"""Shape arithmetic, computed: with fixed input shapes what Shape, Gather, Concat ... give is known before any run.

onnx's own propagation stops at the first Range, Slice or Pad whose values are computed, and with it every shape
behind. Here one walk infers node by node and computes the small integer tensors on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import defs, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from workbench.core.errors import one_line
from workbench.core.model import Shape
from workbench.model.inference import BIG, LIBRARY_ERRORS, constant_tensor
from workbench.model.kinds import SHAPE_MATHS, is_standard

# Operators whose result may be large though their inputs are small: computed only where their shape is known first.
_GROWING = frozenset({"ConstantOfShape", "Range", "Expand", "Tile"})
_ERRORS = (*LIBRARY_ERRORS, ArithmeticError, defs.SchemaError)

Value = NDArray[np.generic]


def fold_shapes(light: onnx.ModelProto) -> int:
    """Replaces shape arithmetic at the top level by initializers, in place; how many nodes went.

    `light` is a sorted skeleton with fixed input shapes. Nothing is touched that cannot be computed.
    """
    walk = _Walk(light, {})
    walk.visit_all()
    if walk.folded:
        _replace(light.graph, walk)
    return len(walk.folded)


def known_values(light: onnx.ModelProto, fixed: Mapping[str, Value]) -> dict[str, Value]:
    """Values of small tensors at the top level that are known before any run, `fixed` being those of some inputs.

    `light` is a sorted skeleton with fixed input shapes.
    """
    walk = _Walk(light, {})
    for name, value in fixed.items():
        walk.know(name, numpy_helper.from_array(np.asarray(value), name))
    walk.visit_all()
    return {name: numpy_helper.to_array(tensor) for name, tensor in walk.tensors.items()}


def shape_conflict(light: onnx.ModelProto, shapes: Mapping[str, Shape]) -> tuple[str, str]:
    """Name of the first node that cannot work with inputs of these shapes, and why; `("", "")`: none is found.

    A node counts only where the types of all its inputs are known. Bodies of If and Loop are not looked into.
    """
    walk = _Walk(light, shapes)
    walk.visit_all()
    return walk.conflict


class _Walk:
    """Types of all tensors seen so far, and values of the small ones that are known."""

    def __init__(self, light: onnx.ModelProto, shapes: Mapping[str, Shape]) -> None:
        self.graph = graph = light.graph
        self.conflict = ("", "")
        self.opsets = list(light.opset_import)
        self.version = next((o.version for o in self.opsets if o.domain in ("", "ai.onnx")), 0)
        self.ir_version = light.ir_version
        self.types: dict[str, onnx.TypeProto] = {value.name: value.type for value in graph.input}
        for name, shape in shapes.items():
            if self.types[name].HasField("tensor_type"):
                elem_type = self.types[name].tensor_type.elem_type
                self.types[name] = onnx.helper.make_tensor_type_proto(elem_type, list(shape))
        self.tensors: dict[str, onnx.TensorProto] = {}
        self.folded: set[str] = set()
        for tensor in graph.initializer:
            self.know(tensor.name, tensor)

    def know(self, name: str, tensor: onnx.TensorProto) -> None:
        self.tensors[name] = tensor
        self.types[name] = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))

    def visit_all(self) -> None:
        for node in self.graph.node:
            self.visit(node)

    def visit(self, node: onnx.NodeProto) -> None:
        value = constant_tensor(node)
        if value is not None:
            self.know(node.output[0], value)
            return
        if not is_standard(node) or not node.output:
            return
        self.types.update(self._inferred(node))
        for name, tensor in self._computed(node).items():
            self.know(name, tensor)
            self.folded.add(name)

    def _inferred(self, node: onnx.NodeProto) -> dict[str, onnx.TypeProto]:
        try:
            schema = defs.get_schema(node.op_type, self.version, "")
            types = {name: self.types[name] for name in node.input if name in self.types}
            data = {name: self.tensors[name] for name in node.input if name in self.tensors}
            found: dict[str, onnx.TypeProto] = shape_inference.infer_node_outputs(
                schema, node, types, data, opset_imports=self.opsets, ir_version=self.ir_version
            )
        except shape_inference.InferenceError as error:
            if not self.conflict[0] and all(name in self.types for name in node.input if name):
                self.conflict = (node.name or node.op_type, one_line(str(error), 200))
            return {}
        except _ERRORS:
            return {}
        return found

    def _computed(self, node: onnx.NodeProto) -> dict[str, onnx.TensorProto]:
        if node.op_type in ("Shape", "Size"):
            return self._of_shape(node)
        names = [name for name in node.input if name]
        small = names and all(name in self.tensors for name in names)
        if not small or node.op_type not in SHAPE_MATHS | _GROWING or not self._stays_small(node):
            return {}
        values = {name: numpy_helper.to_array(self.tensors[name]) for name in names}
        return _evaluate(node, values, self.opsets, self.ir_version)

    def _stays_small(self, node: onnx.NodeProto) -> bool:
        if node.op_type not in _GROWING:
            return True
        size = _size(self.types.get(node.output[0]))
        return size is not None and size <= BIG

    def _of_shape(self, node: onnx.NodeProto) -> dict[str, onnx.TensorProto]:
        dims = _dims(self.types.get(node.input[0])) if node.input else None
        if dims is None:
            return {}
        ends = {a.name: a.i for a in node.attribute}
        chosen = dims[slice(ends.get("start"), ends.get("end"))]
        value = np.array(dims, np.int64).prod() if node.op_type == "Size" else np.array(chosen, np.int64)
        return {node.output[0]: numpy_helper.from_array(np.asarray(value, np.int64), node.output[0])}


def _dims(kind: onnx.TypeProto | None) -> list[int] | None:
    if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    return [dim.dim_value for dim in dims] if all(dim.HasField("dim_value") for dim in dims) else None


def _size(kind: onnx.TypeProto | None) -> int | None:
    dims = _dims(kind)
    if dims is None:
        return None
    size = 1
    for dim in dims:
        size *= dim
    return size


def _evaluate(
    node: onnx.NodeProto, values: Mapping[str, Value], opsets: list[onnx.OperatorSetIdProto], ir_version: int
) -> dict[str, onnx.TensorProto]:
    """The node's results, by onnx's reference implementation; nothing where it cannot or they are large."""
    names = [name for name in node.output if name]
    graph = onnx.GraphProto(name="one", node=[node])
    graph.input.extend(onnx.ValueInfoProto(name=name) for name in values)
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    model = onnx.ModelProto(ir_version=ir_version, graph=graph, opset_import=opsets)
    try:
        with np.errstate(all="ignore"):
            results = ReferenceEvaluator(model).run(None, dict(values))
    except _ERRORS:
        return {}
    if any(not isinstance(result, np.ndarray | np.generic) or result.size > BIG for result in results):
        return {}
    return {
        name: numpy_helper.from_array(np.asarray(result), name) for name, result in zip(names, results, strict=True)
    }


def _replace(graph: onnx.GraphProto, walk: _Walk) -> None:
    """Takes out the nodes all of whose outputs are known now; graph outputs stay as they are."""
    outputs = {value.name for value in graph.output}
    kept = []
    for node in graph.node:
        names = [name for name in node.output if name]
        if names and all(name in walk.folded and name not in outputs for name in names):
            graph.initializer.extend(walk.tensors[name] for name in names)
        else:
            kept.append(node)
    copies = [onnx.NodeProto() for _ in kept]
    for copy, node in zip(copies, kept, strict=True):
        copy.CopyFrom(node)
    del graph.node[:]
    graph.node.extend(copies)
