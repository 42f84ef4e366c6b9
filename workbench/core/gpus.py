"""GPUs that are not here: what their datasheets promise. Every figure made from these is an ESTIMATE.

Dense figures, without sparsity (datasheets that name only sparse ones are halved). Tensor cores with FP16 accumulation
where a card has such a mode (GeForce), since this is a roof. One card or more for each target of TensorRT for RTX.
"""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.ceilings import Bandwidth, Ceilings
from workbench.core.precision import Precision

DEFAULT_TARGET = "sm89"  # of TensorRT for RTX, where none is named
TERA = 1e12
GIGA = 1e9


class Gpu(NamedTuple):
    """GB/s of memory; TFLOPS, or TOPS for INT8, by precision. 0: it has no such arithmetic."""

    target: str
    gbs: float
    fp32: float
    tf32: float
    bf16: float
    fp16: float
    fp8: float
    int8: float
    source: str


_TURING = "NVIDIA Turing GPU architecture whitepaper (WP-09183-001), table 1: Founders Edition"
_GA102 = "NVIDIA Ampere GA102 GPU architecture whitepaper, table 9"
_ADA = "NVIDIA Ada GPU architecture whitepaper 2.x, appendix A"
_BLACKWELL = "NVIDIA RTX Blackwell GPU architecture whitepaper, appendix A"
_GB10 = "NVIDIA at Hot Chips 2025: 31 TFLOPS FP32, 1 PFLOPS sparse FP4; between them in the ratios of RTX Blackwell"

GPUS: dict[str, Gpu] = {
    "T4": Gpu("sm75", 320, 8.1, 0, 0, 65, 0, 130, "NVIDIA T4 Tensor Core GPU datasheet"),
    "GeForce RTX 2080 Ti": Gpu("sm75", 616, 14.2, 0, 0, 113.8, 0, 227.7, _TURING),
    "A100 40 GB": Gpu("sm80", 1555, 19.5, 156, 312, 312, 0, 624, "NVIDIA A100 Tensor Core GPU datasheet"),
    "A30": Gpu("sm80", 933, 10.3, 82, 165, 165, 0, 330, "NVIDIA A30 Tensor Core GPU datasheet"),
    "GeForce RTX 3090": Gpu("sm86", 936, 35.6, 35.6, 71, 142, 0, 284, _GA102),
    "A10": Gpu("sm86", 600, 31.2, 62.5, 125, 125, 0, 250, "NVIDIA A10 Tensor Core GPU datasheet"),
    "A40": Gpu("sm86", 696, 37.4, 74.8, 149.7, 149.7, 0, 299.3, "NVIDIA A40 datasheet"),
    "GeForce RTX 4090": Gpu("sm89", 1008, 82.6, 82.6, 165.2, 330.3, 660.6, 660.6, _ADA),
    "L4": Gpu("sm89", 300, 30.3, 60, 121, 121, 242.5, 242.5, "NVIDIA L4 Tensor Core GPU datasheet, sparse halved"),
    "L40S": Gpu("sm89", 864, 91.6, 183, 362, 362, 733, 733, "NVIDIA L40S datasheet"),
    "GeForce RTX 5090": Gpu("sm120", 1792, 104.8, 104.8, 209.5, 419, 838, 838, _BLACKWELL),
    "GB10 (DGX Spark)": Gpu("sm121", 273, 31, 31, 62, 125, 250, 250, _GB10),
}


def gpus_of(target: str) -> tuple[str, ...]:
    """Names of the GPUs of a target (`sm89`), or of several by comma; of all where there is none."""
    wanted = {part.strip() for part in target.split(",") if part.strip()}
    return tuple(name for name, gpu in GPUS.items() if not wanted or gpu.target in wanted)


def gpu_ceilings(name: str) -> Ceilings:
    """ESTIMATE, for a name in `GPUS`."""
    gpu = GPUS[name]
    tera = {
        Precision.FP32: gpu.fp32,
        Precision.TF32: gpu.tf32,
        Precision.BF16: gpu.bf16,
        Precision.FP16: gpu.fp16,
        Precision.FP8: gpu.fp8,
        Precision.INT8: gpu.int8,
    }
    flops = {precision: TERA * value for precision, value in tera.items() if value}
    return Ceilings(name, 0, (Bandwidth(GIGA * gpu.gbs),), flops, gpu.source, is_estimate=True, machine=gpu.target)
