"""What a node is there for, and in which precision it computes, told from its operator and types."""

from __future__ import annotations

import onnx

from workbench.core.graph import LayerKind
from workbench.core.precision import Precision

CONTROL = frozenset({"If", "Loop", "Scan"})
RANDOM = frozenset(
    ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
)
"""Operators whose output is not the same twice."""
SHAPE_SOURCES = frozenset({"Shape", "Size"})
# Operators that keep numbers small and few: what exporters compute shapes with. Not those that make data from
# shapes (Range, Expand, Tile, OneHot), whose results are as large as data.
_MATHS = """
Abs Add And Cast CastLike Ceil Concat ConstantOfShape Div Equal Flatten Floor Gather Greater GreaterOrEqual Identity
Less LessOrEqual Max Min Mod Mul Neg Not Or Pow ReduceMax ReduceMin ReduceProd ReduceSum Reshape Round ScatterND Slice
Split Sqrt Squeeze Sub Transpose Unsqueeze Where ConcatFromSequence SequenceAt SplitToSequence
"""
SHAPE_MATHS = frozenset(_MATHS.split())

SELECTING = frozenset({"Gather", "GatherElements", "GatherND", "Slice", "StridedSlice"})
"""Operators, of ONNX and of engines, that read no more of their first input than they write."""

FLOATS = {
    "float32": Precision.FP32,
    "float16": Precision.FP16,
    "bfloat16": Precision.BF16,
}
"""numpy's name of an element type -> the precision of what computes in it."""


def is_standard(node: onnx.NodeProto) -> bool:
    return node.domain in ("", "ai.onnx")


def op_name(node: onnx.NodeProto) -> str:
    """`Conv`; outside the standard domain with it: `com.microsoft.Gelu`."""
    return node.op_type if is_standard(node) else f"{node.domain}.{node.op_type}"


class KindFinder:
    """Follows shape arithmetic through nodes given in execution order: from Shape and Size, over maths, to its end."""

    def __init__(self, constants: set[str], shapes: set[str]) -> None:
        self.constants = set(constants)
        self.shapes = set(shapes)

    def kind(self, node: onnx.NodeProto) -> LayerKind:
        found = self._kind(node)
        if found is LayerKind.CONSTANT:
            self.constants.update(node.output)
        elif found is LayerKind.SHAPE:
            self.shapes.update(node.output)
        return found

    def _kind(self, node: onnx.NodeProto) -> LayerKind:
        if not is_standard(node):
            return LayerKind.COMPUTE
        if node.op_type == "Constant":
            return LayerKind.CONSTANT
        if node.op_type in CONTROL:
            return LayerKind.CONTROL
        if node.op_type in SHAPE_SOURCES:
            return LayerKind.SHAPE
        varying = [name for name in node.input if name and name not in self.constants]
        is_maths = node.op_type in SHAPE_MATHS and bool(varying)
        return LayerKind.SHAPE if is_maths and self.shapes.issuperset(varying) else LayerKind.COMPUTE


def precision_of(op_type: str, inputs: list[str], outputs: list[str]) -> Precision | None:
    """Of a node with these element types: the type of its result; of the quantized side where it (de)quantizes.

    None where it computes no numbers that have a precision here (integers, float64, text, shapes).
    """
    if op_type.startswith("QLinear") or op_type in ("ConvInteger", "MatMulInteger"):
        return Precision.INT8
    seen = inputs[:1] if op_type == "DequantizeLinear" else outputs[:1]
    dtype = seen[0] if seen else ""
    if op_type in ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"):
        return _quantized(dtype)
    return Precision.FP8 if dtype.startswith("float8") else FLOATS.get(dtype)


def _quantized(dtype: str) -> Precision | None:
    if dtype.startswith("float8"):
        return Precision.FP8
    if dtype.startswith("float4"):
        return Precision.FP4_WEIGHTS
    return {
        "int8": Precision.INT8,
        "uint8": Precision.INT8,
        "int4": Precision.INT4_WEIGHTS,
        "uint4": Precision.INT4_WEIGHTS,
    }.get(dtype)
