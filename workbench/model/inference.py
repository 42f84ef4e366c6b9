"""Shape inference on a light copy: without the weights it takes milliseconds, and what a file declares is not believed.

Declared shapes lie in real files (rank 0 where it is 4), so they are taken off first and only fill what inference
leaves open: behind operators that it does not know.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import checker, shape_inference

from workbench.core.errors import one_line
from workbench.model.external import load_external
from workbench.model.functions import inline_functions
from workbench.model.ids import name_by_id
from workbench.model.sorting import sort_all
from workbench.model.walk import bodies

BIG = 1024
"""Tensors of more elements cannot be shapes: they are left out of the light copy."""

Type = tuple[int, tuple[int | str, ...] | None]
"""Element type and shape of a tensor; a dimension that is not known is `?`, an unknown rank None."""

LIBRARY_ERRORS = (
    checker.ValidationError,
    shape_inference.InferenceError,
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    MemoryError,
)
"""What onnx's C++ code raises for models it does not like."""


def skeleton(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[int]]:
    """A copy in which large weights are typed inputs, and the place in `model` of each node kept.

    Only at the top level: weights in bodies stay.
    """
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph, source = light.graph, model.graph
    graph.name = source.name or "graph"
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    graph.sparse_initializer.extend(source.sparse_initializer)
    given = {value.name for value in source.input}
    for tensor in source.initializer:
        if _count(tensor) <= BIG:
            graph.initializer.append(tensor)
        elif tensor.name not in given:
            graph.input.append(_as_input(tensor.name, tensor))
    places = []
    for index, node in enumerate(source.node):
        value = constant_tensor(node)
        if value is not None and _count(value) > BIG:
            graph.input.append(_as_input(node.output[0], value))
        else:
            graph.node.append(node)
            places.append(index)
    return light, places


def constant_tensor(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """The tensor a Constant node gives, where it holds one as such."""
    if node.op_type != "Constant" or node.domain not in ("", "ai.onnx") or len(node.output) != 1:
        return None
    return next((a.t for a in node.attribute if a.name == "value" and a.HasField("t")), None)


def _count(tensor: onnx.TensorProto) -> int:
    count = 1
    for dim in tensor.dims:
        count *= dim
    return count


def _as_input(name: str, tensor: onnx.TensorProto) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims))


def checker_finding(light: onnx.ModelProto) -> str:
    """The first thing the onnx checker has against the model, in one line; empty: nothing.

    That an output declares no shape is no finding: inference finds it.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(light)
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    try:
        checker.check_model(copy, full_check=False)
    except LIBRARY_ERRORS as error:
        return one_line(str(error).partition("==> Context")[0], 300)
    return ""


def infer(light: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    """The light copy with a type for every tensor that can be known, and what went wrong (empty: nothing)."""
    bare = _without_declared(light)
    result, finding = _try_hard(bare)
    if _fill(result, light):
        filled, _ = _try_hard(result)
        return filled, finding
    return result, finding


def _without_declared(light: onnx.ModelProto) -> onnx.ModelProto:
    bare = onnx.ModelProto()
    bare.CopyFrom(light)
    del bare.graph.value_info[:]
    for value in bare.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    return bare


def _try_hard(model: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    finding = ""
    for strict, data in ((True, True), (True, False), (False, False)):
        try:
            return shape_inference.infer_shapes(model, strict_mode=strict, data_prop=data), finding
        except LIBRARY_ERRORS as error:
            finding = finding or one_line(str(error), 300)
    return model, finding


def _fill(result: onnx.ModelProto, declared: onnx.ModelProto) -> bool:
    """Adds declared types of tensors without an inferred one; whether there were any."""
    known = {v.name for v in (*result.graph.value_info, *result.graph.output) if _says_something(v)}
    outputs = {value.name: value for value in result.graph.output}
    added = False
    for value in (*declared.graph.value_info, *declared.graph.output):
        if value.name in known or not _says_something(value):
            continue
        if value.name in outputs:
            outputs[value.name].CopyFrom(value)
        else:
            result.graph.value_info.append(value)
        added = True
    return added


def _says_something(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"))


def typed(model: onnx.ModelProto, folder: Path) -> tuple[onnx.ModelProto, str, str]:
    """Light copy with nodes sorted, named by id, functions inlined and types inferred; the checker's finding; the
    inference's.

    What the copy keeps of external data is read from `folder`.
    """
    light, places = skeleton(model)
    load_external(light, folder)
    name_by_id(light.graph, places=places)
    sort_all(light.graph)
    finding = checker_finding(light)
    inline_functions(light)
    inferred, problem = infer(light)
    return inferred, finding, problem


def types_by_graph(light: onnx.ModelProto) -> dict[str, dict[str, Type]]:
    """Types of the tensors of each graph: key "" is the top, `n3.then_branch` a body. Nodes must be named by id."""
    found: dict[str, dict[str, Type]] = {}
    stack = [("", light.graph)]
    while stack:
        key, graph = stack.pop()
        values = (*graph.value_info, *graph.input, *graph.output)
        found[key] = {value.name: type_of(value) for value in values}
        stack += [(f"{node.name}.{name}", body) for node in graph.node for name, body in bodies(node)]
    return found


def type_of(value: onnx.ValueInfoProto) -> Type:
    """Free dimensions by name; -1, `?` and unset ones are `?`. Not a tensor: type 0."""
    kind = value.type.WhichOneof("value")
    if kind not in ("tensor_type", "sparse_tensor_type"):
        return 0, None
    tensor = getattr(value.type, kind)
    if not tensor.HasField("shape"):
        return tensor.elem_type, None
    return tensor.elem_type, tuple(_dim(dim) for dim in tensor.shape.dim)


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str:
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return int(dim.dim_value)
    return "?" if dim.dim_param in ("", "-1", "None") else str(dim.dim_param)
