"""From the graph that a session saved to layers. It is ONNX again, with fused operators of ONNX Runtime's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
import onnx

from workbench.backends._names import ADDED, converts_for_others, known_sources
from workbench.backends._typed import TypedGraph
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.model.dtypes import dtype_bytes
from workbench.model.kinds import FLOATS
from workbench.model.walk import bodies

_REFORMATS = frozenset(
    ["Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ReorderInput", "ReorderOutput"]
)
_INTEGER = ("QLinear", "QGemm", "QAttention", "Integer", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM")
_BLOCKED = "_nchwc"
_GEMM = "/MatMulAddFusion"  # behind the name of the MatMul, in the Gemm that it becomes
_TOKEN = re.compile(r"_token_\d+$")
_CAST = "InsertedPrecisionFreeCast_"


class Executed(NamedTuple):
    """The executed graph as a Graph with engine ids, bodies included; and the proto with these ids as node names."""

    graph: Graph
    proto: onnx.ModelProto


def executed(proto: onnx.ModelProto, typed: TypedGraph) -> Executed:
    """`proto` is what a session saved. Its nodes are renamed in place, so that profiles lead back exactly."""
    graph = _convert(TypedGraph(proto).graph, typed)
    _rename(proto.graph, "")
    return Executed(graph, proto)


def _rename(graph: onnx.GraphProto, prefix: str) -> None:
    for index, node in enumerate(graph.node):
        node.name = f"{prefix}l{index}"
        for attribute, body in bodies(node):
            _rename(body, f"{node.name}.{attribute}.")


def engine_id(node: str) -> str:
    """`n3.then_branch.n0` in the saved graph is the layer `l3.then_branch.l0`."""
    parts = node.split(".")
    return ".".join("l" + part[1:] if index % 2 == 0 else part for index, part in enumerate(parts))


def _convert(graph: Graph, typed: TypedGraph) -> Graph:
    tensors = _with_blocked_types(graph, typed)
    moves = _layout_moves(graph, typed)
    layers = tuple(_layer(node, tensors, typed, is_move=node.id in moves) for node in graph.layers)
    bodies = {engine_key(key): _convert(body, typed) for key, body in graph.subgraphs.items()}
    return msgspec.structs.replace(graph, layers=layers, tensors=tensors, subgraphs=bodies)


def engine_key(key: str) -> str:
    """As `engine_id`, for the key of a body: `n3.then_branch` is `l3.then_branch`."""
    holder, _, attribute = key.rpartition(".")
    return f"{engine_id(holder)}.{attribute}"


def _layout_moves(graph: Graph, typed: TypedGraph) -> set[str]:
    """Transposes that stand for no node: ONNX Runtime puts them around kernels that take channels last."""
    last = [node for node in graph.layers if _is_channels_last(node)]
    near = {name for node in last for name in (*node.inputs, *node.outputs) if name}
    return {
        node.id
        for node in graph.layers
        if node.op == "Transpose"
        and _own_name(node) not in typed.names
        and near.intersection((*node.inputs, *node.outputs))
    }


def _is_channels_last(node: Layer) -> bool:
    return node.op.rpartition(".")[2].startswith("Nhwc") or node.attributes.get("channels_last") == "1"


def _layer(node: Layer, tensors: Mapping[str, Tensor], typed: TypedGraph, *, is_move: bool) -> Layer:
    named = [] if is_move else list(_names(node, typed))
    added = converts_for_others(named)
    op = node.op.rpartition(".")[2]
    kind = LayerKind.REFORMAT if op in _REFORMATS or added or is_move else node.kind
    read, made = ([tensors[n].dtype for n in names if n in tensors] for names in (node.inputs, node.outputs))
    ran = precision_run(op, node.attributes, read, made, typed.is_quantized)
    return msgspec.structs.replace(
        node,
        id=engine_id(node.id),
        op=op,
        inputs=tuple(name for name in node.inputs if name),
        outputs=tuple(name for name in node.outputs if name),
        precision=None if kind is LayerKind.SHAPE else ran,
        sources=known_sources(named),
        kind=kind,
        tactic=node.op if "." in node.op else "",
        attributes=node.attributes | ({ADDED: added} if added else {}),
    )


def _names(node: Layer, typed: TypedGraph) -> Iterator[str]:
    """Typed nodes that a saved node stands for: by its name, the tensors it gives, and the name of a blocked one.

    A name that is a node's is never looked up among the tensors: the user's own may look like ids.
    """
    own = _own_name(node)
    yield own
    for name in (*node.outputs, *(() if own in typed.names else (own,))):
        if _plain(name) in typed.maker:
            yield typed.maker[_plain(name)]


def _own_name(node: Layer) -> str:
    """Without the number that ONNX Runtime gives to nodes that it makes anew: `n2+n3_token_1`."""
    return _TOKEN.sub("", node.name)


def _plain(name: str) -> str:
    """The tensor a name of ONNX Runtime's is made from: blocked layout, or FP16 that is computed in FP32."""
    return name.removeprefix(_CAST).removesuffix(_BLOCKED)


def _with_blocked_types(graph: Graph, typed: TypedGraph) -> dict[str, Tensor]:
    """Tensors in blocked layout (`reorder_token_7`) are saved without a type: it is that of the ONNX tensor."""
    tensors = dict(graph.tensors)
    for node in graph.layers:
        for index, name in enumerate(node.outputs):
            if name and not tensors[name].dtype:
                model = _unblocked(node, index, tensors, typed)
                if model:
                    tensors[name] = msgspec.structs.replace(model, name=name, constant=False)
    return tensors


def _unblocked(node: Layer, index: int, tensors: Mapping[str, Tensor], typed: TypedGraph) -> Tensor | None:
    """The tensor whose type a nameless one shares: that of its ONNX name, or of what the node reads.

    Where the node gives 8 bits of what is float in the ONNX, the shape is that of the ONNX and the type its own.
    """
    own = typed.node.get(_own_name(node).removesuffix(_GEMM)) or typed.node.get(_plain(node.outputs[index]))
    names = [_plain(node.outputs[index]), _plain(node.name), *(own.outputs[index : index + 1] if own else ())]
    found = next((typed.graph.tensors[name] for name in names if name in typed.graph.tensors), None)
    if found is None and node.inputs:
        data, scale = tensors.get(node.inputs[0]), tensors.get(node.inputs[-1 if len(node.inputs) < 2 else 1])
        found = data
        if data and scale and node.op == "DequantizeLinear":
            found = tensor_of(data.name, data.shape or (), scale.dtype)
    if found and found.dtype in FLOATS and (dtype := _eight_bits(node, tensors)):
        found = tensor_of(found.name, found.shape or (), dtype)
    if found and found.dtype == "float16" and _CAST in node.outputs[index] + node.name:
        found = tensor_of(found.name, found.shape or (), "float32")
    return found


def _eight_bits(node: Layer, tensors: Mapping[str, Tensor]) -> str:
    """The type of what a node quantizes to, told by the zero point of its output; "" where it gives floats."""
    op = node.op.rpartition(".")[2]
    if op == "QuantizeLinear":
        points = node.inputs[2:3]
    else:
        points = tuple(name for name in node.inputs if op.startswith("QLinear"))
    types = [tensors[name].dtype for name in points if name in tensors]
    return next((dtype for dtype in types if dtype in ("uint8", "int8")), "")


def tensor_of(name: str, shape: tuple[int | str, ...], dtype: str) -> Tensor:
    """A tensor with its bytes; 0 where a dimension is free."""
    count = 1
    for dim in shape:
        count *= dim if isinstance(dim, int) else 0
    return Tensor(name, shape, dtype, dtype_bytes(dtype, count))


def precision_run(
    op: str, attributes: Mapping[str, str], read: list[str], made: list[str], is_quantized: bool
) -> Precision | None:
    """What a node computes in: integers by its operator, else the type of what it gives.

    In a quantized model a node that moves 8-bit data runs in INT8. None: no floats (indices, shapes, booleans).
    """
    if op == "MatMulNBits":
        return Precision.INT4_WEIGHTS if attributes.get("bits", "4") == "4" else Precision.INT8_WEIGHTS
    if any(word in op for word in _INTEGER):
        return Precision.INT8
    if is_quantized and made and all(dtype in ("int8", "uint8") for dtype in (*read[:1], *made)):
        return Precision.INT8
    return next((FLOATS[dtype] for dtype in (*made, *read) if dtype in FLOATS), None)


def with_layers(graph: Graph, layers: Mapping[str, Layer]) -> Graph:
    """The same graph with layers replaced by id."""
    bodies = {key: with_layers(body, layers) for key, body in graph.subgraphs.items()}
    return msgspec.structs.replace(graph, layers=tuple(layers[layer.id] for layer in graph.layers), subgraphs=bodies)
