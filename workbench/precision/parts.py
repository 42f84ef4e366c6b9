"""Parts of a graph as ONNX models of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from workbench.model.inference import infer, skeleton, type_of
from workbench.precision.editor import captured_names

Type = tuple[int, tuple[int | str, ...] | None]


class Part(NamedTuple):
    """A model of some nodes of a graph: `places` in it. `inputs` are tensors of the graph, with their types; `outputs`
    maps the part's names of tensors to the graph's."""

    model: ModelProto
    inputs: dict[str, np.dtype[np.generic]]
    outputs: dict[str, str]
    places: tuple[int, ...]

    def onnx(self) -> bytes:
        """As a file."""
        data: bytes = self.model.SerializeToString()
        return data


class Parts:
    """Takes a sorted graph apart. The proto is kept, and not changed."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        graph = model.graph
        self.nodes: list[NodeProto] = list(graph.node)
        self.weights: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self._sparse = {tensor.values.name: tensor for tensor in graph.sparse_initializer}
        self.inputs: dict[str, ValueInfoProto] = {v.name: v for v in graph.input if v.name not in self.weights}
        self.producers = {name: i for i, node in enumerate(self.nodes) for name in node.output if name}
        self._reads = [[n for n in (*node.input, *captured_names(node)) if n] for node in self.nodes]
        self.types: dict[str, Type] = _types(model)
        self._suffix = ":alone"
        while any(name.endswith(self._suffix) for name in self.producers):
            self._suffix += "_"

    def part(self, wanted: Iterable[str], given: Collection[str]) -> Part:
        """The nodes that make `wanted`, back to tensors in `given` (themselves not counted), inputs and weights.

        What a node of the part makes of `given` gets another name there, for the part's other nodes read what is given
        and not what is made.
        """
        wanted = tuple(wanted)
        places, inputs, weights = self._reach(wanted, given)
        copies = [_copy(self.nodes[place]) for place in places]
        for node in copies:
            for slot, name in enumerate(node.output):
                if name in given:
                    node.output[slot] = name + self._suffix
        outputs = {name + self._suffix if name in given else name: name for name in wanted}
        types = {name: self._dtype(name) for name in inputs}
        return Part(self._model(copies, inputs, weights, outputs), types, outputs, tuple(places))

    def _dtype(self, name: str) -> np.dtype[np.generic]:
        kind = self.inputs[name].type.tensor_type.elem_type if name in self.inputs else self.types[name][0]
        dtype: np.dtype[np.generic] = helper.tensor_dtype_to_np_dtype(kind)
        return dtype

    def reads(self, wanted: Iterable[str], given: Collection[str]) -> list[str]:
        """The inputs of the part."""
        return self._reach(tuple(wanted), given)[1]

    def weight_bytes(self, wanted: Iterable[str], given: Collection[str]) -> int:
        """What a session of the part maps or copies of weights."""
        return sum(_size(self.weights[name]) for name in self._reach(tuple(wanted), given)[2] if name in self.weights)

    def _reach(self, wanted: tuple[str, ...], given: Collection[str]) -> tuple[list[int], list[str], list[str]]:
        places: set[int] = set()
        inputs: dict[str, None] = {}
        weights: dict[str, None] = {}
        waiting = [self.producers[name] for name in wanted]
        while waiting:
            place = waiting.pop()
            if place in places:
                continue
            places.add(place)
            for name in self._reads[place]:
                if name not in given and name in self.producers:
                    waiting.append(self.producers[name])
                elif name in given or name in self.inputs:
                    inputs[name] = None
                else:
                    weights[name] = None
        return sorted(places), list(inputs), list(weights)

    def _model(
        self, nodes: list[NodeProto], inputs: list[str], weights: list[str], outputs: Iterable[str]
    ) -> ModelProto:
        model = ModelProto(ir_version=self.model.ir_version)
        model.opset_import.extend(self.model.opset_import)
        model.functions.extend(self.model.functions)
        graph = model.graph
        graph.name = "part"
        graph.node.extend(nodes)
        graph.input.extend(self._value(name) for name in inputs)
        graph.output.extend(ValueInfoProto(name=name) for name in outputs)
        graph.initializer.extend(self.weights[name] for name in weights if name in self.weights)
        graph.sparse_initializer.extend(self._sparse[name] for name in weights if name in self._sparse)
        return model

    def _value(self, name: str) -> ValueInfoProto:
        if name in self.inputs:
            return self.inputs[name]
        kind, shape = self.types[name]
        rank = None if shape is None else [None] * len(shape)
        return helper.make_tensor_value_info(name, kind, rank)


def _size(tensor: TensorProto) -> int:
    told = next((int(entry.value) for entry in tensor.external_data if entry.key == "length"), 0)
    return told or len(tensor.raw_data)


def _copy(node: NodeProto) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def _types(model: ModelProto) -> dict[str, Type]:
    """Element type and shape of every tensor of the main graph that inference finds or the file declares."""
    graph = infer(skeleton(model)[0])[0].graph
    return {value.name: type_of(value) for value in (*graph.value_info, *graph.input, *graph.output)}
