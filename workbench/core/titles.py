"""What runs are called, everywhere: in tables, charts, messages and reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.core.run import Run

UNFUSED = "source graph, unfused"
TENSORRT, OPENVINO, ONNXRUNTIME = "tensorrt", "openvino", "onnxruntime"
_BACKENDS = {
    "openvino": "OpenVINO",
    "onnxruntime": "ONNX Runtime",
    "tensorrt_rtx": "TensorRT RTX",
    "null": "Null",
}
_SHORT = {"openvino": "OV", "onnxruntime": "ORT", "tensorrt_rtx": "TRT"}


def backend_title(backend: str) -> str:
    """As it is written for people, without loading the backend."""
    return _BACKENDS.get(backend, backend)


class Titles:
    """What runs are called among each other: those of one model and title have numbers, from the second one made on.

    `OpenVINO INT8 MSE`, `OpenVINO INT8 MSE #2`, in whatever order they are given. Of one that was not given, its title.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._numbers: dict[str, int] = {}
        made: Counter[tuple[str, str]] = Counter()
        for run in sorted(runs, key=lambda run: (run.created, run.id)):
            key = run.model_sha256, run_title(run)
            made[key] += 1
            self._numbers[run.id] = made[key]

    def of(self, run: Run) -> str:
        return self._numbered(run, run_title(run))

    def short(self, run: Run, beside: Iterable[Run] = ()) -> str:
        """For the ends of lines: `INT8 MSE`; beside the same of another backend `ORT INT8 MSE`."""
        title, short = run_title(run), short_title(run)
        if any(short_title(other) == short and run_title(other) != title for other in beside):
            short = f"{_SHORT.get(run.config.backend, backend_title(run.config.backend))} {short}"
        return self._numbered(run, short)

    def _numbered(self, run: Run, title: str) -> str:
        number = self._numbers.get(run.id, 1)
        return f"{title} #{number}" if number > 1 else title


def engine_maker(backend: str) -> str:
    """TENSORRT, OPENVINO or ONNXRUNTIME: whose engine it is, built here (`tensorrt_rtx`) or read from files of another
    machine (`TensorRT 10 (imported)`); else the backend itself.
    """
    word = backend.lower().replace(" ", "")
    return next((maker for maker in (TENSORRT, OPENVINO, ONNXRUNTIME) if word.startswith(maker)), backend)


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
    if plan.needs_calibration and not run.imported:
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
