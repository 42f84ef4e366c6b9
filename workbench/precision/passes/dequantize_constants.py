"""int8 weights in the one form that TensorRT takes: a DequantizeLinear reads them, and nothing else.

Exporters also write `Mul(Cast(int8 weights), scale)`, which every other engine computes at build time; TensorRT 1.7
refuses "Quantized constant ... is only allowed before DQ".

Rules
1. Cast of an int8 constant to float32, read by one Mul with a constant scale, is one DequantizeLinear `n4+n5`, where
   the scale is one value or runs along one axis (opset 13). The numbers are the same: value * scale in float32.
2. Any other Cast of an int8 constant is computed: the constant becomes float and the Cast is reported as `folded`.
3. Bodies of If, Loop and Scan are treated alike, with their own constants.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from workbench.precision.editor import GraphEditor, int_attribute, is_standard
from workbench.precision.passes.lift_opset import PER_CHANNEL_OPSET


def dequantize_constants(model: ModelProto) -> dict[str, str]:
    """Edits `model`; returns the nodes it took out, with why."""
    return _rewrite_graph(GraphEditor(model))


def _rewrite_graph(editor: GraphEditor) -> dict[str, str]:
    gone = {name: why for body in editor.inner() for name, why in _rewrite_graph(body).items()}
    casts = [node for node in editor.nodes if _is_cast_of_int8(editor, node)]
    for cast in casts:
        if (scaling := _scaling_behind(editor, cast)) is not None:
            _merge(editor, cast, scaling)
        elif cast.output[0] not in editor.outputs:
            _compute(editor, cast)
            gone[cast.name] = "folded"
    if casts:
        editor.commit()
    return gone


def _is_cast_of_int8(editor: GraphEditor, node: NodeProto) -> bool:
    if not is_standard(node, "Cast") or int_attribute(node, "to", 0) != TensorProto.FLOAT:
        return False
    values = editor.constant(node.input[0])
    return values is not None and values.dtype == np.int8


def _scaling_behind(editor: GraphEditor, cast: NodeProto) -> NodeProto | None:
    """Rule 1: the Mul, where the two are a dequantization."""
    uses = editor.uses.get(cast.output[0], [])
    if editor.opset < PER_CHANNEL_OPSET or len(uses) != 1 or cast.output[0] in editor.outputs:
        return None
    node = uses[0].node
    if not is_standard(node, "Mul") or uses[0].slot not in (0, 1):
        return None
    scale, weights = editor.constant(node.input[1 - uses[0].slot]), editor.constant(cast.input[0])
    if scale is None or weights is None or scale.dtype != np.float32:
        return None
    return node if _scale_axis(scale.shape, weights.shape) is not None else None


def _scale_axis(scale: tuple[int, ...], dims: tuple[int, ...]) -> int | None:
    """The one axis of `dims` along which a scale of this shape runs, -1 for one value; None: it is neither."""
    if len(scale) > len(dims):
        return None
    whole = (1,) * (len(dims) - len(scale)) + scale
    along = [axis for axis, size in enumerate(whole) if size != 1]
    if not along:
        return -1
    return along[0] if len(along) == 1 and whole[along[0]] == dims[along[0]] else None


def _merge(editor: GraphEditor, cast: NodeProto, scaling: NodeProto) -> None:
    name = next(name for name in scaling.input if name != cast.output[0])
    scale, weights = np.asarray(editor.constant(name)), np.asarray(editor.constant(cast.input[0]))
    axis = _scale_axis(scale.shape, weights.shape)
    stored = editor.add_constant(f"{cast.output[0]}:int8", weights)
    flat = editor.add_constant(f"{name}:flat", scale.reshape(() if axis == -1 else -1))
    node = helper.make_node("DequantizeLinear", [stored, flat], list(scaling.output), f"{cast.name}+{scaling.name}")
    if axis != -1:
        node.attribute.append(helper.make_attribute("axis", axis))
    editor.insert_before(scaling, node)
    editor.drop(cast)
    editor.drop(scaling)


def _compute(editor: GraphEditor, cast: NodeProto) -> None:
    """Rule 2."""
    values = np.asarray(editor.constant(cast.input[0]), np.float32)
    editor.redirect(cast.output[0], editor.add_constant(f"{cast.output[0]}:float", values))
    editor.drop(cast)
