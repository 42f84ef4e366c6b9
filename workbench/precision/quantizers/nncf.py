"""NNCF, of OpenVINO: post-training quantization, with accuracy control too, and weight compression."""

from __future__ import annotations

from workbench.core.precision import Precision
from workbench.precision.quantizers.base import Quantizer

QUANTIZERS = (
    Quantizer("nncf:int8", "NNCF INT8", "nncf", "nncf", Precision.INT8, "Its defaults: `nncf.quantize`."),
    Quantizer(
        "nncf:accuracy",
        "NNCF INT8 with accuracy control",
        "nncf",
        "nncf",
        Precision.INT8,
        "`nncf.quantize_with_accuracy_control`: nodes go back to FP32 until the outputs part by 5 % at most.",
        {"way": "accuracy", "max_drop": "0.05"},
    ),
    Quantizer(
        "nncf:int8_weights",
        "NNCF INT8 weights",
        "nncf",
        "nncf",
        Precision.INT8_WEIGHTS,
        "`nncf.compress_weights`, symmetric, one scale a channel.",
        {"way": "weights", "mode": "int8_sym"},
        needs_samples=False,
    ),
    Quantizer(
        "nncf:int4_weights",
        "NNCF INT4 weights",
        "nncf",
        "nncf",
        Precision.INT4_WEIGHTS,
        "`nncf.compress_weights`, symmetric, in groups of 32.",
        {"way": "weights", "mode": "int4_sym", "group_size": "32"},
        needs_samples=False,
    ),
)
