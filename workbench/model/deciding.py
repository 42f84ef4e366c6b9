"""Inputs of a single value that may decide which branch of an If is taken, with the values the graph asks them for."""

from __future__ import annotations

import onnx
from onnx import numpy_helper

from workbench.core.model import Model
from workbench.model.private import private_copy

_COMPARES = ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual")


def deciding_values(model: Model) -> list[tuple[str, float]]:
    """Input and value: 1 and 0 for a bool, else each constant that the input is compared with for equality.

    Empty for models without an If. Raises WorkbenchError where the file cannot be read again.
    """
    if not any(layer.op == "If" for layer in model.graph.layers):
        return []
    single = {
        spec.name: spec.dtype for spec in model.inputs if all(dim == 1 for dim in model.shapes.get(spec.name, (0,)))
    }
    found = [(name, value) for name, dtype in single.items() if dtype == "bool" for value in (1.0, 0.0)]
    proto = private_copy(model, infer=False)
    constants = _scalars(proto)
    for node in proto.graph.node:
        if node.op_type in _COMPARES and len(node.input) == 2:
            for name, other in (tuple(node.input), tuple(node.input)[::-1]):
                if single.get(name, "bool") != "bool" and other in constants:
                    found.append((name, constants[other]))
    return list(dict.fromkeys(found))


def _scalars(proto: onnx.ModelProto) -> dict[str, float]:
    tensors = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "Constant":
            tensors[node.output[0]] = next((a.t for a in node.attribute if a.name == "value"), onnx.TensorProto())
    numeric = (onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    small = {name: t for name, t in tensors.items() if t.data_type in numeric and all(dim == 1 for dim in t.dims)}
    return {name: float(numpy_helper.to_array(tensor).reshape(())) for name, tensor in small.items()}
