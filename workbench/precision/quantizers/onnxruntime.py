"""ONNX Runtime's own static quantization: as it comes, and with the options that TensorRT takes."""

from __future__ import annotations

from workbench.core.precision import Precision
from workbench.precision.quantizers.base import Quantizer

QUANTIZERS = (
    Quantizer(
        "ort:int8",
        "ONNX Runtime INT8",
        "ort",
        "onnxruntime",
        Precision.INT8,
        "`quantize_static`, its defaults: uint8 by minimum and maximum, int8 weights, int32 bias.",
    ),
    Quantizer(
        "ort:int8_tensorrt",
        "ONNX Runtime INT8 for TensorRT",
        "ort",
        "onnxruntime",
        Precision.INT8,
        "`quantize_static`: symmetric, one scale a channel, float bias; Conv, Gemm and MatMul only.",
        {"way": "tensorrt"},
    ),
)
