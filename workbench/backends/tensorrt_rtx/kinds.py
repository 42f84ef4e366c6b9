"""What a layer of TensorRT's is there for, and the precision it runs in, read from what the engine says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workbench.backends.tensorrt_rtx.dtypes import DTYPES
from workbench.backends.tensorrt_rtx.layers import EngineLayer, EngineTensor
from workbench.core.graph import LayerKind
from workbench.core.precision import Precision

_KINDS = {
    "signal": LayerKind.SYNC,
    "wait": LayerKind.SYNC,
    "cjmp": LayerKind.CONTROL,
    "jmp": LayerKind.CONTROL,
    "shape_call": LayerKind.SHAPE,
    "ShapeHostToDevice": LayerKind.SHAPE,
    "copy": LayerKind.REFORMAT,
    "memset": LayerKind.CONSTANT,
    "Signal": LayerKind.SYNC,  # these and below: TensorRT 8 to 11 where a layer is not of Myelin's compiler
    "Wait": LayerKind.SYNC,
    "TrainStation": LayerKind.SYNC,
    "DeviceToShapeHost": LayerKind.SHAPE,
    "Reformat": LayerKind.REFORMAT,
    "NoOp": LayerKind.REFORMAT,
    "Constant": LayerKind.CONSTANT,
}
_LAYOUT = frozenset(["Move", "Tran", "Cast", "Resh", "Repl", "Copy", "Slic", "Conc", "Pad"])
_QUANTIZE = _LAYOUT | frozenset(["Mul", "Div", "Add", "Min", "Max", "Roun", "Quan", "Dequ"])
_WORDS = {
    "Roun": "Quantize",
    "Mul": "Rescale",
    "Tran": "Transpose",
    "Conc": "Concat",
    "Slic": "Slice",
    "Pad": "Pad",
    "Cast": "Cast",
}
"""The operation that says most about a kernel which only reformats, the first that is there -> a word for people."""
_KERNEL = re.compile(r"__myl_([A-Za-z]+)_")
_ACTIVATIONS = {"FP4E2M1": Precision.FP4_WEIGHTS, "FP8": Precision.FP8, "Int8": Precision.INT8}
_WEIGHTS = {
    "FP4E2M1": Precision.FP4_WEIGHTS,
    "Int4": Precision.INT4_WEIGHTS,
    "Int8": Precision.INT8_WEIGHTS,
    "FP8": Precision.FP8,
}
_FLOATS = {"Float": Precision.FP32, "BFloat16": Precision.BF16, "Half": Precision.FP16}


def operations(layer: EngineLayer) -> tuple[str, ...]:
    """What a generated kernel does, by its name: `__myl_CorrMulAddRelu_myl0_1` gives Corr, Mul, Add, Relu."""
    found = _KERNEL.match(layer.name)
    return tuple(re.findall(r"[A-Z][a-z0-9]*", found[1])) if found else ()


def word_for(layer: EngineLayer) -> str:
    """What a layer that runs no node of the model does, in a word: `Quantize`, `Transpose`, `wait`."""
    found = operations(layer)
    return next((word for part, word in _WORDS.items() if part in found), "Reformat") if found else layer.type


def is_generated(layer: EngineLayer) -> bool:
    """True of a kernel generated from single operations; False of those for convolution, GEMM, pooling, attention."""
    return layer.type == "kgen" and bool(operations(layer))


def kind_of(layer: EngineLayer, has_own: bool, has_added: bool) -> LayerKind:
    """`has_own`: it runs nodes of the model; `has_added`: it runs only what was added around them (Q/DQ, casts)."""
    if layer.type in _KINDS:
        return _KINDS[layer.type]
    words = set(operations(layer))
    if has_own or not words:
        return LayerKind.COMPUTE
    if not layer.inputs:
        return LayerKind.CONSTANT
    return LayerKind.REFORMAT if words <= (_QUANTIZE if has_added else _LAYOUT) else LayerKind.COMPUTE


def precision_of(layer: EngineLayer) -> Precision | None:
    """The precision it computes in, from the types it reads; None where it handles no floats (shapes, indices).

    A library kernel that reads INT8 or FP8 activations computes in it. A generated kernel computes in float, what it
    quantizes or dequantizes on the way included, and is in INT8 only if nothing it touches is a float. Weights in a
    narrow type under float activations are the weight-only forms. That TF32 is used its kernel's name alone tells:
    `sm80_xmma_gemm_f32f32_tf32f32_f32_nn_n_tilesize64x32x64`.
    """
    reads = [tensor.dtype for tensor in layer.inputs]
    if is_generated(layer):
        reads += [tensor.dtype for tensor in layer.outputs]
        return _widest(reads) or _first(reads, _ACTIVATIONS)
    narrow = _first(reads, _ACTIVATIONS)
    if narrow:
        return narrow
    found = _first((tensor.dtype for tensor in layer.constants), _WEIGHTS) or _widest(reads)
    return Precision.TF32 if found is Precision.FP32 and "tf32" in layer.tactic else found


def size_bytes(tensor: EngineTensor) -> int:
    """Bytes without padding; 0 where a dimension is free."""
    count = 1
    for dim in tensor.dims:
        count *= max(dim, 0)
    return (count * DTYPES.get(tensor.dtype, ("", 0))[1] + 7) // 8


def _widest(dtypes: Iterable[str]) -> Precision | None:
    seen = set(dtypes)
    return next((precision for dtype, precision in _FLOATS.items() if dtype in seen), None)


def _first(dtypes: Iterable[str], table: dict[str, Precision]) -> Precision | None:
    seen = set(dtypes)
    return next((precision for dtype, precision in table.items() if dtype in seen), None)
