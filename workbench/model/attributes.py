"""Attributes of a node as short strings for people."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import onnx
from onnx import numpy_helper

from workbench.core.errors import one_line
from workbench.model.dtypes import dtype_name, is_known
from workbench.model.external import is_external

_MOST = 12
_LONGEST = 160
_A = onnx.AttributeProto


def attribute_strings(node: onnx.NodeProto) -> dict[str, str]:
    """Name -> value: `[1, 1]`, `0.01`, `float32 3×3`, `body of 12 nodes`."""
    return {attribute.name: one_line(_text(attribute), _LONGEST) for attribute in node.attribute}


def _text(attribute: onnx.AttributeProto) -> str:
    kind = attribute.type
    if attribute.ref_attr_name:
        return f"parameter {attribute.ref_attr_name}"
    if kind == _A.FLOAT:
        return f"{attribute.f:g}"
    if kind == _A.INT:
        return str(attribute.i)
    if kind == _A.STRING:
        return _decoded(attribute.s)
    if kind == _A.TENSOR:
        return tensor_string(attribute.t)
    if kind == _A.GRAPH:
        return _body(attribute.g)
    return _list_text(attribute)


def _list_text(attribute: onnx.AttributeProto) -> str:
    kind = attribute.type
    if kind == _A.FLOATS:
        return _joined(attribute.floats, len(attribute.floats), lambda value: f"{value:g}")
    if kind == _A.INTS:
        return _joined(attribute.ints, len(attribute.ints), str)
    if kind == _A.STRINGS:
        return _joined(attribute.strings, len(attribute.strings), _decoded)
    if kind == _A.GRAPHS:
        return ", ".join(_body(graph) for graph in attribute.graphs)
    if kind == _A.TENSORS:
        return _joined(attribute.tensors, len(attribute.tensors), tensor_string)
    return str(_A.AttributeType.Name(kind)).lower().replace("_", " ") if kind in _A.AttributeType.values() else ""


def _joined(values: Iterable[Any], count: int, text: Callable[[Any], str]) -> str:
    shown = [text(value) for value in itertools.islice(values, _MOST)]
    more = f", … {count} in all" if count > _MOST else ""
    return f"[{', '.join(shown)}{more}]"


def _decoded(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _body(graph: onnx.GraphProto) -> str:
    return f"body of {len(graph.node)} nodes"


def tensor_string(tensor: onnx.TensorProto) -> str:
    """Type and shape, and the values where they are few."""
    shape = "×".join(str(dim) for dim in tensor.dims) or "scalar"
    count = 1
    for dim in tensor.dims:
        count *= dim
    head = f"{dtype_name(tensor.data_type)} {shape}"
    if count > _MOST or is_external(tensor) or not is_known(tensor.data_type):
        return head
    values = numpy_helper.to_array(tensor).ravel().tolist()
    shown = ", ".join(f"{v:g}" if isinstance(v, float) else _decoded(v) for v in values)
    return f"{head}: {shown}" if shown else head
