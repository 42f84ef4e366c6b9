"""FP4 weights for the exact simulator: ONNX Runtime has no kernel for them, so their values are written out.

A DequantizeLinear of E2M1 constants, and the one of E4M3 that makes its scales, become an initializer of the values
that they give, in the type of the scale.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from workbench.precision.editor import is_standard

Array = NDArray[np.generic]


def widen_fp4(model: ModelProto) -> bool:
    """Edits the top level of `model`; whether there was any FP4."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {node.output[0]: node for node in model.graph.node if is_standard(node, "DequantizeLinear")}
    found = [node for node in makers.values() if _is_fp4(constants.get(node.input[0]))]
    for node in found:
        scale = _scale(node.input[1], constants, makers)
        values = _dequantized(node, numpy_helper.to_array(constants[node.input[0]]), scale)
        model.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
    gone = {node.output[0] for node in found} | {node.input[1] for node in found if node.input[1] in makers}
    kept = [node for node in model.graph.node if not gone.intersection(node.output)]
    if found:
        copies = [NodeProto.FromString(node.SerializeToString()) for node in kept]
        del model.graph.node[:]
        model.graph.node.extend(copies)
        _drop_fp4(model)
    return bool(found)


def _is_fp4(tensor: TensorProto | None) -> bool:
    return tensor is not None and tensor.data_type == TensorProto.FLOAT4E2M1


def _scale(name: str, constants: dict[str, TensorProto], makers: dict[str, NodeProto]) -> Array:
    """A constant, or one that is dequantized itself."""
    if name in constants:
        return np.asarray(numpy_helper.to_array(constants[name]))
    inner, factor = (numpy_helper.to_array(constants[part]) for part in makers[name].input[:2])
    return np.asarray((inner.astype(np.float32) * factor.astype(np.float32)).astype(factor.dtype))


def _dequantized(node: NodeProto, values: Array, scale: Array) -> Array:
    found = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    wide = np.repeat(scale.astype(np.float32), int(found["block_size"]), int(found.get("axis", 1)))
    return np.asarray((values.astype(np.float32) * wide).astype(scale.dtype))


def _drop_fp4(model: onnx.ModelProto) -> None:
    kept = [tensor for tensor in model.graph.initializer if not _is_fp4(tensor)]
    copies = [TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
    del model.graph.initializer[:]
    model.graph.initializer.extend(copies)
