"""Which precisions OpenVINO takes on this CPU, in which form; and which one a layer really ran in."""

from __future__ import annotations

from workbench.core.dialect import Dialect, How
from workbench.core.precision import Precision

_NEVER = {
    Precision.TF32: "TF32 is a format of NVIDIA GPUs.",
    Precision.FP8: "OpenVINO has no FP8 kernels for CPUs.",
    Precision.FP4_WEIGHTS: "OpenVINO has no FP4 kernels for CPUs.",
}
_RUN_IN = {"f32": Precision.FP32, "bf16": Precision.BF16, "f16": Precision.FP16}
_WEIGHTS = {
    "int8": Precision.INT8_WEIGHTS,
    "uint8": Precision.INT8_WEIGHTS,
    "int4": Precision.INT4_WEIGHTS,
    "uint4": Precision.INT4_WEIGHTS,
}
HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
"""`TypedModel.hint` in OpenVINO's words."""


def dialect(types: frozenset[str]) -> Dialect:
    """`types` as `optimized_types()` gives them. Float below FP32 is only a hint where the CPU has it."""
    how = dict.fromkeys(Precision, How.GRAPH) | dict.fromkeys(_NEVER, How.NONE)
    how[Precision.BF16] = How.HINT if "BF16" in types else How.ROUNDED
    how[Precision.FP16] = How.HINT if "FP16" in types else How.GRAPH
    return Dialect("openvino", how, conv_input_unsigned=True)


def reasons() -> dict[Precision, str]:
    return dict.fromkeys(Precision, "") | _NEVER


def remarks(types: frozenset[str]) -> dict[Precision, str]:
    found = {
        Precision.BF16: "An execution hint: the graph stays FP32 and OpenVINO runs what it can in BF16.",
        Precision.FP16: "An execution hint: the graph stays FP32 and OpenVINO runs what it can in FP16.",
    }
    if "BF16" not in types:
        found[Precision.BF16] = "Values are rounded to BF16 and computed in FP32: this CPU has no BF16 arithmetic."
    if "FP16" not in types:
        found[Precision.FP16] = "Weights are kept in FP16 and computed in FP32: this CPU has no FP16 arithmetic."
    if "INT8" not in types:
        found[Precision.INT8] = "This CPU has no INT8 arithmetic: expect no gain in speed."
    return found


def precision_run(ran: str, kernel: str, weights: str, is_quantized: bool) -> Precision | None:
    """The precision of a layer from `runtimePrecision`, its kernel, and numpy's type of its constant weights.

    Integers count as INT8 only in a quantized model and with a kernel of that type: u8 is also OpenVINO's boolean.
    None: the layer computes no floats (indices, shapes, booleans).
    """
    if ran in ("i8", "u8"):
        return Precision.INT8 if is_quantized and kernel.endswith("I8") and not kernel.startswith("unknown") else None
    found = _RUN_IN.get(ran)
    return _WEIGHTS.get(weights, found) if found else None
