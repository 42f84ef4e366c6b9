"""Small ONNX files whose one kernel keeps a machine busy: to measure its ceilings with the engines themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
SEED = 7


CHAINED = 4
"""Products one after another, so that what happens at the ends (layouts, quantization) weighs little."""


class Kernel(NamedTuple):
    """`flops` of one run, as `flops.py` counts: a multiply-add is two."""

    name: str
    path: Path
    flops: int


def triad(folder: Path, size_bytes: int) -> Kernel:
    """STREAM's triad, a = b + s c (https://www.cs.virginia.edu/stream/ref.html), on three float32 vectors of
    `size_bytes` in all.
    """
    shape = (size_bytes // 12 // 1024, 1024)
    nodes = [helper.make_node("Mul", ["c", "s"], ["sc"]), helper.make_node("Add", ["b", "sc"], ["a"])]
    scalar = numpy_helper.from_array(np.full((1, 1), 3, np.float32), "s")
    name = f"triad{size_bytes >> 10}"
    path = _save(folder, name, nodes, {"b": shape, "c": shape}, {"a": shape}, [scalar])
    return Kernel(name, path, 2 * shape[0] * shape[1])


def products(folder: Path, *, is_int8: bool) -> Iterator[Kernel]:
    """Matrix products and convolutions of 3 x 3; in INT8 with Q/DQ around each.

    Small ones, which a busy machine leaves undisturbed, and such that keep many cores at work: none is the best
    everywhere.
    """
    for n in (320, 1024):
        yield _product(folder, "MatMul", (n, n), (n, n), 2 * n**3, is_int8=is_int8)
    for channels, side in ((128, 14), (256, 28)):
        shape, weight = (1, channels, side, side), (channels, channels, 3, 3)
        flops = 2 * channels * side * side * channels * 9
        yield _product(folder, "Conv", shape, weight, flops, is_int8=is_int8, pads=[1, 1, 1, 1])


def _product(
    folder: Path,
    op: str,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    flops: int,
    *,
    is_int8: bool,
    **attributes: list[int],
) -> Kernel:
    chain = _quantized_chain if is_int8 else _float_chain
    nodes, constants = chain(op, _weight(weight), attributes)
    name = f"{op.lower()}{shape[-1]}{'_int8' * is_int8}"
    return Kernel(name, _save(folder, name, nodes, {"x0": shape}, {f"x{CHAINED}": shape}, constants), CHAINED * flops)


def _weight(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(SEED).standard_normal(shape, np.float32) / np.float32(64)


Chain = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]


def _float_chain(op: str, weight: NDArray[np.float32], attributes: dict[str, list[int]]) -> Chain:
    nodes = [helper.make_node(op, [f"x{i}", "w"], [f"x{i + 1}"], **attributes) for i in range(CHAINED)]
    return nodes, [numpy_helper.from_array(weight, "w")]


def _quantized_chain(op: str, weight: NDArray[np.float32], attributes: dict[str, list[int]]) -> Chain:
    """With uint8 activations, symmetric int8 weights and quantized results: what every engine here fuses."""
    scale = float(np.abs(weight).max() / 127)
    constants = [
        numpy_helper.from_array(np.round(weight / scale).astype(np.int8), "w8"),
        numpy_helper.from_array(np.asarray(scale, np.float32), "ws"),
        numpy_helper.from_array(np.asarray(0, np.int8), "wz"),
        numpy_helper.from_array(np.asarray(1 / 32, np.float32), "s"),
        numpy_helper.from_array(np.asarray(128, np.uint8), "z"),
    ]
    nodes = [
        helper.make_node("DequantizeLinear", ["w8", "ws", "wz"], ["w"]),
        helper.make_node("QuantizeLinear", ["x0", "s", "z"], ["q0"]),
        helper.make_node("DequantizeLinear", ["q0", "s", "z"], ["d0"]),
    ]
    for i in range(CHAINED):
        made = f"d{i + 1}" if i + 1 < CHAINED else f"x{CHAINED}"
        nodes += [
            helper.make_node(op, [f"d{i}", "w"], [f"r{i}"], **attributes),
            helper.make_node("QuantizeLinear", [f"r{i}", "s", "z"], [f"q{i + 1}"]),
            helper.make_node("DequantizeLinear", [f"q{i + 1}", "s", "z"], [made]),
        ]
    return nodes, constants


def _save(
    folder: Path,
    name: str,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
    constants: list[onnx.TensorProto],
) -> Path:
    ends = [
        [helper.make_tensor_value_info(end, TensorProto.FLOAT, shape) for end, shape in side.items()]
        for side in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, name, *ends, constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    path = folder / f"{name}.onnx"
    onnx.save_model(proto, path)
    return path
