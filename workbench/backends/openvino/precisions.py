"""Which precisions OpenVINO takes on this CPU, in which form; and which one a layer really ran in."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.dialect import Dialect, How
from workbench.core.graph import Tensor
from workbench.core.precision import Precision
from workbench.model.kinds import FLOATS

_NEVER = {
    Precision.TF32: "TF32 is a format of NVIDIA GPUs.",
    Precision.FP4_WEIGHTS: "OpenVINO has no FP4 kernels for CPUs.",
}
_KERNELS = {"f32": Precision.FP32, "bf16": Precision.BF16, "f16": Precision.FP16}
_WEIGHTS = {
    "int8": Precision.INT8_WEIGHTS,
    "uint8": Precision.INT8_WEIGHTS,
    "int4": Precision.INT4_WEIGHTS,
    "uint4": Precision.INT4_WEIGHTS,
}
_WITH_WEIGHTS = frozenset({"Convolution", "Deconvolution", "FullyConnected", "MatMul", "Gather"})
HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
"""`TypedModel.hint` in OpenVINO's words."""


def dialect(types: frozenset[str]) -> Dialect:
    """`types` as `optimized_types()` gives them. Float below FP32 is only a hint where the CPU has it."""
    how = dict.fromkeys(Precision, How.GRAPH) | dict.fromkeys(_NEVER, How.NONE)
    how[Precision.BF16] = How.HINT if "BF16" in types else How.ROUNDED
    how[Precision.FP16] = How.HINT if "FP16" in types else How.GRAPH
    how[Precision.FP8] = How.ROUNDED
    return Dialect("openvino", how, unsigned_activations=True, unquantized_behind=("ReduceMax", "ReduceMin"))


def reasons() -> dict[Precision, str]:
    return dict.fromkeys(Precision, "") | _NEVER


def remarks(types: frozenset[str]) -> dict[Precision, str]:
    found = {
        Precision.BF16: "An execution hint: the graph stays FP32 and OpenVINO runs what it can in BF16.",
        Precision.FP16: "An execution hint: the graph stays FP32 and OpenVINO runs what it can in FP16.",
        Precision.FP8: "Values are rounded to FP8 and computed in FP32: CPUs have no FP8 arithmetic.",
        Precision.INT8_WEIGHTS: "Smaller files; activations stay float, and a gain in speed is not promised.",
        Precision.INT4_WEIGHTS: "MatMul and Gemm only; activations stay float, and a gain in speed is not promised.",
    }
    if "BF16" not in types:
        found[Precision.BF16] = "Values are rounded to BF16 and computed in FP32: this CPU has no BF16 arithmetic."
    if "FP16" not in types:
        found[Precision.FP16] = "Weights are kept in FP16 and computed in FP32: this CPU has no FP16 arithmetic."
    if "INT8" not in types:
        found[Precision.INT8] = "This CPU has no INT8 arithmetic: expect no gain in speed."
    return found


def precision_run(
    kind: str, kernel: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], is_quantized: bool
) -> Precision | None:
    """The precision a layer computes in, from its kernel and the types of its tensors as they are in the engine.

    OpenVINO's own `runtimePrecision` is the type of one input, which may be a mask or an index. `is_quantized`: the
    layer takes part in quantized arithmetic; without it int8 and uint8 are only data (u8 is also the boolean).
    None: the layer computes no floats (indices, shapes, booleans).
    """
    data = [tensor.dtype for tensor in inputs if not tensor.constant]
    made = [tensor.dtype for tensor in outputs]
    if is_quantized and _is_int8(kind, data, made):
        return Precision.INT8
    if kind in _WITH_WEIGHTS and any(dtype in FLOATS for dtype in made):
        for tensor in inputs:
            if tensor.constant and tensor.dtype in _WEIGHTS:
                return _WEIGHTS[tensor.dtype]
    floats = [dtype for dtype in (*made, *data) if dtype in FLOATS]
    if not floats:
        return None
    return _KERNELS.get(kernel.rpartition("_")[2]) or FLOATS[floats[0]]


def _is_int8(kind: str, data: Sequence[str], made: Sequence[str]) -> bool:
    eight = ("int8", "uint8")
    if kind in _WITH_WEIGHTS:
        return bool(data) and data[0] in eight
    return bool(data) and all(dtype in eight for dtype in (*data, *made))
