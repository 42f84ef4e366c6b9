"""Models that are hard to compile, one of each kind, for the table of `test_hard_models`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from workbench.core.precision import Precision

Arrays = dict[str, NDArray[np.generic]]


def _rng(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed + sum(shape)).standard_normal(shape).astype(np.float32)


def _model(text: str, weights: Arrays | None = None, *, opset: int = 17, ir: int = 8) -> ModelProto:
    proto = onnx.parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}]> g {text}')
    proto.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in (weights or {}).items())
    return proto


def doubled_and_empty_names() -> ModelProto:
    proto = _model(
        "(float[2,64] x) => (float[2,64] y) { a = MatMul (x, w) b = Relu (a) c = MatMul (b, v) y = Add (c, x) }",
        {"w": _rng(64, 64), "v": _rng(64, 64, seed=1)},
    )
    for node, name in zip(proto.graph.node, ("same", "", "same", "n0"), strict=True):
        node.name = name
    return proto


def shared_weights() -> ModelProto:
    """One initializer is the weights of a MatMul, of a Gemm that transposes it, and an operand of Add."""
    return _model(
        "(float[64,64] x) => (float[64,64] y) { a = MatMul (x, w) b = Gemm <transB = 1> (a, w) y = Add (b, w) }",
        {"w": _rng(64, 64)},
    )


def constants_from_nodes() -> ModelProto:
    """Weights and bias of a Conv come from Constant nodes, the bias through arithmetic."""
    proto = _model(
        """(float[1,3,8,8] x) => (float[1,40,6,6] y) {
            w = Constant <value = float[40,3,3,3] {0}> ()
            half = Constant <value = float[1] {0.5}> ()
            b0 = Constant <value = float[40] {0}> ()
            b = Mul (b0, half)
            c = Conv (x, w, b)
            y = Relu (c)
        }"""
    )
    for node, values in zip(proto.graph.node[0:3:2], (_rng(40, 3, 3, 3), _rng(40)), strict=True):
        node.attribute[0].t.CopyFrom(numpy_helper.from_array(values))
    return proto


def gemm_transposed() -> ModelProto:
    return _model(
        """(float[64,2] x) => (float[2,30] y) {
            a = Gemm <transA = 1, transB = 1, alpha = 0.5, beta = 2.0> (x, w, c)
            y = Relu (a)
        }""",
        {"w": _rng(30, 64), "c": _rng(30)},
    )


def two_activations() -> ModelProto:
    """Attention in small: both operands of MatMul are computed, and one tensor meets itself."""
    return _model(
        """(float[1,6,64] x) => (float[1,6,64] y) {
            q = MatMul (x, wq)
            t = Transpose <perm = [0, 2, 1]> (q)
            s = MatMul (q, t)
            p = Softmax <axis = -1> (s)
            o = MatMul (p, q)
            m = MatMul (o, wo)
            y = Add (m, x)
        }""",
        {"wq": _rng(64, 64) / 8, "wo": _rng(64, 64, seed=2) / 8},
    )


def residual() -> ModelProto:
    return _model(
        """(float[1,12,8,8] x) => (float[1,12,8,8] y) {
            a = Conv <pads = [1,1,1,1]> (x, w)
            r = Relu (a)
            b = Conv <pads = [1,1,1,1]> (r, v)
            s = Add (a, b)
            t = Relu (s)
            c = Conv <pads = [1,1,1,1]> (t, w)
            y = Add (c, t)
        }""",
        {"w": _rng(12, 12, 3, 3) / 10, "v": _rng(12, 12, 3, 3, seed=1) / 10},
    )


def concatenated() -> ModelProto:
    return _model(
        """(float[1,3,8,8] x) => (float[1,2,1,1] y) {
            a = Conv <pads = [1,1,1,1]> (x, w)
            b = Conv (x, v)
            c = Concat <axis = 1> (a, b, x)
            p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (c)
            d = Conv (p, u)
            y = GlobalAveragePool (d)
        }""",
        {"w": _rng(4, 3, 3, 3) / 5, "v": _rng(2, 3, 1, 1), "u": _rng(2, 9, 1, 1) / 3},
    )


def output_inside() -> ModelProto:
    """A tensor between two quantized nodes is an output of the model, and so is a Relu that two read."""
    return _model(
        """(float[2,64] x) => (float[2,64] a, float[2,64] r, float[2,64] y) {
            a = MatMul (x, w)
            r = Relu (a)
            b = MatMul (r, w)
            y = Add (b, r)
        }""",
        {"w": _rng(64, 64)},
    )


def opset_9() -> ModelProto:
    """Clip, Pad, Slice, Upsample and Dropout as they were; weights listed as inputs."""
    proto = _model(
        """(float[1,3,8,8] x, float[4,3,3,3] w) => (float[1,30,10,10] y) {
            a = Conv <pads = [1,1,1,1]> (x, w)
            n = BatchNormalization (a, g, b, m, v)
            c = Clip <min = 0.0, max = 6.0> (n)
            p = Pad <pads = [0,0,1,1,0,0,1,1]> (c)
            d, mask = Dropout <ratio = 0.5> (p)
            s = Slice <starts = [0], ends = [5], axes = [2]> (d)
            u = Upsample <mode = "nearest"> (s, scales)
            y = Conv <pads = [1,1,1,1]> (u, k)
        }""",
        {
            "w": _rng(4, 3, 3, 3) / 5,
            "g": np.float32([1, 2, 0.5, 1]),
            "b": _rng(4),
            "m": _rng(4, seed=4),
            "v": np.float32([1, 2, 3, 0.5]),
            "scales": np.float32([1, 1, 2, 1]),
            "k": _rng(30, 4, 3, 3) / 6,
        },
        opset=9,
        ir=3,
    )
    listed = {value.name for value in proto.graph.input}
    for tensor in proto.graph.initializer:
        if tensor.name not in listed:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            proto.graph.input.append(value)
    return proto


def opset_11() -> ModelProto:
    """Optional inputs left out, axes as attributes."""
    return _model(
        """(float[1,3,8,8] x) => (float[1,5] y) {
            a = Conv <auto_pad = "SAME_UPPER", strides = [2,2]> (x, w, b)
            c = Clip (a, , six)
            m = ReduceMean <axes = [2,3], keepdims = 1> (c)
            s = Squeeze <axes = [2,3]> (m)
            u = Unsqueeze <axes = [1]> (s)
            f = Flatten (u)
            y = Gemm (f, g)
        }""",
        {"w": _rng(4, 3, 3, 3) / 5, "b": _rng(4), "six": np.float32(6), "g": _rng(4, 5)},
        opset=11,
        ir=6,
    )


def float16() -> ModelProto:
    return _model(
        """(float16[1,3,8,8] x) => (float16[1,40,6,6] y) {
            a = Conv (x, w, b)
            y = Relu (a)
        }""",
        {"w": (_rng(40, 3, 3, 3) / 5).astype(np.float16), "b": _rng(40).astype(np.float16)},
    )


def quantized_already() -> ModelProto:
    """uint8 activations, int8 weights per channel, as other tools write them; then a float MatMul."""
    return _model(
        """(float[1,3,8,8] x) => (float[1,5] y) {
            xq = QuantizeLinear (x, xs, xz)
            xd = DequantizeLinear (xq, xs, xz)
            wd = DequantizeLinear <axis = 0> (wq, ws, wz)
            c = Conv (xd, wd)
            g = GlobalAveragePool (c)
            f = Flatten (g)
            y = MatMul (f, m)
        }""",
        {
            "xs": np.float32(0.04),
            "xz": np.uint8(128),
            "wq": np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8),
            "ws": np.float32([0.01, 0.02, 0.005, 0.01]),
            "wz": np.zeros(4, np.int8),
            "m": _rng(4, 5),
        },
    )


def nothing_to_quantize() -> ModelProto:
    return _model("(float[2,4] x) => (float[2,4] y) { a = Sigmoid (x) y = Mul (a, x) }")


def branches() -> ModelProto:
    """An If whose bodies capture a tensor and weights from outside, between quantizable nodes."""
    proto = _model(
        """(float[2,64] x) => (float[2,64] y) {
            a = MatMul (x, w)
            s = ReduceSum (a)
            z = Greater (s, zero)
            y = MatMul (i, w)
        }""",
        {"w": _rng(64, 64), "zero": np.float32(0)},
    )
    bodies = [
        helper.make_graph(
            nodes, word, [], [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, (2, 64))]
        )
        for word, nodes in (
            ("then", [_node("MatMul", "a w", "p"), _node("Relu", "p", "t")]),
            ("else", [_node("Add", "a x", "e")]),
        )
    ]
    choice = helper.make_node("If", ["z"], ["i"], then_branch=bodies[0], else_branch=bodies[1])
    last = proto.graph.node.pop()
    proto.graph.node.extend([choice, last])
    return proto


def loop() -> ModelProto:
    """Three turns of a Loop that carries a tensor through a MatMul, then one outside."""
    proto = _model(
        "(float[2,64] x) => (float[2,64] y) { a = MatMul (x, w) y = MatMul (l, w) }", {"w": _rng(64, 64) / 8}
    )
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [_node("MatMul", "v w", "p"), _node("Tanh", "p", "q"), _node("Identity", "go", "on")],
        "body",
        [value("i", TensorProto.INT64, ()), value("go", TensorProto.BOOL, ()), value("v", TensorProto.FLOAT, (2, 64))],
        [value("on", TensorProto.BOOL, ()), value("q", TensorProto.FLOAT, (2, 64))],
    )
    proto.graph.initializer.append(numpy_helper.from_array(np.int64(3), "turns"))
    last = proto.graph.node.pop()
    proto.graph.node.extend([helper.make_node("Loop", ["turns", "", "a"], ["l"], body=body), last])
    return proto


def odd_products() -> ModelProto:
    """A vector times a matrix, a constant first operand, weights with a batch axis, a product with itself."""
    return _model(
        """(float[64] x, float[2,64,64] z) => (float[64] y, float[2,64,64] o) {
            a = MatMul (x, w)
            y = Relu (a)
            b = MatMul (first, z)
            c = MatMul (b, batch)
            o = MatMul (c, c)
        }""",
        {"w": _rng(64, 64), "first": _rng(64, 64), "batch": _rng(2, 64, 64) / 8},
    )


def odd_convs() -> ModelProto:
    """Depthwise, grouped, transposed and 1-D Convs, a channel of zeros."""
    weights = _rng(8, 1, 3, 3) / 3
    weights[2] = 0
    return _model(
        """(float[1,4,8,8] x) => (float[1,3,64] y) {
            a = Conv (x, expand)
            r = Clip (a, zero, six)
            d = Conv <group = 8, pads = [1,1,1,1]> (r, depthwise, bias)
            g = Conv <group = 2> (d, grouped)
            t = ConvTranspose (g, back)
            f = Reshape (t, shape)
            y = Conv <pads = [1,1]> (f, line)
        }""",
        {
            "expand": _rng(8, 4, 1, 1) / 2,
            "zero": np.float32(0),
            "six": np.float32(6),
            "depthwise": weights,
            "bias": _rng(8),
            "grouped": _rng(6, 4, 1, 1) / 2,
            "back": _rng(6, 2, 1, 1),
            "shape": np.int64([1, 2, 64]),
            "line": _rng(3, 2, 3),
        },
    )


def passed_through() -> ModelProto:
    """An input and a constant that are outputs, a dead node."""
    return _model(
        """(float[2,4] x) => (float[2,4] same, float[4,4] k, float[2,4] y) {
            same = Identity (x)
            k = Identity (w)
            dead = Relu (x)
            y = MatMul (x, w)
        }""",
        {"w": _rng(4, 4)},
    )


def _node(op: str, inputs: str, output: str) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output])


_SMALL_BLOCKS = {Precision.INT4_WEIGHTS, Precision.FP4_WEIGHTS}
_WEIGHTS = {Precision.INT8_WEIGHTS, *_SMALL_BLOCKS}
_NEW_OPSETS = {Precision.FP8, *_SMALL_BLOCKS}

HARD: dict[Callable[[], ModelProto], set[Precision]] = {
    doubled_and_empty_names: set(),
    shared_weights: set(),
    constants_from_nodes: _SMALL_BLOCKS,
    gemm_transposed: set(),
    two_activations: set(),
    residual: _SMALL_BLOCKS,
    concatenated: _WEIGHTS,
    output_inside: set(),
    opset_9: _SMALL_BLOCKS,
    opset_11: _WEIGHTS,
    float16: set(Precision) - {Precision.FP32, Precision.TF32, Precision.BF16},
    quantized_already: _WEIGHTS,
    nothing_to_quantize: {Precision.FP8, Precision.INT8, *_WEIGHTS},
    branches: _NEW_OPSETS,
    loop: _NEW_OPSETS,
    odd_products: set(),
    odd_convs: _WEIGHTS,
    passed_through: _WEIGHTS,
}
"""The precisions that nothing of a model can take: small weights, Convs where only MatMul has a form, bodies that keep
an old opset from being lifted."""
