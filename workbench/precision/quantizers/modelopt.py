"""NVIDIA Model Optimizer: INT8 and FP8 by max or entropy, INT4 weights by AWQ, FP16 by AutoCast."""

from __future__ import annotations

from workbench.core.precision import Precision
from workbench.precision.quantizers.base import Quantizer

_QUANTIZE = "`modelopt.onnx.quantization.quantize`"


def _made(name: str, title: str, precision: Precision, summary: str, **options: str) -> Quantizer:
    title = f"Model Optimizer {title}"
    return Quantizer(f"modelopt:{name}", title, "modelopt", "modelopt", precision, summary, options)


QUANTIZERS = (
    _made("int8", "INT8", Precision.INT8, f"{_QUANTIZE}, entropy as it comes.", mode="int8", method="entropy"),
    _made("int8_max", "INT8 max", Precision.INT8, f"{_QUANTIZE}, ranges by maximum.", mode="int8", method="max"),
    _made("fp8", "FP8", Precision.FP8, f"{_QUANTIZE}, ranges by maximum.", mode="fp8", method="max"),
    _made("int4", "INT4 weights AWQ", Precision.INT4_WEIGHTS, f"{_QUANTIZE}, AWQ by clipping.",
          mode="int4", method="awq_clip"),
    _made("fp16", "AutoCast FP16", Precision.FP16, "`modelopt.onnx.autocast`: what overflows stays FP32.", way="cast"),
)  # fmt: skip
"""`awq_lite` needs CuPy and a GPU, the search for Q/DQ places a GPU and TensorRT's own package: neither is offered."""
