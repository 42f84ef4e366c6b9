"""Fold BatchNormalization into the Conv before it: w' = w * s, b' = (b - mean) * s + beta, s = gamma / sqrt(var + eps).

Rules
1. The Conv's weights (and bias) and the four parameters of the BatchNormalization are constants in float32.
2. Nothing but the BatchNormalization reads the Conv's output, and it is in inference mode with one output in use.
3. The merged Conv takes the BatchNormalization's output name and both ids: `n10+n11`.
4. ConvTranspose is folded likewise where it has one group (its output channels are axis 1 of the weights).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from workbench.precision.editor import GraphEditor, float_attribute, int_attribute, is_standard


def fold_batchnorm(model: ModelProto) -> int:
    """Edits `model`; returns how many were folded."""
    editor = GraphEditor(model)
    pairs = [(conv, node) for node in editor.nodes if (conv := _conv_before(editor, node)) is not None]
    for conv, norm in pairs:
        _fold(editor, conv, norm)
    if pairs:
        editor.commit()
    return len(pairs)


def _conv_before(editor: GraphEditor, norm: NodeProto) -> NodeProto | None:
    if not is_standard(norm, "BatchNormalization") or int_attribute(norm, "training_mode", 0):
        return None
    conv = editor.producers.get(norm.input[0])
    if conv is None or not is_standard(conv, "Conv", "ConvTranspose") or any(norm.output[1:]):
        return None
    if conv.op_type == "ConvTranspose" and int_attribute(conv, "group", 1) != 1:
        return None
    between = conv.output[0]
    if between in editor.outputs or len(editor.uses[between]) != 1:
        return None
    constants = [name for name in (*conv.input[1:], *norm.input[1:5]) if name]
    return conv if all(is_float_constant(editor, name) for name in constants) else None


def is_float_constant(editor: GraphEditor, name: str) -> bool:
    """Whether a tensor is an initializer in float32 that nobody may feed."""
    return name in editor.constants and name not in editor.inputs and editor.array(name).dtype == np.float32


def _fold(editor: GraphEditor, conv: NodeProto, norm: NodeProto) -> None:
    gamma, beta, mean, variance = (editor.array(name).astype(np.float64) for name in norm.input[1:5])
    factor = gamma / np.sqrt(variance + float_attribute(norm, "epsilon", 1e-5))
    merge_into_conv(editor, conv, norm, factor, beta - mean * factor)


def merge_into_conv(
    editor: GraphEditor, conv: NodeProto, node: NodeProto, factor: NDArray[np.float64], shift: NDArray[np.float64]
) -> None:
    """Rule 3, for a `node` that gives the Conv's output times `factor` plus `shift`, each [output channels]."""
    has_bias = len(conv.input) > 2 and conv.input[2]
    bias = editor.array(conv.input[2]).astype(np.float64) if has_bias else np.zeros_like(shift)
    weights = editor.array(conv.input[1]).astype(np.float64)
    axis = 0 if conv.op_type == "Conv" else 1
    shape = [1] * weights.ndim
    shape[axis] = -1
    _set_weights(editor, conv, weights * factor.reshape(shape), bias * factor + shift)
    conv.output[0] = node.output[0]
    editor.producers[node.output[0]] = conv
    editor.drop(node)
    conv.name = f"{conv.name}+{node.name}"


def _set_weights(editor: GraphEditor, conv: NodeProto, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
    """New constants beside the old ones, which others may still use."""
    new_weights = editor.add_constant(f"{conv.input[1]}:folded", weights.astype(np.float32))
    new_bias = editor.add_constant(f"{conv.output[0]}:bias", bias.astype(np.float32))
    inputs = [conv.input[0], new_weights, new_bias]
    del conv.input[:]
    conv.input.extend(inputs)
