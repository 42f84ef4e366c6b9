"""Constants that ONNX Runtime cannot compute, or cannot hand over, beside those that it can."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from workbench.core.errors import WorkbenchError
from workbench.precision.passes.fold_constants import fold_constants
from workbench.precision.session import reference_session

NODE = helper.make_node


def model(nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    """Constants `a` and `b` of two values; `x` and `y` in BF16."""
    ends = [helper.make_tensor_value_info(name, TensorProto.BFLOAT16, [2]) for name in "xy"]
    constants = [numpy_helper.from_array(np.float32([1.5, 1 / 3]), name) for name in "ab"]
    for index, node in enumerate(nodes):
        node.name = f"n{index}"
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return onnx.shape_inference.infer_shapes(proto)


def bf16(name: str, out: str) -> onnx.NodeProto:
    return NODE("Cast", [name], [out], to=TensorProto.BFLOAT16)


def test_a_constant_in_bf16_is_folded_exactly() -> None:
    """Which numpy cannot be given by ONNX Runtime: it was an internal error."""
    proto = model([NODE("Add", ["a", "b"], ["s"]), bf16("s", "h"), NODE("Mul", ["x", "h"], ["y"])])
    assert set(fold_constants(proto)) == {"n0", "n1"}
    (kept,) = (tensor for tensor in proto.graph.initializer if tensor.name == "h")
    assert kept.data_type == TensorProto.BFLOAT16
    assert numpy_helper.to_array(kept).astype(np.float32).tolist() == [3.0, 0.66796875]
    assert [node.op_type for node in proto.graph.node] == ["Mul"]


def test_what_onnx_runtime_does_not_compute_stays_as_it_is() -> None:
    """It has no arithmetic in BF16 on the CPU: that too was the end of the whole plan."""
    halves = [bf16("a", "h"), bf16("b", "k"), NODE("Add", ["h", "k"], ["s"]), NODE("Mul", ["x", "s"], ["y"])]
    proto = model(halves)
    with pytest.raises(WorkbenchError, match="Add"):
        reference_session(proto)
    assert fold_constants(proto) == {}
    assert [node.op_type for node in proto.graph.node] == ["Cast", "Cast", "Add", "Mul"]
