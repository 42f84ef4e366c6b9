"""Who reads the tensors that are calibrated."""

from __future__ import annotations

from typing import NamedTuple

from onnx import ModelProto

from workbench.core.dialect import Dialect
from workbench.model.ids import sources_of
from workbench.precision.editor import GraphEditor, is_standard
from workbench.precision.passes.quantize import OPS, observed_tensors


class Readers(NamedTuple):
    """Source nodes that take a tensor quantized, by id. `may_be_unsigned`: an unsigned dialect writes it as uint8."""

    nodes: tuple[str, ...]
    may_be_unsigned: bool


def readers(base: ModelProto, dialect: Dialect | None = None) -> dict[str, Readers]:
    """By name of every tensor of the base graph that INT8 in this dialect may need ranges of."""
    editor = GraphEditor(base)
    return {name: _readers(editor, name) for name in observed_tensors(base, dialect)}


def _readers(editor: GraphEditor, tensor: str) -> Readers:
    """What computes in INT8 where there is any; else residual sums and pools, which only hand it on."""
    uses = editor.uses.get(tensor, ())
    operands = [use.node for use in uses if use.slot in (0, 1) and is_standard(use.node, *OPS)]
    nodes = operands or [use.node for use in uses]
    ids = dict.fromkeys(source for node in nodes for source in sources_of(node.name)[:1])
    weighted = any(node.input[1] in editor.constants and node.input[1] not in editor.inputs for node in operands)
    return Readers(tuple(ids), weighted or not operands)
