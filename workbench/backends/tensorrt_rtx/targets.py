"""GPUs to build for, and what each takes.

TensorRT for RTX builds ahead of time, without a GPU, for named compute capabilities. Which precisions each accepts was
found by building (version 1.7.1): an attempt it refuses would end in an error of its compiler that names no way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core.errors import WorkbenchError
from workbench.core.gpus import DEFAULT_TARGET
from workbench.core.precision import Precision
from workbench.core.targets import Limit, TargetLimits

TARGETS = {
    "sm75": "RTX 20 series, T4 (Turing)",
    "sm80": "A100, A30 (Ampere)",
    "sm86": "RTX 30 series, A10, A40 (Ampere)",
    "sm89": "RTX 40 series, L4, L40S (Ada)",
    "sm120": "RTX 50 series, RTX PRO 6000 (Blackwell)",
    "sm121": "GB10, DGX Spark (Blackwell)",
}

_FLOAT_PRODUCTS = f"Products (MatMul, Gemm, Einsum, LSTM ...) in FP32 cannot be built for sm75 ({TARGETS['sm75']})."
_FIRST = {
    Precision.BF16: 80,
    Precision.INT4_WEIGHTS: 80,
    Precision.FP8: 89,
    Precision.FP4_WEIGHTS: 120,
}
_TYPES = {
    "BF16": Precision.BF16,
    "INT4": Precision.INT4_WEIGHTS,
    "FP8": Precision.FP8,
    "FP4": Precision.FP4_WEIGHTS,
}
"""TensorRT's DataType names -> the precision that brings them into a network."""

_INSTEAD = {
    Precision.BF16: (Precision.FP16,),
    Precision.INT4_WEIGHTS: (Precision.FP16,),
    Precision.FP8: (Precision.FP16,),  # INT8 is not promised to be faster than FP16 on these cards
    Precision.FP4_WEIGHTS: (Precision.INT4_WEIGHTS, Precision.FP16),
}
"""The nearest that a target may take, the first that it does."""


def read_targets(text: str) -> tuple[str, ...]:
    """`sm89`, or several by comma (`sm86, sm89`), in ascending order; "" gives the default."""
    asked = {part.strip().lower().replace("_", "") for part in text.split(",") if part.strip()} or {DEFAULT_TARGET}
    unknown = sorted(asked - TARGETS.keys())
    if unknown:
        known = ", ".join(f"{name} ({title})" for name, title in TARGETS.items())
        raise WorkbenchError(f"TensorRT for RTX has no target {', '.join(unknown)}.", f"Choose from: {known}.")
    return tuple(name for name in TARGETS if name in asked)


def limits_of(target: str) -> TargetLimits:
    """What one target refuses, and the nearest that it takes."""
    refused = {precision: text for precision in _FIRST if (text := _reason(precision, [target]))}
    limits = {
        precision: Limit(reason, next(other for other in _INSTEAD[precision] if other not in refused))
        for precision, reason in refused.items()
    }
    return TargetLimits(limits, Limit(_FLOAT_PRODUCTS, Precision.FP16) if target == "sm75" else None)


def _reason(precision: Precision, targets: Sequence[str]) -> str:
    short = [target for target in targets if _number(target) < _FIRST[precision]]
    if not short:
        return ""
    return f"{precision.label} cannot be built for {_titles(short)}: it needs sm{_FIRST[precision]} or newer."


def check_targets(targets: Sequence[str], types: Iterable[str], has_float_gemm: bool) -> None:
    """Raises WorkbenchError where a target cannot take the network.

    `types` are names of the TensorRT types in it (`BF16`); `has_float_gemm`: a MatMul or Gemm has float32 operands.
    """
    for precision in (_TYPES[name] for name in _TYPES if name in set(types)):
        if reason := _reason(precision, targets):
            raise WorkbenchError(
                reason, f"Choose the target sm{_FIRST[precision]}, or the precision {_INSTEAD[precision][0].label}."
            )
    if has_float_gemm and "sm75" in targets:
        raise WorkbenchError(_FLOAT_PRODUCTS, "Choose the precision FP16, or the target sm80 or newer.")


def network_types(trt: Any, network: Any) -> tuple[set[str], bool]:
    """Names of all tensor types in a parsed network, and whether a matrix product has float32 operands."""
    types = {network.get_input(index).dtype.name for index in range(network.num_inputs)}
    has_float_gemm = False
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        types.update(layer.get_output(i).dtype.name for i in range(layer.num_outputs))
        if layer.type in (trt.LayerType.MATRIX_MULTIPLY, trt.LayerType.EINSUM) and layer.num_inputs > 1:
            has_float_gemm |= layer.get_input(0).dtype == trt.DataType.FLOAT
    return types, has_float_gemm


def _number(target: str) -> int:
    return int(target.removeprefix("sm"))


def _titles(targets: Sequence[str]) -> str:
    return ", ".join(f"{target} ({TARGETS[target]})" for target in targets)
