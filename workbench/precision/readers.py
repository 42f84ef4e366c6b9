"""Who reads the tensors that are calibrated."""

from __future__ import annotations

from typing import NamedTuple

from onnx import ModelProto

from workbench.model.ids import sources_of
from workbench.precision.editor import GraphEditor, is_standard
from workbench.precision.passes.quantize import OPS, observed_tensors


class Readers(NamedTuple):
    """Source nodes that take a tensor as an operand, by id; `has_weights`: one of them has constant weights."""

    nodes: tuple[str, ...]
    has_weights: bool


def readers(base: ModelProto) -> dict[str, Readers]:
    """By name of every tensor of the base graph that INT8 may need ranges of."""
    editor = GraphEditor(base)
    return {name: _readers(editor, name) for name in observed_tensors(base)}


def _readers(editor: GraphEditor, tensor: str) -> Readers:
    nodes = [use.node for use in editor.uses.get(tensor, ()) if use.slot in (0, 1) and is_standard(use.node, *OPS)]
    ids = [source for node in nodes for source in sources_of(node.name)[:1]]
    weighted = any(node.input[1] in editor.constants and node.input[1] not in editor.inputs for node in nodes)
    return Readers(tuple(dict.fromkeys(ids)), weighted)
