"""Lift old files to an opset that has per-channel Q/DQ.

Rules
1. Files at opset 13 or newer stay as they are.
2. Others are converted to opset 17; where the converter cannot, to 13; where it cannot either, they stay as they are
   and a note says so (weights are then quantized per tensor, which opset 10 has).
3. The converter does not enter bodies: files with If, Loop or Scan stay as they are.
4. Nodes keep their ids. A node the converter adds is named after the node it serves: `n17:lift_shape`.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto, version_converter

from workbench.core.errors import one_line
from workbench.precision.editor import bodies, default_opset

PER_CHANNEL_OPSET = 13
_TARGETS = (17, 13)


def lift_opset(model: ModelProto) -> tuple[ModelProto, tuple[str, ...]]:
    """The model at opset >= 13 where that can be had, and notes. The argument is not changed."""
    opset = default_opset(model)
    if opset >= PER_CHANNEL_OPSET:
        return model, ()
    if any(True for node in model.graph.node for _ in bodies(node)):
        return model, (f"The file stays at opset {opset}: the converter does not enter If, Loop and Scan.",)
    reason = ""
    for target in _TARGETS:
        try:
            lifted = version_converter.convert_version(model, target)
        except (RuntimeError, ValueError, IndexError) as error:
            reason = one_line(str(error), 160)
            continue
        _name_added_nodes(lifted)
        return lifted, (f"Opset {opset} was lifted to {target} for Q/DQ per channel.",)
    return model, (f"The file stays at opset {opset}; the converter said: {reason}",)


def _name_added_nodes(model: ModelProto) -> None:
    """Rule 4: the first consumer with an id owns a nameless node, else the producer it follows."""
    taken = {node.name for node in model.graph.node}
    consumers: dict[str, NodeProto] = {}
    producers: dict[str, NodeProto] = {}
    for node in model.graph.node:
        producers |= dict.fromkeys(node.output, node)
        for name in node.input:
            consumers.setdefault(name, node)
    nameless = [node for node in model.graph.node if not node.name]
    for node in (*reversed(nameless), *nameless):
        if node.name:
            continue
        served = [consumers[name] for name in node.output if name in consumers]
        followed = [producers[name] for name in node.input if name in producers]
        owner = next((other.name for other in (*served, *followed) if other.name), "")
        if owner:
            node.name = _free_name(f"{owner.partition(':')[0]}:lift_{node.op_type.lower()}", taken)


def _free_name(wish: str, taken: set[str]) -> str:
    name, count = wish, 1
    while name in taken:
        count += 1
        name = f"{wish}_{count}"
    taken.add(name)
    return name
