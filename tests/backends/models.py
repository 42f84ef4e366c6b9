"""Small generated models, each with what real ones do to a backend: fusion, folding, dead code, odd names, bodies."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def value(name: str, shape: list[int], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def weights(name: str, *shape: int, scale: float = 0.3) -> onnx.TensorProto:
    """By its name and shape the same, whatever was made before."""
    random = np.random.default_rng([zlib.crc32(name.encode()), *shape])
    return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(np.float32), name)


def make(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto] | None = None,
    domain: str = "",
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants or [])
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 3)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def batch_norm(name: str, channels: int) -> list[onnx.TensorProto]:
    ones = np.ones(channels, np.float32)
    values = (ones * 1.1, ones * 0.1, ones * 0.05, ones * 0.9)
    return [numpy_helper.from_array(v, f"{name}_{i}") for i, v in enumerate(values)]


def residual() -> onnx.ModelProto:
    """Conv+BN+Relu twice, Conv+BN+Add+Relu, pool, classifier: a ResNet's block. Names are odd, empty or doubled."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0"], ["c0"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c0", "bn0_0", "bn0_1", "bn0_2", "bn0_3"], ["b0"], name="same"),
        node("Relu", ["b0"], ["r0"], name="same"),
        node("Conv", ["r0", "w1"], ["c1"], pads=[1, 1, 1, 1], name="odd, name/with:everything"),
        node("BatchNormalization", ["c1", "bn1_0", "bn1_1", "bn1_2", "bn1_3"], ["b1"]),
        node("Relu", ["b1"], ["r1"]),
        node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c2", "bn2_0", "bn2_1", "bn2_2", "bn2_3"], ["b2"]),
        node("Add", ["b2", "r0"], ["a2"], name="same"),
        node("Relu", ["a2"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", "w3", "bias"], ["y, out/0"], transB=1),
    ]
    constants = [weights("w0", 16, 3, 3, 3), weights("w3", 10, 16), weights("bias", 10)]
    constants += [weights(name, 16, 16, 3, 3, scale=0.1) for name in ("w1", "w2")]
    constants += batch_norm("bn0", 16) + batch_norm("bn1", 16) + batch_norm("bn2", 16)
    return make(nodes, [value("x", [1, 3, 16, 16])], [value("y, out/0", [1, 10])], constants)


def folding() -> onnx.ModelProto:
    """Constants to fold, shape arithmetic, views, an Identity, a Dropout, and a branch that nothing reads."""
    node = helper.make_node
    nodes = [
        node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32([0.5]))),
        node("Mul", ["half", "w"], ["w_half"]),
        node("MatMul", ["x", "w_half"], ["m"]),
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["rows"]),
        node("Concat", ["rows", "minus"], ["target"], axis=0),
        node("Reshape", ["m", "target"], ["flat"]),
        node("Identity", ["flat"], ["same"]),
        node("Dropout", ["same"], ["kept"]),
        node("Sigmoid", ["m"], ["nobody_reads_this"]),
        node("Softmax", ["kept"], ["y"], axis=-1),
    ]
    constants = [
        weights("w", 12, 6),
        numpy_helper.from_array(np.int64([0]), "zero"),
        numpy_helper.from_array(np.int64([-1]), "minus"),
    ]
    return make(nodes, [value("x", [4, 12])], [value("y", [4, 6])], constants)


def misleading() -> onnx.ModelProto:
    """Tensors whose names are the ids of other nodes than those that make or read them; two of them are outputs."""
    node = helper.make_node
    nodes = [
        node("Conv", ["n3", "w0"], ["n2"], pads=[1, 1, 1, 1]),
        node("Relu", ["n2"], ["n4"]),
        node("Conv", ["n4", "w1"], ["n0"], pads=[1, 1, 1, 1]),
        node("Sigmoid", ["n0"], ["n1"]),
    ]
    constants = [weights("w0", 8, 3, 3, 3), weights("w1", 8, 8, 3, 3, scale=0.1)]
    shape = [1, 8, 16, 16]
    return make(nodes, [value("n3", [1, 3, 16, 16])], [value("n1", shape), value("n0", shape)], constants)


def transformer() -> onnx.ModelProto:
    """LayerNormalization, attention with Transpose and Softmax, GELU written out with Erf."""
    node = helper.make_node
    nodes = [
        node("LayerNormalization", ["x", "g", "b"], ["n"], axis=-1),
        node("MatMul", ["n", "wq"], ["q"]),
        node("MatMul", ["n", "wk"], ["k"]),
        node("MatMul", ["n", "wv"], ["v"]),
        node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["s"]),
        node("Mul", ["s", "scale"], ["ss"]),
        node("Softmax", ["ss"], ["p"], axis=-1),
        node("MatMul", ["p", "v"], ["o"]),
        node("Add", ["o", "x"], ["h"]),
        node("MatMul", ["h", "w1"], ["u"]),
        node("Div", ["u", "root2"], ["d"]),
        node("Erf", ["d"], ["e"]),
        node("Add", ["e", "one"], ["e1"]),
        node("Mul", ["u", "e1"], ["ue"]),
        node("Mul", ["ue", "half"], ["gelu"]),
        node("MatMul", ["gelu", "w2"], ["y"]),
    ]
    constants = [weights(name, 32, 32, scale=0.1) for name in ("wq", "wk", "wv")]
    constants += [weights("w1", 32, 64, scale=0.1), weights("w2", 64, 32, scale=0.1), weights("b", 32)]
    scalars = {"scale": 0.18, "root2": 2**0.5, "one": 1.0, "half": 0.5}
    constants += [numpy_helper.from_array(np.float32(number), name) for name, number in scalars.items()]
    constants.append(numpy_helper.from_array(np.ones(32, np.float32), "g"))
    return make(nodes, [value("x", [1, 8, 32])], [value("y", [1, 8, 32])], constants)


def control() -> onnx.ModelProto:
    """An If on a run-time condition whose bodies capture tensors of the outer graph."""
    node = helper.make_node
    then = helper.make_graph(
        [node("MatMul", ["h", "w1"], ["t0"]), node("Relu", ["t0"], ["t"])], "then", [], [value("t", [2, 8])]
    )
    other = helper.make_graph([node("Neg", ["h"], ["e"])], "else", [], [value("e", [2, 8])])
    nodes = [
        node("MatMul", ["x", "w0"], ["h"]),
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["is_positive"]),
        node("If", ["is_positive"], ["z"], then_branch=then, else_branch=other),
        node("Add", ["z", "h"], ["y"]),
    ]
    constants = [weights("w0", 4, 8), weights("w1", 8, 8), numpy_helper.from_array(np.float32(0), "zero")]
    return make(nodes, [value("x", [2, 4])], [value("y", [2, 8])], constants)


def trees() -> onnx.ModelProto:
    """A tree ensemble (ai.onnx.ml): what most engines refuse."""
    tree = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[1.0, 2.0],
    )
    return make([tree], [value("x", [1, 3])], [value("y", [1, 1])], domain="ai.onnx.ml")


def sums() -> onnx.ModelProto:
    """Each output is the sum of eight inputs."""
    ones = numpy_helper.from_array(np.ones((8, 8), np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return make([node], [value("x", [8, 8])], [value("y", [8, 8])], [ones])


MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    "residual": residual,
    "folding": folding,
    "misleading": misleading,
    "transformer": transformer,
    "control": control,
}


def write(name: str, folder: Path) -> Path:
    path = folder / f"{name}.onnx"
    onnx.save_model((MODELS | {"trees": trees, "sums": sums})[name](), path)
    return path
