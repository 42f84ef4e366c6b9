"""TensorRT: engines for NVIDIA GPUs, built ahead of time and without a GPU by TensorRT for RTX.

`layers` reads what the engine says of itself, `owners` and `kinds` make sense of it, `graph` puts it together; `parse`,
`targets`, `settings` and `watch` are the way there, `build` is the way itself; `runtime` needs a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.backends.base import Backend, Capabilities, Report
from workbench.backends.tensorrt_rtx.build import build_engine, engine_key, reopen_engine
from workbench.backends.tensorrt_rtx.device import why_not_run
from workbench.backends.tensorrt_rtx.engine import TensorRtEngine
from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.backends.tensorrt_rtx.module import INSTALL, find_module, load_module, module_version
from workbench.backends.tensorrt_rtx.options import available, builds_ahead_of_time, why_not_build
from workbench.backends.tensorrt_rtx.targets import TARGETS, limits_of, read_targets
from workbench.backends.tensorrt_rtx.verdict import verdict_on
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.verdict import Verdict

_HOW = dict.fromkeys(Precision, How.GRAPH) | {Precision.TF32: How.HINT}
_REMARKS = {
    Precision.TF32: "allowed for float32 layers; which of them use it is chosen on the GPU",
    Precision.INT8: "on RTX not promised to be faster or smaller than FP16",
    Precision.BF16: "for sm80 and newer",
    Precision.FP8: "for sm89 and newer",
    Precision.INT4_WEIGHTS: "for sm80 and newer; MatMul and Gemm",
    Precision.FP4_WEIGHTS: "for sm120 and newer; MatMul and Gemm",
}


class TensorRtBackend(Backend):
    """Strongly typed networks only: precision stands in the ONNX, as TensorRT 11 and TensorRT for RTX have it."""

    id = "tensorrt_rtx"
    title = "TensorRT for RTX"

    def capabilities(self) -> Capabilities:
        module, gpu = find_module(), find_gpu()
        trt, reason = _loaded()
        names_targets = trt is not None and builds_ahead_of_time(trt)
        reason = reason or why_not_build(trt)
        is_here = not reason
        run_reason, _ = why_not_run()
        if names_targets and gpu and gpu.target not in TARGETS:  # no package that is missing would help
            run_reason = (
                f"TensorRT for RTX does not run on {gpu.name} ({gpu.target}); it builds for other GPUs. "
                "TensorRT 10 and 11 build and run there: pip install tensorrt."
            )
        targets = {name: words for name, words in TARGETS.items() if names_targets and _builds_for(trt, name)}
        return Capabilities(
            available=is_here,
            reason=reason,
            hint="" if is_here else INSTALL,
            version=module_version(),
            device=f"{gpu.name} ({gpu.target})" if gpu else "ahead of time, for a named GPU",
            can_run=is_here and not run_reason,
            run_reason=reason or run_reason,
            precisions=dict.fromkeys(Precision, ""),
            remarks={key: text for key, text in _REMARKS.items() if names_targets or key is not Precision.INT8},
            targets=targets,
            limits={target: limits_of(target) for target in targets},
            module=module,
            options=tuple(known.option for known in available(trt).values()) if is_here else (),
        )

    def targets(self, target: str) -> tuple[str, ...]:
        return read_targets(target) if find_module().startswith("tensorrt_rtx") else ()

    def dialect(self) -> Dialect:
        """TensorRT for RTX 1.7 fails in BF16 on ConvTranspose ("Could not infer output types") and on GRU (its parser
        mixes Float and BFloat16)."""
        return Dialect(
            "tensorrt_rtx",
            _HOW,
            float_ops={Precision.BF16: ("ConvTranspose", "GRU")},
            int8_needs_dq=True,
            half_scales=True,
            own_weights=True,
        )

    def verdict(self, model: Model) -> Verdict:
        return verdict_on(model)

    def build(self, typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> TensorRtEngine:
        return build_engine(typed, config, folder, report)

    def engine_key(self, typed: TypedModel, config: BuildConfig) -> tuple[str, ...]:
        return engine_key(typed, config)

    def reopen(self, typed: TypedModel, config: BuildConfig, folder: Path) -> TensorRtEngine:
        return reopen_engine(typed, config, folder)


def _loaded() -> tuple[Any, str]:
    """The module, or None and why there is none."""
    try:
        return load_module(), ""
    except WorkbenchError as error:
        return None, error.message


def _builds_for(trt: Any, target: str) -> bool:
    return hasattr(trt.ComputeCapability, target.upper())


BACKEND = TensorRtBackend
