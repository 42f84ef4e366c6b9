"""Take out nodes that no output of the graph depends on; each is reported as `removed`."""

from __future__ import annotations

from onnx import ModelProto

from workbench.precision.editor import GraphEditor
from workbench.precision.passes.fold_constants import drop_unneeded


def drop_dead(model: ModelProto) -> dict[str, str]:
    """Edits `model`, whose nodes are sorted; returns the nodes it took out."""
    editor = GraphEditor(model)
    return dict.fromkeys(drop_unneeded(editor, {node.name for node in editor.nodes}), "removed")
