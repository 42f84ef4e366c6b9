"""Two nodes in a row that only move or retype values become one, or none.

Rules
1. Transpose after Transpose is one Transpose of both orders; where they undo each other, none.
2. Reshape after a Reshape, Flatten, Squeeze or Unsqueeze is the last one alone, where its target is a constant without
   zeros (a zero copies a dimension of what it reads).
3. A Cast to a type that holds every value of the one before it (float16 to float32) is skipped by the Cast behind it;
   the two undo each other where the second goes back.
4. Two Casts of one tensor to one type are one.
5. Where the tensor between has other users or is an output, the first node stays for them.
6. What is merged has both ids, `n4+n5`; what is taken out is `absorbed`. What makes an output of the graph stays.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto, TensorProto, helper

from workbench.precision.editor import GraphEditor, attribute, int_attribute, is_standard

_VIEWS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
_HOLDS = {
    TensorProto.FLOAT16: (TensorProto.FLOAT, TensorProto.DOUBLE),
    TensorProto.BFLOAT16: (TensorProto.FLOAT, TensorProto.DOUBLE),
    TensorProto.FLOAT: (TensorProto.DOUBLE,),
    TensorProto.INT32: (TensorProto.INT64, TensorProto.DOUBLE),
    TensorProto.BOOL: (TensorProto.INT32, TensorProto.INT64, TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8),
}
"""Types that hold every value of the key's."""


def merge_moves(model: ModelProto) -> dict[str, str]:
    """Edits `model`, whose nodes are sorted; returns the nodes it took out, with why."""
    gone: dict[str, str] = {}
    while _once(GraphEditor(model), gone):
        pass
    return gone


def merge_casts(model: ModelProto) -> int:
    """Rules 3 and 4 alone, for a graph in which casts were written; bodies are left. Returns how many nodes went."""
    before = len(model.graph.node)
    while _once(GraphEditor(model), {}, casts_only=True):
        pass
    return before - len(model.graph.node)


def _once(editor: GraphEditor, gone: dict[str, str], *, casts_only: bool = False) -> bool:
    """One sweep, in which a node takes part in one merger at most; whether there was any. Adds to `gone`."""
    touched: set[str] = set()
    for node in editor.nodes:
        before = editor.producers.get(node.input[0]) if node.input else None
        if before is None or {node.name, before.name} & touched or (casts_only and node.op_type != "Cast"):
            continue
        if (found := _merge(editor, before, node)) is not None:
            touched |= {node.name, before.name}
            gone |= found
    gone |= _merge_casts(editor, touched)
    if touched:
        editor.commit()
    return bool(touched)


def _merge(editor: GraphEditor, before: NodeProto, node: NodeProto) -> dict[str, str] | None:
    if is_standard(before, "Transpose") and is_standard(node, "Transpose"):
        return _merge_transposes(editor, before, node)
    if is_standard(before, *_VIEWS) and is_standard(node, "Reshape") and _is_whole(editor, node):
        return _skip(editor, before, node)
    if is_standard(before, "Cast") and is_standard(node, "Cast"):
        kind = editor.types.get(before.input[0], 0)
        if int_attribute(before, "to", 0) in _HOLDS.get(kind, ()):
            return _skip(editor, before, node, undone=kind == int_attribute(node, "to", 0))
    return None


def _merge_transposes(editor: GraphEditor, before: NodeProto, node: NodeProto) -> dict[str, str] | None:
    first, second = attribute(before, "perm"), attribute(node, "perm")
    if not isinstance(first, list) or not isinstance(second, list):
        return None
    both = [first[axis] for axis in second]
    undone = both == sorted(both)
    if not undone or node.output[0] in editor.outputs:
        next(entry for entry in node.attribute if entry.name == "perm").CopyFrom(helper.make_attribute("perm", both))
    return _skip(editor, before, node, undone=undone)


def _is_whole(editor: GraphEditor, node: NodeProto) -> bool:
    target = editor.constant(node.input[1]) if len(node.input) > 1 else None
    return target is not None and not (target == 0).any()


def _skip(editor: GraphEditor, before: NodeProto, node: NodeProto, *, undone: bool = False) -> dict[str, str]:
    """`node` reads what `before` reads; with `undone` its users do."""
    between, gone = node.input[0], {}
    editor.set_input(node, 0, before.input[0])
    is_free = not editor.uses.get(between) and between not in editor.outputs
    if undone and node.output[0] not in editor.outputs:
        editor.redirect(node.output[0], before.input[0])
        editor.drop(node)
        gone[node.name] = "absorbed"
        if is_free:
            gone[before.name] = "absorbed"
    elif is_free:
        node.name = f"{before.name}+{node.name}"
    if is_free:
        editor.drop(before)
    return gone


def _merge_casts(editor: GraphEditor, touched: set[str]) -> dict[str, str]:
    """Rule 4."""
    first: dict[tuple[str, int], NodeProto] = {}
    gone: dict[str, str] = {}
    for node in editor.nodes:
        if not is_standard(node, "Cast") or node.name in touched:
            continue
        known = first.setdefault((node.input[0], int_attribute(node, "to", 0)), node)
        if known is not node and node.output[0] not in editor.outputs:
            editor.redirect(node.output[0], known.output[0])
            editor.drop(node)
            touched.add(node.name)
            gone[node.name] = "absorbed"
    return gone
