"""Small models made on the spot, good and bad."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def value(name: str, shape: Sequence[int | str | None] = (1, 4), dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name: str, *shape: int) -> onnx.TensorProto:
    count = int(np.prod(shape))
    return numpy_helper.from_array(np.linspace(-1, 1, count, dtype=np.float32).reshape(shape), name)


def chain(length: int = 2) -> onnx.ModelProto:
    """x -> Relu -> ... -> y."""
    names = ["x", *(f"t{i}" for i in range(length - 1)), "y"]
    nodes = [helper.make_node("Relu", [a], [b]) for a, b in itertools.pairwise(names)]
    return model(nodes, [value("x")], [value("y")])


def linear() -> onnx.ModelProto:
    """x -> MatMul(w) -> y, with a weight of 16 floats."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="the product")]
    return model(nodes, [value("x")], [value("y")], [weight("w", 4, 4)])


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: Sequence[onnx.TensorProto] = (),
    *,
    functions: Sequence[onnx.FunctionProto] = (),
    opset: int = 17,
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", opset)]
    if functions:
        opsets.append(helper.make_opsetid("own", 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=functions)


def branching(depth: int = 1) -> onnx.ModelProto:
    """x -> If(c) with a Relu in one branch and a Neg in the other, nested `depth` times; the branches take x."""
    node = helper.make_node("Relu", ["x"], ["t0"])
    for level in range(depth):
        done = value(f"t{level}")
        then = helper.make_graph([node], f"then{level}", [], [done])
        other = helper.make_graph([helper.make_node("Neg", ["x"], [f"e{level}"])], "else", [], [value(f"e{level}")])
        node = helper.make_node("If", ["c"], [f"t{level + 1}"], then_branch=then, else_branch=other)
    return model([node], [value("x"), value("c", (), TensorProto.BOOL)], [value(f"t{depth}")])


def external(location: str, *, offset: str | None = None, length: str | None = None) -> onnx.ModelProto:
    """`linear` whose weight of 64 bytes lies in another file."""
    proto = linear()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", offset), ("length", length)):
        if text is not None:
            tensor.external_data.add(key=key, value=text)
    return proto


def save(proto: onnx.ModelProto, folder: Path, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path
