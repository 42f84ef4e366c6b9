"""Take out nodes that change nothing in inference: Identity, and Dropout outside training.

Rules
1. Users of the output read the input instead.
2. A Dropout stays where its mask is used, or where `training_mode` is anything but a constant false.
3. A node that makes a graph output stays (the output must keep its name).
4. Each node taken out is reported as `absorbed`.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto

from workbench.precision.editor import GraphEditor, is_standard


def drop_identities(model: ModelProto) -> dict[str, str]:
    """Edits `model`; returns the nodes it took out."""
    editor = GraphEditor(model)
    gone = [node for node in editor.nodes if _is_idle(editor, node)]
    for node in gone:
        editor.redirect(node.output[0], node.input[0])
        editor.drop(node)
    if gone:
        editor.commit()
    return dict.fromkeys((node.name for node in gone), "absorbed")


def _is_idle(editor: GraphEditor, node: NodeProto) -> bool:
    if not is_standard(node, "Identity", "Dropout") or editor.outputs.intersection(node.output):
        return False
    if node.op_type == "Identity":
        return True
    mask_used = len(node.output) > 1 and bool(editor.uses.get(node.output[1]))
    training = node.input[2] if len(node.input) > 2 else ""
    is_inference = not training or (training in editor.constants and not editor.array(training).any())
    return is_inference and not mask_used
