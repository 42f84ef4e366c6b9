"""Lift files to an opset that has the Q/DQ they are to hold: per channel (13), of FP8 (19), INT4 (21), FP4 (23).

Rules
1. Files at the opset that is needed, or newer, stay as they are.
2. Those before 13 are converted to 17; where the converter cannot, to 13. Beyond, to the very opset that is needed:
   each newer one is refused by more engines.
3. Where the converter cannot, the file stays as it is and a note says so (at opset 10 weights are then quantized per
   tensor).
4. The converter does not enter bodies: files with If, Loop or Scan stay as they are.
5. Nodes keep their ids; what the converter puts in a node's place (Resize for Upsample) gets its id. Any other node
   that it adds is named after the node it serves: `n17:lift_shape`.
6. Files older than IR 4 count as IR 4, which need not list weights as inputs: many never did. A file of a newer opset
   gets the IR version that came with it, which types of that time need (INT4: IR 10).
"""

from __future__ import annotations

import onnx
from onnx import ModelProto, NodeProto, version_converter

from workbench.core.errors import one_line
from workbench.model.ids import free_name
from workbench.model.inference import skeleton
from workbench.precision.editor import FIRST_IR_WITH_CONSTANTS, bodies, default_opset

PER_CHANNEL_OPSET = 13
_USUAL_OPSET = 17


def lift_opset(model: ModelProto, least: int = PER_CHANNEL_OPSET) -> tuple[ModelProto, tuple[str, ...]]:
    """The model at opset >= `least` where that can be had, and notes. The argument is not changed."""
    opset = default_opset(model)
    if opset >= least:
        return model, ()
    if any(True for node in model.graph.node for _ in bodies(node)):
        return model, (f"The file stays at opset {opset}: the converter does not enter If, Loop and Scan.",)
    reason = ""
    if model.ir_version < FIRST_IR_WITH_CONSTANTS:
        model = _copy(model)
        model.ir_version = FIRST_IR_WITH_CONSTANTS
    for target in (_USUAL_OPSET, least) if least < _USUAL_OPSET else (least,):
        try:
            lifted = _converted(model, target)
        except (RuntimeError, ValueError, IndexError, version_converter.ConvertError) as error:
            reason = one_line(str(error), 160)
            continue
        lifted.ir_version = max(lifted.ir_version, _ir_version(target))
        _name_replaced_nodes(lifted, model)
        name_added_nodes(lifted, "lift_")
        return lifted, (f"Opset {opset} was lifted to {target} for the Q/DQ of this plan.",)
    return model, (f"The file stays at opset {opset}; the converter said: {reason}",)


def _converted(model: ModelProto, target: int) -> ModelProto:
    """Large weights do not go through the converter, which would copy them four times; they are put back behind it."""
    light, found = skeleton(model)
    places = set(found)
    lifted = version_converter.convert_version(light, target)
    own, kept = {value.name for value in model.graph.input}, {tensor.name for tensor in lifted.graph.initializer}
    inputs = [value for value in lifted.graph.input if value.name in own]
    del lifted.graph.input[:]
    lifted.graph.input.extend(inputs)
    lifted.graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name not in kept)
    large = [node for place, node in enumerate(model.graph.node) if place not in places]  # Constant nodes
    if large:
        lifted_nodes = list(lifted.graph.node)
        del lifted.graph.node[:]
        lifted.graph.node.extend([*large, *lifted_nodes])
    return lifted


def _ir_version(opset: int) -> int:
    """Of the onnx release that brought the opset; before 19 nothing that is written here depends on it."""
    return int(onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)])) if opset >= 19 else 0


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _name_replaced_nodes(lifted: ModelProto, before: ModelProto) -> None:
    """Rule 5. What a replaced node made is an output of the graph still, or read in the same place as before."""
    kept = {node.name: node for node in lifted.graph.node if node.name}
    makers = {name: node for node in lifted.graph.node for name in node.output}
    heirs: dict[str, str] = {name: name for name in makers}
    for node in before.graph.node:
        if node.name in kept:
            heirs |= dict(zip(node.input, kept[node.name].input, strict=False))
    for node in before.graph.node:
        found = [makers[heirs[name]] for name in node.output if heirs.get(name) in makers]
        if node.name not in kept and found and not found[0].name:
            found[0].name = node.name


def name_added_nodes(model: ModelProto, role: str) -> None:
    """Rule 5: the first consumer with an id owns a nameless node, else the producer it follows. `role` goes before the
    op: `n17:lift_shape`."""
    taken = {node.name for node in model.graph.node}
    consumers: dict[str, NodeProto] = {}
    producers: dict[str, NodeProto] = {}
    for node in model.graph.node:
        producers |= dict.fromkeys(node.output, node)
        for name in node.input:
            consumers.setdefault(name, node)
    nameless = [node for node in model.graph.node if not node.name]
    for node in (*reversed(nameless), *nameless, *reversed(nameless)):
        if node.name:
            continue
        served = [consumers[name] for name in node.output if name in consumers]
        followed = [producers[name] for name in node.input if name in producers]
        owner = next((other.name for other in (*served, *followed) if other.name), "")
        if owner:
            node.name = free_name(f"{owner.partition(':')[0]}:{role}{node.op_type.lower()}", taken)
