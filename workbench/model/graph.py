"""From the proto to the Graph that all other rooms know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import onnx

from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.model.attributes import attribute_strings
from workbench.model.dtypes import dtype_bytes, dtype_name
from workbench.model.exported import exported_scope
from workbench.model.functions import BODY, Functions
from workbench.model.ids import body_key, node_id
from workbench.model.inference import Type, constant_tensor, type_of
from workbench.model.kinds import KindFinder, op_name, precision_of
from workbench.model.sorting import execution_order
from workbench.model.walk import bodies

Types = Mapping[str, Mapping[str, Type]]


def build_graph(proto: onnx.GraphProto, types: Types, functions: Functions | None = None) -> Graph:
    """The whole source graph with its bodies, those of calls of `functions` among them.

    `types` as `inference.types_by_graph` gives them, of a copy in which functions are inlined.
    """
    return _Builder(types, functions).build(proto, _Place(), {}, KindFinder(set(), set()))


@dataclass(frozen=True)
class _Place:
    """Where a body stands: its key, the graph in which its tensors have types, and what their names begin with there.

    `given` are the tensors that a function reads and gives, by its own names for them.
    """

    key: str = ""
    home: str = ""
    prefix: str = ""
    given: dict[str, Tensor] = field(default_factory=dict)


class _Builder:
    def __init__(self, types: Types, functions: Functions | None) -> None:
        self.types = types
        self.functions = functions

    def build(self, proto: onnx.GraphProto, place: _Place, outer: Mapping[str, Tensor], scope: KindFinder) -> Graph:
        """`outer` and `scope` are what the body sees of the graphs around it."""
        tensors = self._tensors(proto, place)
        visible = {**outer, **tensors}
        constants = {name for name, tensor in tensors.items() if tensor.constant}
        finder = KindFinder(scope.constants | constants, scope.shapes)
        layers: list[Layer] = []
        subgraphs: dict[str, Graph] = {}
        for index in execution_order(proto):
            node = proto.node[index]
            layers.append(_layer(node, node_id(index, place.key), finder, visible))
            for attribute, body in bodies(node):
                key = body_key(layers[-1].id, attribute)
                subgraphs[key] = self.build(body, _Place(key, key, place.prefix), visible, finder)
            called = self.functions.body(node) if self.functions else None
            if called is not None:
                layers[-1] = msgspec.structs.replace(layers[-1], kind=LayerKind.CONTROL, precision=None)
                key = body_key(layers[-1].id, BODY)
                subgraphs[key] = self._function(called, _Place(key, place.home, f"{key}:"), node, visible, finder)
        return Graph(
            name=proto.name,
            layers=tuple(layers),
            tensors=tensors,
            inputs=tuple(value.name for value in proto.input if not _is_weight(tensors, value.name)),
            outputs=tuple(value.name for value in proto.output),
            subgraphs=subgraphs,
        )

    def _function(
        self, body: onnx.GraphProto, place: _Place, call: onnx.NodeProto, outer: Mapping[str, Tensor], scope: KindFinder
    ) -> Graph:
        """It sees nothing of the graph around its call but what it is given."""
        pairs = [*zip(body.input, call.input, strict=False), *zip(body.output, call.output, strict=False)]
        for formal, actual in pairs:
            if actual in outer:
                place.given[formal.name] = msgspec.structs.replace(outer[actual], name=formal.name)
        shapes = {formal.name for formal, actual in pairs if actual in scope.shapes}
        return self.build(body, place, {}, KindFinder(set(), shapes))

    def _tensors(self, proto: onnx.GraphProto, place: _Place) -> dict[str, Tensor]:
        """All tensors of one graph: weights, inputs, what nodes give. Names from outside are not among them."""
        declared = {value.name: type_of(value) for value in (*proto.value_info, *proto.input, *proto.output)}
        found = self.types.get(place.home, {})

        def typed(name: str, constant: bool = False) -> Tensor:
            return _tensor(name, found.get(place.prefix + name) or declared.get(name) or (0, None), constant)

        made = [value.name for value in proto.input]
        made += [name for node in proto.node for name in node.output if name]
        made += [value.name for value in proto.output]
        tensors = {name: place.given.get(name) or typed(name) for name in made}
        for weight in proto.initializer:
            tensors[weight.name] = _constant(weight.name, weight)
        for sparse in proto.sparse_initializer:
            shape = tuple(sparse.dims)
            tensors[sparse.values.name] = _tensor(sparse.values.name, (sparse.values.data_type, shape), True)
        for node in proto.node:
            if node.op_type == "Constant" and len(node.output) == 1:
                value = constant_tensor(node)
                name = node.output[0]
                tensors[name] = _constant(name, value) if value is not None else typed(name, True)
        return tensors


def _is_weight(tensors: Mapping[str, Tensor], name: str) -> bool:
    return tensors[name].constant


def _constant(name: str, tensor: onnx.TensorProto) -> Tensor:
    return _tensor(name, (tensor.data_type, tuple(tensor.dims)), True)


def _tensor(name: str, kind: Type, constant: bool = False) -> Tensor:
    dtype, shape = dtype_name(kind[0]), kind[1]
    return Tensor(name, shape, dtype, _bytes(dtype, shape), constant)


def _bytes(dtype: str, shape: tuple[int | str, ...] | None) -> int:
    count = 1
    for dim in shape or ():
        if isinstance(dim, str):
            return 0
        count *= dim
    return 0 if shape is None else dtype_bytes(dtype, count)


def _layer(node: onnx.NodeProto, name: str, finder: KindFinder, visible: Mapping[str, Tensor]) -> Layer:
    kind = finder.kind(node)
    dtypes = {key: visible[key].dtype for key in (*node.input, *node.output) if key in visible}
    computes = kind in (LayerKind.COMPUTE, LayerKind.CONTROL)
    precision = precision_of(
        node.op_type, [dtypes.get(n, "") for n in node.input], [dtypes.get(n, "") for n in node.output]
    )
    return Layer(
        id=name,
        name=node.name,
        op=op_name(node),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        precision=precision if computes else None,
        sources=(name,),
        kind=kind,
        attributes=attribute_strings(node),
        scope=exported_scope(node),
    )
