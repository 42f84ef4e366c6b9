"""BF16 for the exact simulator: ONNX Runtime has no BF16 arithmetic on CPUs, so it computes in float32 and rounds.

Rules
1. Constants in BF16 become float32 of the same values.
2. Behind each node that makes a BF16 tensor stand two Casts, to BF16 and back: the tensor is float32 and holds BF16
   values only, as where an engine sums in float32 and stores BF16. Operators that only move values need none.
3. What a node makes is read from the newest definition of its operator: an output has the type of the inputs that
   share its type variable. Bodies of If, Loop and Scan follow the same rules; Loop and Scan carry float32.
4. Inputs and outputs of the whole graph keep their types.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from workbench.precision.editor import bodies, is_standard
from workbench.precision.saving import PROTOBUF_LIMIT, weights_bytes

_BF16, _FLOAT = TensorProto.BFLOAT16, TensorProto.FLOAT
_TYPE_ATTRIBUTES = ("to", "dtype")
_EXACT = (
    "Cast", "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Relu",
    "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip


def without_bf16(path: str | Path) -> bytes | None:
    """The ONNX file at `path` with BF16 rewritten by the rules; None where it has none, or would pass protobuf's limit.

    Its nodes must be in order.
    """
    model = onnx.load(path)
    known = _Rewriter()
    known.graph(model.graph, frozenset())
    if not known.has_changed or weights_bytes(model) >= PROTOBUF_LIMIT:
        return None
    data: bytes = model.SerializeToString()
    return data


class _Rewriter:
    def __init__(self) -> None:
        self.has_changed = False

    def graph(self, graph: GraphProto, outer: frozenset[str]) -> frozenset[str]:
        """Rewrites one graph; `outer` and the result are names of tensors that hold BF16 values."""
        del graph.value_info[:]
        rounded = set(outer) - {value.name for value in graph.input}
        for tensor in graph.initializer:
            if self._widen(tensor):
                rounded.add(tensor.name)
        nodes: list[NodeProto] = []
        for node in graph.node:
            nodes += [node, *self._node(node, rounded)]
        kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del graph.node[:]
        graph.node.extend(kept)
        return frozenset(rounded)

    def _node(self, node: NodeProto, rounded: set[str]) -> Iterator[NodeProto]:
        """Rewrites a node, adds what it makes in BF16 to `rounded`, and gives the Casts to stand behind it."""
        made = self._made(node, rounded)
        is_exact = is_standard(node, *_EXACT) and not (node.op_type == "Cast" and made)
        for slot in made:
            name = node.output[slot]
            rounded.add(name)
            self.has_changed = True
            if not is_exact:
                node.output[slot] = f"{name}:wide"
                yield helper.make_node("Cast", [f"{name}:wide"], [f"{name}:narrow"], to=_BF16)
                yield helper.make_node("Cast", [f"{name}:narrow"], [name], to=_FLOAT)

    def _made(self, node: NodeProto, rounded: set[str]) -> list[int]:
        """Output slots of BF16 (rule 3). Rewrites attributes and bodies on the way."""
        within = [self.graph(body, frozenset(rounded)) for body in bodies(node)]
        if within:
            names = [value.name for value in next(iter(bodies(node))).output]
            return [i for i, name in enumerate(names) if name in within[0]] if node.op_type == "If" else []
        told = [self._retype(entry) for entry in node.attribute]
        if any(told):
            return [0]
        if any(entry.name in _TYPE_ATTRIBUTES for entry in node.attribute):
            return []
        return _same_type(node, rounded)

    def _retype(self, entry: AttributeProto) -> bool:
        """Whether an attribute named BF16, which it does no more."""
        if entry.name in _TYPE_ATTRIBUTES and entry.i == _BF16:
            entry.i = _FLOAT
            return True
        return entry.type == AttributeProto.TENSOR and self._widen(entry.t)

    def _widen(self, tensor: TensorProto) -> bool:
        """Rule 1."""
        if tensor.data_type != _BF16:
            return False
        values = numpy_helper.to_array(tensor).astype(ml_dtypes.bfloat16).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        self.has_changed = True
        return True


def _same_type(node: NodeProto, rounded: set[str]) -> list[int]:
    """Output slots whose type variable an input of BF16 has."""
    try:
        schema = onnx.defs.get_schema(node.op_type, onnx.defs.onnx_opset_version(), node.domain)
    except onnx.defs.SchemaError:
        return []
    takes, makes = schema.inputs, schema.outputs
    kinds = {takes[min(i, len(takes) - 1)].type_str for i, name in enumerate(node.input) if name in rounded}
    slots = [slot for slot, name in enumerate(node.output) if name and makes]
    return [slot for slot in slots if makes[min(slot, len(makes) - 1)].type_str in kinds]
