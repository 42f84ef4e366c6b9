"""An index over a graph that is being rewritten: who makes a tensor, who uses it, what is constant.

Passes edit a private copy, whose node names are unique ids. An editor holds one graph: the top-level one, or a body of
If, Loop or Scan, whose editor knows the one around it. What a body captures from outside counts as a use by the node
that holds the body.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from workbench.model import walk
from workbench.model.ids import free_name
from workbench.model.inference import constant_tensor

_T = TypeVar("_T")
FIRST_IR_WITH_CONSTANTS = 4
"""Before it, every initializer had to be listed as an input."""
CAPTURED = -1
"""The slot of a use by a body of a control-flow node."""


class Use(NamedTuple):
    """`node.input[slot]`, or a capture by one of its bodies."""

    node: NodeProto
    slot: int


class GraphEditor:
    """Indexes a graph; edits go through here and are written back by `commit()`.

    Node objects stay the same until `commit()`, so a pass may change their inputs through `set_input`. In a body, the
    tensors of the graphs around it have known types, and count as neither constants nor inputs.
    """

    def __init__(self, model: ModelProto, graph: GraphProto | None = None, outer: GraphEditor | None = None) -> None:
        self.model = model
        self.graph = model.graph if graph is None else graph
        self._outer = outer
        self._index()

    def inner(self) -> Iterator[GraphEditor]:
        """Editors of the bodies that nodes of this graph hold."""
        for node in self.nodes:
            for body in bodies(node):
                yield GraphEditor(self.model, body, self)

    def _index(self) -> None:
        graph = self.graph
        self.nodes: list[NodeProto] = list(graph.node)
        self.constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = {value.name for value in graph.input} - set(self.constants)
        self.outputs = {value.name for value in graph.output}
        self.producers = {name: node for node in self.nodes for name in node.output if name}
        self.uses: dict[str, list[Use]] = {}
        for node in self.nodes:
            for slot, name in enumerate(node.input):
                self._add_use(name, node, slot)
            for name in captured_names(node):
                self._add_use(name, node, CAPTURED)
        self._before: dict[str, list[NodeProto]] = {}
        self._after: dict[str, list[NodeProto]] = {}
        self._front: list[NodeProto] = []
        self._dropped: set[str] = set()
        self._tensor_names = self._all_names()
        self._node_names = {node.name for node in self.nodes}
        self._types: dict[str, int] | None = None

    def _all_names(self) -> set[str]:
        used = set(self.uses) | set(self.producers) | set(self.constants) | self.outputs | self.inputs
        used |= self._outer._tensor_names if self._outer else set()
        for node in self.nodes:
            for body in bodies(node):
                used |= set(_body_names(body))
        return used

    def _add_use(self, name: str, node: NodeProto, slot: int) -> None:
        if name:
            self.uses.setdefault(name, []).append(Use(node, slot))

    @property
    def opset(self) -> int:
        return default_opset(self.model)

    @property
    def types(self) -> dict[str, int]:
        """Element type by tensor name, where it is known."""
        if self._types is None:
            values = [*self.graph.value_info, *self.graph.input, *self.graph.output]
            known = {v.name: v.type.tensor_type.elem_type for v in values if v.type.HasField("tensor_type")}
            known |= {name: tensor.data_type for name, tensor in self.constants.items()}
            known |= {node.output[0]: made for node in self.nodes if (made := _constant_type(node))}
            around = self._outer.types if self._outer else {}
            self._types = around | {name: kind for name, kind in known.items() if kind}
        return self._types

    def rank(self, name: str) -> int | None:
        """Number of axes of a tensor; None where it is not known."""
        if name in self.constants:
            return len(self.constants[name].dims)
        for value in (*self.graph.value_info, *self.graph.input, *self.graph.output):
            if value.name == name and value.type.tensor_type.HasField("shape"):
                return len(value.type.tensor_type.shape.dim)
        return None

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of a tensor; None where it is not known to the last dimension."""
        if name in self.constants:
            return tuple(self.constants[name].dims)
        return self._shapes.get(name)

    def size(self, name: str) -> int | None:
        """Number of values of a tensor; None where its shape is not known."""
        shape = self.shape(name)
        return None if shape is None else math.prod(shape)

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        found = {}
        for value in (*self.graph.value_info, *self.graph.input, *self.graph.output):
            dims = value.type.tensor_type.shape.dim
            if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
                found[value.name] = tuple(dim.dim_value for dim in dims)
        return found

    def new_name(self, wish: str) -> str:
        """`wish`, or `wish_2` and so on where a tensor has that name already."""
        name = free_name(wish, self._tensor_names)
        self._take_name(name)
        return name

    def _take_name(self, name: str) -> None:
        """No other graph, inside or around, may define the name again."""
        self._tensor_names.add(name)
        if self._outer:
            self._outer._take_name(name)

    def new_node_name(self, wish: str) -> str:
        """`wish`, or `wish_2` and so on where a node has that name already."""
        return free_name(wish, self._node_names)

    def array(self, name: str) -> NDArray[np.generic]:
        """The values of a constant."""
        values: NDArray[np.generic] = numpy_helper.to_array(self.constants[name])
        return values

    def constant(self, name: str) -> NDArray[np.generic] | None:
        """The values of an initializer that is no input, or of a `Constant` node; None where `name` is neither."""
        if name in self.constants:
            return None if name in self.inputs else self.array(name)
        node = self.producers.get(name)
        value = constant_tensor(node) if node is not None else None
        return None if value is None else np.asarray(numpy_helper.to_array(value))

    def add_constant(self, name: str, values: NDArray[np.generic]) -> str:
        """A new initializer; the name it got."""
        name = self.new_name(name)
        tensor = numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
        self.graph.initializer.append(tensor)
        self.constants[name] = self.graph.initializer[-1]
        return name

    def set_constant(self, name: str, values: NDArray[np.generic]) -> None:
        """New values, and perhaps another type or shape, for an initializer; or a first one for this name."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
        if name in self.constants:
            self.constants[name].CopyFrom(tensor)
        else:
            self.graph.initializer.append(tensor)
            self.constants[name] = self.graph.initializer[-1]

    def set_input(self, node: NodeProto, slot: int, name: str) -> None:
        """Makes `node` read `name` in `slot`."""
        old = node.input[slot]
        node.input[slot] = name
        self.uses[old] = [use for use in self.uses.get(old, []) if not _is_same(use, node, slot)]
        self._add_use(name, node, slot)

    def redirect(self, old: str, new: str, uses: Iterable[Use] | None = None) -> None:
        """All uses of `old` (or these) read `new` from now on."""
        for use in list(self.uses.get(old, ()) if uses is None else uses):
            if use.slot == CAPTURED:
                rename_captured(use.node, old, new)
                self.uses[old].remove(use)
                self._add_use(new, use.node, CAPTURED)
            else:
                self.set_input(use.node, use.slot, new)

    def insert_before(self, node: NodeProto, *new: NodeProto) -> None:
        self._before.setdefault(node.name, []).extend(new)

    def insert_after(self, node: NodeProto, *new: NodeProto) -> None:
        self._after.setdefault(node.name, []).extend(new)

    def insert_first(self, *new: NodeProto) -> None:
        self._front.extend(new)

    def insert_behind_producer(self, tensor: str, *new: NodeProto) -> None:
        """Directly behind the node that makes `tensor`; first of all for inputs and constants."""
        if tensor in self.producers:
            self.insert_after(self.producers[tensor], *new)
        else:
            self.insert_first(*new)

    def drop(self, node: NodeProto) -> None:
        self._dropped.add(node.name)

    def replace(self, node: NodeProto, new: NodeProto) -> None:
        """Puts a new node in the place of another, which reads nothing any more."""
        for name in node.input:
            self.uses[name] = [use for use in self.uses.get(name, []) if use.node.name != node.name]
        self.insert_before(node, new)
        self.drop(node)

    def commit(self) -> None:
        """Writes nodes back in order and indexes anew.

        Initializers that nothing uses are thrown away, and those that old files list as inputs too are so no more.
        """
        kept = list(self._ordered())
        del self.graph.node[:]
        self.graph.node.extend(kept)
        self._tidy_constants()
        self._index()

    def _ordered(self) -> Iterator[NodeProto]:
        yield from self._front
        for node in self.nodes:
            yield from self._before.get(node.name, ())
            if node.name not in self._dropped:
                yield node
            yield from self._after.get(node.name, ())

    def _tidy_constants(self) -> None:
        used = set(self.outputs)
        for node in self.graph.node:
            used.update(node.input)
            used.update(captured_names(node))
        constants = [tensor for tensor in self.graph.initializer if tensor.name in used]
        inputs = [value for value in self.graph.input if value.name not in self.constants]
        _replace(self.graph.initializer, constants)
        if len(inputs) != len(self.graph.input):
            _replace(self.graph.input, inputs)
            self.model.ir_version = max(self.model.ir_version, FIRST_IR_WITH_CONSTANTS)


def _replace(field: MutableSequence[_T], values: Sequence[_T]) -> None:
    if len(field) != len(values):
        del field[:]
        field.extend(values)


def _is_same(use: Use, node: NodeProto, slot: int) -> bool:
    return use.node.name == node.name and use.slot == slot


def _constant_type(node: NodeProto) -> int:
    """Element type of a `Constant` node's tensor, which inference may have been spared; else 0."""
    value = constant_tensor(node)
    return 0 if value is None else int(value.data_type)


def default_opset(model: ModelProto) -> int:
    """Version of the standard operators; 1 where the file names none."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return max(versions, default=1)


def is_standard(node: NodeProto, *ops: str) -> bool:
    """Whether this is one of these operators of the standard domain."""
    return node.domain in ("", "ai.onnx") and node.op_type in ops


def attribute(node: NodeProto, name: str, default: object = None) -> object:
    """The value of an attribute, as onnx gives it (bytes for strings)."""
    for entry in node.attribute:
        if entry.name == name:
            return onnx.helper.get_attribute_value(entry)
    return default


def int_attribute(node: NodeProto, name: str, default: int) -> int:
    value = attribute(node, name, default)
    return value if isinstance(value, int) else default


def float_attribute(node: NodeProto, name: str, default: float) -> float:
    value = attribute(node, name, default)
    return value if isinstance(value, float) else default


def bodies(node: NodeProto) -> Iterator[GraphProto]:
    """Graphs held by a control-flow node."""
    return (body for _, body in walk.bodies(node))


def captured_names(node: NodeProto) -> list[str]:
    """Tensors that the bodies of `node` take from outside, each once, in order."""
    names: dict[str, None] = {}
    for body in bodies(node):
        own = set(_body_names(body))
        for inner in body.node:
            names |= dict.fromkeys(n for n in (*inner.input, *captured_names(inner)) if n and n not in own)
        names |= dict.fromkeys(value.name for value in body.output if value.name not in own)
    return list(names)


def rename_captured(node: NodeProto, old: str, new: str) -> None:
    """Inside the bodies of `node`, makes every use of the outer tensor `old` read `new`."""
    for body in bodies(node):
        if old in set(_body_names(body)):
            continue
        for inner in body.node:
            for slot, name in enumerate(inner.input):
                if name == old:
                    inner.input[slot] = new
            rename_captured(inner, old, new)
        for value in body.output:
            if value.name == old:
                value.name = new


def _body_names(body: GraphProto) -> Iterator[str]:
    """Names a body defines itself."""
    yield from (value.name for value in body.input)
    yield from (tensor.name for tensor in body.initializer)
    for node in body.node:
        yield from node.output
