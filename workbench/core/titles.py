"""What runs are called, everywhere: in tables, charts, messages and reports."""

from __future__ import annotations

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.core.run import Run

UNFUSED = "source graph, unfused"
_BACKENDS = {
    "openvino": "OpenVINO",
    "onnxruntime": "ONNX Runtime",
    "tensorrt_rtx": "TensorRT RTX",
    "null": "Null",
}


def backend_title(backend: str) -> str:
    """As it is written for people, without loading the backend."""
    return _BACKENDS.get(backend, backend)


def run_title(run: Run) -> str:
    """`OpenVINO INT8 MSE`, `TensorRT RTX sm89 FP16`, `source graph, unfused`; the user's own label wins."""
    if run.label:
        return run.label
    if not run.config.optimize:
        return UNFUSED
    return f"{backend_title(run.config.backend)} {_made_with(run)}"


def short_title(run: Run) -> str:
    """For the ends of lines: `INT8 MSE`."""
    return run_title(run) if run.label or not run.config.optimize else _made_with(run)


def _made_with(run: Run) -> str:
    config, plan = run.config, run.config.plan
    words = [config.target, plan.default.label]
    if plan.needs_calibration:
        words.append(method_label(plan.calibration))
    if plan.rules:
        words.append(f"+ {len(plan.rules)} rule{'s' if len(plan.rules) > 1 else ''}")
    if plan.quantizer:
        words.append(f"by {plan.writer}")
    words += [f"{key}={value}" for key, value in sorted(config.options.items())]
    if config.streams > 1:
        words.append(f"{config.streams} streams")
    if config.tuned:
        words.append("tuned")
    return " ".join(word for word in words if word)


def method_label(calibration: Calibration) -> str:
    """`MSE`, `max`, `99.99 %`."""
    if calibration.method is CalibrationMethod.PERCENTILE:
        return f"{calibration.percentile:g} %"
    return "MSE" if calibration.method is CalibrationMethod.MSE else calibration.method.value
