"""The private copy: what passes and backends are given instead of the user's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.model.external import fingerprint, load_external
from workbench.model.files import MAX_BYTES
from workbench.model.folding import fold_shapes, shape_conflict
from workbench.model.functions import inline_functions
from workbench.model.guard import read_model
from workbench.model.ids import name_by_id
from workbench.model.inference import infer as infer_types
from workbench.model.inference import skeleton
from workbench.model.shapes import check_shapes
from workbench.model.sorting import sort_all
from workbench.model.walk import bodies, with_bodies


def private_copy(model: Model, shapes: Mapping[str, Shape] | None = None, *, infer: bool = True) -> onnx.ModelProto:
    """The model's proto, read again through the gate, complete with external data and safe to change.

    Every node is named by its id (bodies too), calls of the file's own functions are replaced by their nodes
    (`n3.body.n0`), and all is sorted into execution order; free input dimensions are set to
    `shapes` (the model's own guesses where None); with `infer`, every tensor whose shape can be known has it in
    `value_info`. Tensor names stay. Raises WorkbenchError where the file is not the one that was opened.
    """
    proto = plain_copy(model)
    freeze_inputs(proto, model, model.shapes if shapes is None else shapes)
    if infer:
        annotate(proto)
    return proto


def plain_copy(model: Model) -> onnx.ModelProto:
    """As `private_copy`, but of the model as it is: its free dimensions stay free, nothing is inferred.

    Weights are no inputs, though old files list them so.
    """
    path = Path(model.path)
    proto, data, files = read_model(path)
    if fingerprint(data, path.parent, files) != model.sha256:
        raise WorkbenchError(f"{path.name} has changed since it was opened.", "Open it again.")
    if len(data) + sum(files.values()) > MAX_BYTES:
        raise WorkbenchError(
            f"{path.name} has more than 2 GB of weights; that is the most a build can take.",
            "It can be looked at. To build it, export a part, or with smaller weights.",
        )
    load_external(proto, path.parent)
    name_by_id(proto.graph)
    inline_functions(proto)
    for function in proto.functions:
        for node in with_bodies(function.node):
            node.name = ""  # a name of the user's there may look like an id
    sort_all(proto.graph)
    _drop_weights_from_inputs(proto)
    return proto


def _drop_weights_from_inputs(proto: onnx.ModelProto) -> None:
    """Files before IR 4 list every weight as an input too, whose value a user might replace. Nobody does here, and an
    engine that must reckon with it folds nothing."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    kept = [value for value in proto.graph.input if value.name not in weights]
    if len(kept) < len(proto.graph.input):
        proto.ir_version = max(proto.ir_version, 4)
        del proto.graph.input[:]
        proto.graph.input.extend(kept)


def freeze_inputs(proto: onnx.ModelProto, model: Model, shapes: Mapping[str, Shape]) -> None:
    """Sets the input dimensions to `shapes`, in place. Raises WorkbenchError where they do not fit."""
    check_shapes(model, shapes)
    tensors = {value.name: value.type.tensor_type for value in proto.graph.input if value.name in shapes}
    for name, tensor in tensors.items():
        del tensor.shape.dim[:]
        tensor.shape.SetInParent()
        for size in shapes[name]:
            tensor.shape.dim.add().dim_value = size


def annotate(proto: onnx.ModelProto) -> None:
    """Replaces what is declared about tensors by what inference finds, in place, bodies too.

    Nodes must be named by id and sorted; with fixed input shapes, shapes behind shape arithmetic are found as well.
    """
    light, _ = skeleton(proto)
    light.ir_version = max(light.ir_version, 4)  # older files cannot have initializers that are not inputs
    fold_shapes(light)
    inferred, _ = infer_types(light)
    declared = {value.name for value in proto.graph.input}
    _copy_values(inferred.graph, proto.graph)
    made = {name for node in proto.graph.node for name in node.output}
    extra = [*inferred.graph.input, *(_value(tensor) for tensor in inferred.graph.initializer)]
    proto.graph.value_info.extend(v for v in extra if v.name in made and v.name not in declared)


def shape_problem(model: Model, shapes: Mapping[str, Shape]) -> str:
    """Why the model cannot work with inputs of these shapes, in a sentence; empty: nothing is found. Reads the file.

    Raises WorkbenchError where `shapes` are not even of the declared form.
    """
    check_shapes(model, shapes)
    proto = private_copy(model, model.shapes, infer=False)
    node, why = shape_conflict(skeleton(proto)[0], shapes)
    return f"With these shapes node {node} cannot work: {why}" if node else ""


def _value(tensor: onnx.TensorProto) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))


def _copy_values(source: onnx.GraphProto, target: onnx.GraphProto) -> None:
    del target.value_info[:]
    target.value_info.extend(source.value_info)
    for mine, found in zip(target.output, source.output, strict=True):
        mine.CopyFrom(found)
    light = {node.name: node for node in source.node}
    for node in target.node:
        if node.name in light:
            for (_, into), (_, out_of) in zip(bodies(node), bodies(light[node.name]), strict=True):
                _copy_values(out_of, into)
