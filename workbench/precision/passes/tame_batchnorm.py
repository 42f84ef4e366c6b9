"""Keep BatchNormalization within FP16: a variance that FP16 cannot hold becomes 1, and gamma takes its place.

Rules
1. Where a variance is beyond 65504 (clamping it would change every value), all of that node's variances become 1 and
   gamma' = gamma * sqrt((1 + eps) / (variance + eps)): the same function, to the last bit of float32 or nearly.
2. Gamma and variance must be constants in float32. They are written beside the old ones, which others may still use.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from workbench.precision.editor import GraphEditor, float_attribute, is_standard

LARGEST = 65504.0
_GAMMA, _VARIANCE = 1, 4


def tame_batchnorm(model: ModelProto, asked: Collection[str]) -> list[str]:
    """Edits `model`, bodies too; returns the nodes it changed. `asked` are names of nodes that are to be FP16."""
    return _tame_graph(GraphEditor(model), asked)


def _tame_graph(editor: GraphEditor, asked: Collection[str]) -> list[str]:
    inside = [name for body in editor.inner() for name in _tame_graph(body, asked)]
    wild = [node for node in editor.nodes if node.name in asked and _is_wild(editor, node)]
    for node in wild:
        _tame(editor, node)
    if wild:
        editor.commit()
    return inside + [node.name for node in wild]


def _is_wild(editor: GraphEditor, node: NodeProto) -> bool:
    if not is_standard(node, "BatchNormalization"):
        return False
    gamma, variance = (editor.constant(node.input[slot]) for slot in (_GAMMA, _VARIANCE))
    if gamma is None or variance is None or not gamma.dtype == variance.dtype == np.float32:
        return False
    return bool((variance.astype(np.float32) > LARGEST).any())


def _tame(editor: GraphEditor, node: NodeProto) -> None:
    gamma, variance = (_float64(editor, node.input[slot]) for slot in (_GAMMA, _VARIANCE))
    epsilon = float_attribute(node, "epsilon", 1e-5)
    new = gamma * np.sqrt((1.0 + epsilon) / (variance + epsilon))
    ones = np.ones_like(variance, dtype=np.float32)
    names = [editor.add_constant(f"{node.input[_GAMMA]}:tamed", new.astype(np.float32))]
    names.append(editor.add_constant(f"{node.input[_VARIANCE]}:one", ones))
    for slot, name in zip((_GAMMA, _VARIANCE), names, strict=True):
        old = node.input[slot]
        editor.set_input(node, slot, name)
        if old in editor.producers and not editor.uses[old] and old not in editor.outputs:
            editor.drop(editor.producers[old])


def _float64(editor: GraphEditor, name: str) -> NDArray[np.float64]:
    return np.asarray(editor.constant(name), np.float64)
