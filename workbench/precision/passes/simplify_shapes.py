"""Compute what follows from the shapes of this build: Shape and what is made of it, and moves that move nothing.

Exporters write `Reshape(x, Concat(Gather(Shape(x), 0), 128))` where, with fixed inputs, the target is a constant.

Rules
1. A tensor of integers whose values are known from the input shapes becomes an initializer of its name.
2. A Reshape, Flatten, Squeeze, Unsqueeze, Expand or Tile whose input and output have one and the same known shape is
   taken out, and so is a Transpose that keeps the order and a Cast to the type that is there already.
3. The target of a Reshape or Expand whose result has a known shape becomes that shape.
4. Nodes that nothing needs any more go with them: `folded` where values were computed, `absorbed` for rule 2.
5. What makes an output of the graph stays (the output must keep its name).

This holds for the shapes of one build only: where an engine is built for a range of shapes, the pass is left out.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from workbench.model import inference
from workbench.model.folding import known_values
from workbench.precision.editor import GraphEditor, attribute, int_attribute, is_standard
from workbench.precision.passes.fold_constants import drop_unneeded

_KEEPS_ORDER = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile")
_TARGETS = ("Reshape", "Expand")
_INTEGERS = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)


def simplify_shapes(model: ModelProto) -> dict[str, str]:
    """Edits `model`, whose nodes are sorted; returns the nodes it took out, with why."""
    known = known_values(inference.skeleton(model)[0], {})
    editor = GraphEditor(model)
    idle = [node for node in editor.nodes if _is_idle(editor, node)]
    for node in idle:
        editor.redirect(node.output[0], node.input[0])
        editor.drop(node)
    for name, values in known.items():
        if name in editor.producers and name not in editor.outputs and editor.types.get(name) in _INTEGERS:
            _make_constant(editor, name, values)
    for node in editor.nodes:
        if is_standard(node, *_TARGETS) and node not in idle:
            _fix_target(editor, node)
    editor.commit()
    folded = drop_unneeded(editor, {node.name for node in editor.nodes if _computes_integers(editor, node)})
    return dict.fromkeys((node.name for node in idle), "absorbed") | dict.fromkeys(folded, "folded")


def _is_idle(editor: GraphEditor, node: NodeProto) -> bool:
    """Rule 2."""
    if not node.input or not node.output or node.output[0] in editor.outputs or any(node.output[1:]):
        return False
    if is_standard(node, "Cast"):
        return editor.types.get(node.input[0]) == int_attribute(node, "to", 0)
    if is_standard(node, "Transpose"):
        order = attribute(node, "perm")
        return isinstance(order, list) and order == sorted(order)
    before, after = editor.shape(node.input[0]), editor.shape(node.output[0])
    return is_standard(node, *_KEEPS_ORDER) and before is not None and before == after


def _make_constant(editor: GraphEditor, name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    """Rule 1: the node that made it makes something nobody reads."""
    node = editor.producers[name]
    node.output[list(node.output).index(name)] = editor.new_name(f"{name}:unused")
    editor.set_constant(name, np.asarray(values))


def _fix_target(editor: GraphEditor, node: NodeProto) -> None:
    """Rule 3. Zeros would mean something else to Reshape."""
    shape = editor.shape(node.output[0])
    if len(node.input) < 2 or shape is None or 0 in shape or editor.constant(node.input[1]) is not None:
        return
    editor.set_input(node, 1, editor.add_constant(f"{node.output[0]}:shape", np.array(shape, np.int64)))


def _computes_integers(editor: GraphEditor, node: NodeProto) -> bool:
    return all(editor.types.get(name.removesuffix(":unused")) in _INTEGERS for name in node.output if name)
