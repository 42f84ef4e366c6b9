"""Options that TensorRT 11 still takes, though not with every value of 10; and sizes as trtexec writes them.

Source: samples/common/sampleOptions.cpp of NVIDIA/TensorRT at 10.16 and 11.1, compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

_TACTICS = ("CUBLAS", "CUBLASLT", "CUBLAS_LT", "CUDNN")
_PREVIEWS = ("PROFILESHARING0806", "MULTIDEVICERUNTIME")
_HALF_TYPES, _FLOAT_TYPES = {"fp16", "bf16"}, {"fp32", "fp16", "bf16"}
_MIB = {"B": 2.0**-20, "K": 2.0**-10, "M": 1.0, "G": 2.0**10}


def in_11(name: str, value: str) -> tuple[str, str]:
    """The value that TensorRT 11 takes ("": none of it is left), and what is gone of it in a sentence ("": nothing)."""
    return _CHANGED[name](value) if value and name in _CHANGED else (value, "")


def are_halves(formats: str) -> bool:
    """Whether a value of `--inputIOFormats` asks FP16 or BF16 of every float: `fp16:chw`, `fp16:chw,int32:chw`."""
    types = {part.partition(":")[0] for part in formats.split(",")} & _FLOAT_TYPES
    return bool(types) and types <= _HALF_TYPES


def mebibytes(size: str) -> str:
    """`0.5G` is 512, `64` is 64; at least 1, and "" for what is no size."""
    number, unit = (size[:-1], size[-1].upper()) if size[-1:].isalpha() else (size, "M")
    try:
        value = float(number) * _MIB[unit]
    except (ValueError, KeyError):
        return ""
    return str(max(1, round(value))) if math.isfinite(value) and value > 0 else ""


def _without(gone: Sequence[str], words: str) -> Callable[[str], tuple[str, str]]:
    """For a list of `+name` and `-name`."""

    def left(value: str) -> tuple[str, str]:
        parts = value.split(",")
        kept = [part for part in parts if part.lstrip("+-").upper() not in gone]
        dropped = ", ".join(part for part in parts if part not in kept)
        return ",".join(kept), f"{words}: {dropped} is left out" if dropped else ""

    return left


def _formats(value: str) -> tuple[str, str]:
    """`fp16:chw+hwc8` is `chw+hwc8` now."""
    layouts = ",".join(part.rpartition(":")[2] for part in value.split(","))
    return layouts, "only the layout is told now; the types of inputs and outputs stand in the ONNX" * (
        layouts != value
    )


_CHANGED = {
    "tacticSources": _without(_TACTICS, "tactics of cuBLAS and cuDNN are gone"),
    "preview": _without(_PREVIEWS, "the preview feature is gone"),
    "inputIOFormats": _formats,
    "outputIOFormats": _formats,
}
