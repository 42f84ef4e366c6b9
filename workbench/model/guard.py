"""The gate: a static check of a model that nobody vouches for, before any engine or library sees it.

Limits come from files that brought engines down: 2^40 nodes out of 40 functions hang ONNX Runtime and TensorRT, a node
of 100,000 inputs or 200,000 nodes take them over 25 s, bodies nested 30 deep OpenVINO over 25 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import onnx
from google.protobuf.message import DecodeError

from workbench.core.errors import WorkbenchError
from workbench.model.dtypes import is_known, packed_bytes
from workbench.model.external import check_external, is_external
from workbench.model.files import not_onnx, read_onnx
from workbench.model.functions import Key, called, function_key
from workbench.model.walk import all_graphs, all_nodes, all_tensors, bodies, with_bodies

_AGAIN = "Export or download the model again."


class Limits(msgspec.Struct, frozen=True):
    """The most that is let through. Real models stay far below: the largest language models have ~30,000 nodes."""

    nodes: int = 60_000
    unfolded_nodes: int = 60_000  # with every call of a local function replaced by its body
    fan: int = 10_000  # inputs, or outputs, or attributes of one node
    tensors: int = 300_000
    name: int = 10_000  # characters
    depth: int = 16  # bodies in bodies
    rank: int = 64
    calls: int = 32  # functions in functions
    levels: int = 40  # bodies and functions in each other
    metadata_bytes: int = 64 * 1024**2


LIMITS = Limits()


def read_model(path: Path) -> tuple[onnx.ModelProto, bytes, dict[str, int]]:
    """The parsed file, its bytes, and the sizes of its external data files. External data is not read.

    Raises WorkbenchError, and nothing else, for whatever cannot be opened or is not safe to open.
    """
    data = read_onnx(path)
    model = _parse(data, path.name)
    check_names(model, path.name)
    check_limits(model, LIMITS)
    check_tensors(model)
    return model, data, check_external(model, path.parent)


def _parse(data: bytes, name: str) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise not_onnx(name) from error
    if not model.HasField("graph") or not (model.ir_version or len(model.opset_import)):
        raise not_onnx(name)
    return model


def check_limits(model: onnx.ModelProto, limits: Limits) -> None:
    """Counts, depth, recursion. Raises WorkbenchError naming the limit."""
    _at_most(sum(1 for _ in all_nodes(model)), limits.nodes, "nodes")
    _at_most(sum(1 for _ in all_tensors(model)), limits.tensors, "weights and constants")
    _at_most(max((_fan(node) for node in all_nodes(model)), default=0), limits.fan, "inputs on one node")
    _at_most(sum(len(p.key) + len(p.value) for p in model.metadata_props), limits.metadata_bytes, "bytes of metadata")
    _at_most(_unfolded(model, limits), limits.unfolded_nodes, "nodes once its functions are unfolded")
    for graph in all_graphs(model):
        _one_maker(graph)


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise WorkbenchError(
            f"The model has {count:,} {what}; {limit:,} are the most that is opened.",
            "Larger graphs bring the engines down. Simplify it, or export a part.",
        )


def _fan(node: onnx.NodeProto) -> int:
    return max(len(node.input), len(node.output), len(node.attribute))


def check_names(model: onnx.ModelProto, file: str) -> None:
    """Raises WorkbenchError for names that are too long, or not text: protobuf gives those as bytes."""
    longest = 0
    for name in _names(model):
        if not isinstance(name, str):
            raise WorkbenchError(f"{file} holds a name that is not text; it is damaged.", _AGAIN)
        longest = max(longest, len(name))
    _at_most(longest, LIMITS.name, "characters in one name")


def _names(model: onnx.ModelProto) -> Iterator[str | bytes]:
    """Every text of the file that is read later. The depth of bodies is checked before they are walked."""
    _depth(model, LIMITS)
    for node in all_nodes(model):
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (text for attribute in node.attribute for text in (attribute.name, attribute.ref_attr_name))
    for graph in all_graphs(model):
        yield graph.name
        for value in (*graph.input, *graph.output, *graph.value_info):
            yield value.name
            yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
            yield from (dim.dim_param for dim in value.type.sparse_tensor_type.shape.dim)
    for tensor in all_tensors(model):
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))
    for function in model.functions:
        yield from (function.name, function.domain, *function.input, *function.output)
    yield from (entry.domain for entry in (*model.opset_import, *model.functions))
    yield from (model.producer_name, model.producer_version)


def _depth(model: onnx.ModelProto, limits: Limits) -> None:
    tops: list[Iterable[onnx.NodeProto]] = [model.graph.node, *(function.node for function in model.functions)]
    for training in model.training_info:
        tops += [training.initialization.node, training.algorithm.node]
    stack = [(nodes, 0) for nodes in tops]
    while stack:
        nodes, depth = stack.pop()
        _at_most(depth, limits.depth, "bodies inside each other")
        stack += [(body.node, depth + 1) for node in nodes for _, body in bodies(node)]


def _one_maker(graph: onnx.GraphProto) -> None:
    seen: set[str] = set()
    for node in graph.node:
        for name in node.output:
            if name and name in seen:
                raise WorkbenchError(f"Two nodes of the graph give the same tensor {name!r}.", _AGAIN)
            seen.add(name)


def _unfolded(model: onnx.ModelProto, limits: Limits) -> int:
    """Nodes when every call is replaced by its function's body. Raises WorkbenchError for recursion."""
    functions = {function_key(function): function for function in model.functions}
    sizes: dict[Key, int] = {}
    levels: dict[Key, int] = {}

    def size(nodes: Iterable[onnx.NodeProto], path: tuple[Key, ...]) -> int:
        return sum(one(node, path) for node in with_bodies(nodes))

    def one(node: onnx.NodeProto, path: tuple[Key, ...]) -> int:
        key = called(node)
        if key not in functions:
            return 1
        if key in path or len(path) >= limits.calls:
            why = "calls itself" if key in path else "is nested too deeply in other functions"
            raise WorkbenchError(f"The model's function {key[1]!r} {why}.", "No engine can run this model.")
        if key not in sizes:
            sizes[key] = size(functions[key].node, (*path, key))
            levels[key] = _levels(functions[key].node, levels)
            _at_most(levels[key], limits.levels, "bodies and functions inside each other")
        return 1 + sizes[key]

    for key, function in functions.items():
        size(function.node, (key,))
    return size(model.graph.node, ())


def _levels(nodes: Iterable[onnx.NodeProto], known: Mapping[Key, int]) -> int:
    """How deep bodies and calls are nested in a function; `known` says it of the functions that it calls."""
    most, stack = 1, [(nodes, 1)]
    while stack:
        inner, level = stack.pop()
        most = max(most, level)
        for node in inner:
            most = max(most, level + known.get(called(node), 0))
            stack += [(body.node, level + 1) for _, body in bodies(node)]
    return most


def check_tensors(model: onnx.ModelProto) -> None:
    """Every tensor's type is known and its data fit its shape. Raises WorkbenchError naming the tensor."""
    for tensor in all_tensors(model):
        if not is_known(tensor.data_type):
            raise _bad(tensor, f"has element type {tensor.data_type}, which is not known here")
        if len(tensor.dims) > LIMITS.rank or any(dim < 0 for dim in tensor.dims):
            raise _bad(tensor, "has an impossible shape")
        _fits(tensor)


def _bad(tensor: onnx.TensorProto, why: str) -> WorkbenchError:
    return WorkbenchError(f"The weight {tensor.name!r} {why}.", _AGAIN)


def _fits(tensor: onnx.TensorProto) -> None:
    count = 1
    for dim in tensor.dims:
        count *= dim
    if is_external(tensor):
        if tensor.data_type == onnx.TensorProto.STRING:
            raise _bad(tensor, "holds text in an external file")
        return
    if tensor.HasField("raw_data"):
        found, needed, unit = len(tensor.raw_data), packed_bytes(tensor.data_type, count), "bytes"
    else:
        found, needed, unit = len(_field(tensor)), _entries(tensor.data_type, count), "values"
    if found != needed:
        raise _bad(tensor, f"has {found:,} {unit} of data; its shape {list(tensor.dims)} needs {needed:,}")


_T = onnx.TensorProto
_FIELDS = {
    _T.FLOAT: "float_data",
    _T.COMPLEX64: "float_data",
    _T.DOUBLE: "double_data",
    _T.COMPLEX128: "double_data",
    _T.INT64: "int64_data",
    _T.UINT32: "uint64_data",
    _T.UINT64: "uint64_data",
    _T.STRING: "string_data",
}


def _field(tensor: onnx.TensorProto) -> list[object]:
    field: list[object] = getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))
    return field


def _entries(elem_type: int, count: int) -> int:
    """Entries of the typed field: complex numbers take two, types under 8 bits share one per byte."""
    if elem_type in (_T.COMPLEX64, _T.COMPLEX128):
        return 2 * count
    bits = packed_bytes(elem_type, 8)
    return packed_bytes(elem_type, count) if elem_type != _T.STRING and bits < 8 else count
