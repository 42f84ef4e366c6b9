"""Small models that some backend refuses, or computes in another type than they say."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.backends.models import make, value

NODE = helper.make_node


def customs() -> onnx.ModelProto:
    """Three operators that nobody knows, and two that everybody does, in two chains."""
    nodes = [
        NODE("Foo", ["x"], ["a"], domain="my"),
        NODE("Relu", ["a"], ["b"]),
        NODE("Bar", ["b"], ["c"], domain="my"),
        NODE("Sigmoid", ["x"], ["d"]),
        NODE("Baz", ["d"], ["e"], domain="my"),
    ]
    return make(nodes, [value("x", [1, 4])], [value("c", [1, 4]), value("e", [1, 4])], domain="my")


def indices(*, constant: bool) -> onnx.ModelProto:
    """GatherND at what NonZero gives: of ones of a known shape, or of values."""
    ones = [
        NODE("Shape", ["x"], ["s"]),
        NODE("ConstantOfShape", ["s"], ["o"], value=numpy_helper.from_array(np.int64([1]))),
    ]
    nodes = [
        *(ones if constant else [NODE("Relu", ["x"], ["o"])]),
        NODE("NonZero", ["o"], ["i"]),
        NODE("Transpose", ["i"], ["t"]),
        NODE("GatherND", ["x", "t"], ["y"]),
    ]
    return make(nodes, [value("x", [4, 4])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])])


def branching() -> onnx.ModelProto:
    """An If on an input; NonZero stands in one of its branches only."""
    found = helper.make_graph(
        [NODE("NonZero", ["r"], ["i"]), NODE("Cast", ["i"], ["t"], to=TensorProto.FLOAT)],
        "then",
        [],
        [helper.make_tensor_value_info("t", TensorProto.FLOAT, [2, "n"])],
    )
    same = helper.make_graph([NODE("Identity", ["r"], ["e"])], "else", [], [value("e", [4, 4])])
    nodes = [NODE("Relu", ["x"], ["r"]), NODE("If", ["c"], ["y"], then_branch=found, else_branch=same)]
    inputs = [value("x", [4, 4]), value("c", [], TensorProto.BOOL)]
    return make(nodes, inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])


def doubles() -> onnx.ModelProto:
    nodes = [
        NODE("Cast", ["x"], ["d"], to=TensorProto.DOUBLE),
        NODE("Sin", ["d"], ["e"]),
        NODE("Cast", ["e"], ["y"], to=TensorProto.FLOAT),
    ]
    return make(nodes, [value("x", [4])], [value("y", [4])])


def longs() -> onnx.ModelProto:
    factor = numpy_helper.from_array(np.int64([3_000_000_000]), "k")
    inputs, outputs = [value("x", [4], TensorProto.INT64)], [value("y", [4], TensorProto.INT64)]
    return make([NODE("Mul", ["x", "k"], ["y"])], inputs, outputs, [factor])
