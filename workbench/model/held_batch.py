"""Reshapes that hold the batch as a number: with them a model runs at no other batch than that of its export.

A target is changed on trial, in all places at once, and inferred again with another batch. A change is kept where the
result has the new batch in front and all else as before; the others are taken back, and it is inferred again.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import onnx
from onnx import numpy_helper

from workbench.core.model import Model, Shape
from workbench.core.profile import DimKind, HeldTarget
from workbench.model.folding import fold_shapes
from workbench.model.ids import node_id
from workbench.model.inference import Type, constant_tensor, infer, skeleton, types_by_graph
from workbench.model.private import private_copy
from workbench.model.profiles import free_dims

Places = tuple[tuple[str, int], ...]
"""(input, axis) of the batch."""
BATCH = "batch"
_OTHER = 2  # how much larger the batch is that is tried
_PASSES = 8


def batch_places(model: Model) -> Places:
    """Where the batch of a model stands: its free dimensions of that kind."""
    return tuple(place for dim in free_dims(model.inputs) if dim.kind is DimKind.BATCH for place in dim.places)


def fixed_batch_places(model: Model) -> Places:
    """The first axis of every input of a model that has no free dimension, where all have the same size there."""
    if any(spec.is_dynamic or not spec.shape for spec in model.inputs):
        return ()
    sizes = {spec.shape[0] for spec in model.inputs}
    return tuple((spec.name, 0) for spec in model.inputs) if len(sizes) == 1 else ()


def held_targets(model: Model, places: Places) -> tuple[HeldTarget, ...]:
    """Reshapes at the top level that hold the batch at `places`, in execution order. Reads the file."""
    sizes = {model.shapes[name][axis] for name, axis in places}
    if len(sizes) != 1:
        return ()
    light = skeleton(private_copy(model, model.shapes, infer=False))[0]
    trial = _Trial(light, dict(model.shapes), places, sizes.pop())
    names = {layer.id: layer.name for layer in model.graph.layers}
    return tuple(HeldTarget(node, names.get(node, ""), target, free) for node, target, free in trial.found())


class _Trial:
    """`light` is at the usual batch; targets of all candidates are changed in copies of it."""

    def __init__(self, light: onnx.ModelProto, shapes: dict[str, Shape], places: Places, batch: int) -> None:
        self._light, self._batch = light, batch
        self._usual = _types(light, shapes)
        other = {name: list(shape) for name, shape in shapes.items()}
        for name, axis in places:
            other[name][axis] = batch + _OTHER
        self._shapes = {name: tuple(shape) for name, shape in other.items()}
        self._targets = _targets(light)
        self._nodes = {node.name: node for node in light.graph.node}
        self._free: dict[str, Shape] = {}

    def found(self) -> list[tuple[str, Shape, Shape]]:
        self._free = {node: free for node, target in self._targets.items() if (free := self._form(node, target))}
        known = self._inferred()
        for _ in range(_PASSES):
            wrong = [node for node in self._free if not self._follows(node, known)]
            if not wrong:
                break
            for node in wrong:
                del self._free[node]
            known = self._inferred()
        kept = [(node, target, self._free.get(node, ())) for node, target in self._targets.items()]
        return [(node, target, free) for node, target, free in kept if free or self._cannot(node, target, known)]

    def _form(self, node: str, target: Shape) -> Shape:
        """The target with its first entry open: 0, which copies the input's, or -1, which is what is left."""
        data, result = self._shape(node, self._usual, 0), self._shape(node, self._usual, None)
        if not target or target[0] <= 0 or target[0] % self._batch or not data or not result:
            return ()
        if data[0] == target[0]:
            return (0, *target[1:])
        rest = tuple(result[at] if size == -1 else size for at, size in enumerate(target))[1:]
        return (-1, *rest)

    def _follows(self, node: str, known: Mapping[str, Type]) -> bool:
        """Whether the result has the other batch in front, and is otherwise as it was."""
        before, after = self._shape(node, self._usual, None), self._shape(node, known, None)
        if not before or not after or len(before) != len(after):
            return False
        return after[0] * self._batch == before[0] * (self._batch + _OTHER) and after[1:] == before[1:]

    def _cannot(self, node: str, target: Shape, known: Mapping[str, Type]) -> bool:
        """Whether so many values cannot take the form that is asked for."""
        data = self._shape(node, known, 0)
        if data is None or 0 in target:
            return False
        left = prod(size for size in target if size > 0)
        return prod(data) % left != 0 if -1 in target else prod(data) != left

    def _shape(self, node: str, types: Mapping[str, Type], place: int | None) -> Shape | None:
        """Of the node's input at `place`, or of its result; None where it is not known."""
        proto = self._nodes[node]
        found = types.get(proto.output[0] if place is None else proto.input[place])
        dims = found[1] if found else None
        return tuple(int(dim) for dim in dims) if dims and all(isinstance(dim, int) for dim in dims) else None

    def _inferred(self) -> dict[str, Type]:
        trial = onnx.ModelProto()
        trial.CopyFrom(self._light)
        for node in trial.graph.node:
            if node.name in self._free:
                _set_target(trial.graph, node, self._free[node.name])
        return _types(trial, self._shapes)


def free_batch(proto: onnx.ModelProto, free: Mapping[str, Shape], places: Places) -> None:
    """Writes `free` targets into the file's own proto, in place, and sets the batch of inputs at `places` free.

    What the file declares of tensors between and behind is forgotten: it held for one batch.
    """
    graph = proto.graph
    for index, node in enumerate(graph.node):
        if (target := free.get(node_id(index))) is not None:
            _set_target(graph, node, target)
    axes = dict(places)
    for value in graph.input:
        if value.name in axes:
            value.type.tensor_type.shape.dim[axes[value.name]].dim_param = BATCH
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]
    proto.ir_version = max(proto.ir_version, 4)  # before, an initializer had to be an input too


def _set_target(graph: onnx.GraphProto, node: onnx.NodeProto, target: Shape) -> None:
    """A constant of the node's own: what it had may serve others."""
    name = f"{node.output[0]}:free_target"
    graph.initializer.append(numpy_helper.from_array(np.array(target, np.int64), name))
    node.input[1] = name


def _targets(light: onnx.ModelProto) -> dict[str, Shape]:
    """Constant targets by node, in the order of execution."""
    known = {tensor.name: tensor for tensor in light.graph.initializer}
    known |= {node.output[0]: value for node in light.graph.node if (value := constant_tensor(node)) is not None}
    reshapes = [node for node in light.graph.node if node.op_type == "Reshape" and node.domain in ("", "ai.onnx")]
    return {
        node.name: tuple(int(size) for size in numpy_helper.to_array(known[node.input[1]]).flatten())
        for node in reshapes
        if len(node.input) > 1
        and node.input[1] in known
        and not any(a.name == "allowzero" and a.i for a in node.attribute)
    }


def _types(light: onnx.ModelProto, shapes: Mapping[str, Shape]) -> dict[str, Type]:
    """Of the tensors at the top level, with inputs of these shapes."""
    sized = onnx.ModelProto()
    sized.CopyFrom(light)
    for value in sized.graph.input:
        if value.name in shapes:
            del value.type.tensor_type.shape.dim[:]
            for size in shapes[value.name]:
                value.type.tensor_type.shape.dim.add().dim_value = size
    for value in sized.graph.output:
        value.type.tensor_type.ClearField("shape")
    del sized.graph.value_info[:]
    sized.ir_version = max(sized.ir_version, 4)
    fold_shapes(sized)
    return types_by_graph(infer(sized)[0])[""]
