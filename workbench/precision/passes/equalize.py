"""Equalize the channels of a normalized tensor that only depthwise Convs read, so that one scale suits all of them.

One INT8 scale per tensor is coarse where channels differ in range. A depthwise Conv has weights of its own for every
channel, with a scale of their own, so a channel may be larger by a factor and its weights smaller by the same, at no
cost (cross-layer equalization: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
2019; here the weights need not be equal, only the activations).

Rules
1. The tensor is made by a BatchNormalization in inference mode with constant parameters, perhaps with a Relu behind it,
   and read by nothing but Convs of one input channel per group with constant float32 weights.
2. The spread of a channel is |beta| + 4 |gamma|. Its factor is the largest spread / its own, at most 64.
3. gamma and beta are multiplied by it, the Conv's weights divided. Tensors whose values changed get new names
   (`x:equalized`), so that nobody compares them with those of the source.
4. Where no factor is over 2, nothing is done.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from workbench.precision.editor import GraphEditor, int_attribute, is_standard

_SIGMAS = 4.0
_LARGEST_FACTOR = 64.0
_WORTH = 2.0


def equalize(model: ModelProto) -> int:
    """Edits `model`; returns how many tensors were equalized."""
    editor = GraphEditor(model)
    count = sum(_equalize_behind(editor, node) for node in editor.nodes if _is_constant_norm(editor, node))
    if count:
        editor.commit()
    return count


def _is_constant_norm(editor: GraphEditor, node: NodeProto) -> bool:
    return (
        is_standard(node, "BatchNormalization")
        and not int_attribute(node, "training_mode", 0)
        and not any(node.output[1:])
        and all(_is_float(editor, name) for name in node.input[1:5])
    )


def _is_float(editor: GraphEditor, name: str) -> bool:
    return name in editor.constants and editor.array(name).dtype == np.float32


def _equalize_behind(editor: GraphEditor, norm: NodeProto) -> bool:
    makers = _makers(editor, norm)
    convs = [use.node for use in editor.uses.get(makers[-1].output[0], ())]
    factors = _factors(editor, norm)
    if factors.max(initial=1.0) <= _WORTH or any(node.output[0] in editor.outputs for node in makers):
        return False
    if not convs or not all(_is_depthwise(editor, conv, makers[-1].output[0], len(factors)) for conv in convs):
        return False
    for slot in (1, 2):
        _replace(editor, norm, slot, factors)
    for conv in convs:
        groups = len(editor.array(conv.input[1])) // len(factors)
        _replace(editor, conv, 1, 1.0 / np.repeat(factors, groups))
    for node in makers:
        old, node.output[0] = node.output[0], editor.new_name(f"{node.output[0]}:equalized")
        editor.redirect(old, node.output[0])
    return True


def _makers(editor: GraphEditor, norm: NodeProto) -> list[NodeProto]:
    """The BatchNormalization, and the Relu if that is all that reads it."""
    uses = editor.uses.get(norm.output[0], [])
    relu = uses[0].node if len(uses) == 1 and is_standard(uses[0].node, "Relu") else None
    return [norm] if relu is None else [norm, relu]


def _is_depthwise(editor: GraphEditor, conv: NodeProto, tensor: str, channels: int) -> bool:
    return (
        is_standard(conv, "Conv")
        and list(conv.input).index(tensor) == 0
        and int_attribute(conv, "group", 1) == channels
        and _is_float(editor, conv.input[1])
    )


def _factors(editor: GraphEditor, norm: NodeProto) -> NDArray[np.float32]:
    """Rule 2."""
    gamma, beta = (editor.array(name).astype(np.float64) for name in norm.input[1:3])
    spread = np.abs(beta) + _SIGMAS * np.abs(gamma)
    largest = float(spread.max(initial=0.0))
    ratio = largest / np.maximum(spread, largest / _LARGEST_FACTOR) if largest > 0.0 else np.ones_like(spread)
    factors: NDArray[np.float32] = ratio.astype(np.float32)
    return factors


def _replace(editor: GraphEditor, node: NodeProto, slot: int, factors: NDArray[np.float32]) -> None:
    """A new constant beside the old one, which others may read; `factors` along its first axis."""
    values = editor.array(node.input[slot])
    scaled = values * factors.reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    editor.set_input(node, slot, editor.add_constant(f"{node.input[slot]}:equalized", scaled))
