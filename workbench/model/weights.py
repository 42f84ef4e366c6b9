"""What the weights amount to, and whether their values can be right."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np
import onnx
from onnx import numpy_helper

from workbench.model.dtypes import packed_bytes
from workbench.model.external import is_external
from workbench.model.inference import constant_tensor
from workbench.model.walk import all_graphs, all_nodes

_T = onnx.TensorProto
_NOT_PARAMETERS = (_T.INT64, _T.BOOL, _T.STRING)
_FLOATS = (_T.FLOAT, _T.DOUBLE, _T.FLOAT16)


class Weights(msgspec.Struct, frozen=True):
    """`parameters` are elements of weights that are not indices, shapes or text (int64, bool, string)."""

    size_bytes: int
    parameters: int
    not_finite: tuple[str, ...]  # names of tensors with NaN or Inf


def weigh(model: onnx.ModelProto) -> Weights:
    """Counts initializers, sparse ones and values of Constant nodes, in bodies and functions too."""
    size = parameters = 0
    odd = []
    for name, tensor in _weights(model):
        count = math.prod(tensor.dims)
        size += packed_bytes(tensor.data_type, count)
        parameters += 0 if tensor.data_type in _NOT_PARAMETERS else count
        if not _is_finite(tensor):
            odd.append(name)
    return Weights(size, parameters, tuple(odd))


def _weights(model: onnx.ModelProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    for graph in all_graphs(model):
        yield from ((tensor.name, tensor) for tensor in graph.initializer)
        yield from ((sparse.values.name, sparse.values) for sparse in graph.sparse_initializer)
    for node in all_nodes(model):
        tensor = constant_tensor(node)
        if tensor is not None:
            yield node.output[0], tensor


def _is_finite(tensor: onnx.TensorProto) -> bool:
    """False where a weight has NaN, or Inf among more than a few values (a lone -inf is a mask's). External: True."""
    if tensor.data_type not in _FLOATS or is_external(tensor):
        return True
    values = numpy_helper.to_array(tensor)
    # A sum is finite only if its terms are (or overflow, which the second look tells): no copy of the weights.
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return True
    return bool(np.isfinite(values).all()) or (values.size <= 16 and not bool(np.isnan(values).any()))
