"""What runs on the GPU of this machine: `python -m tests.gpu.check` (or `make gpu-check`) prints one table.

Every sample on ONNX Runtime's CUDA and TensorRT providers and on TensorRT, each in a process of its own: its time, its
layers, and how far its outputs are from the FP32 reference on the CPU. Where there is no GPU it says so in a sentence.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.backends.base import Capabilities, load_backend
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, Run, RunRequest, Status, TimingConfig
from workbench.data import read_recipe
from workbench.jobs import run_job
from workbench.measure.gpu import gpu_states
from workbench.measure.machine import package_versions
from workbench.model import open_model
from workbench.resources import sample_models

NO_GPU = "No NVIDIA GPU or driver is on this machine: nothing was run on one."
SAMPLES = ("digits/digits_resnet.onnx", "fashion/fashion_resnet.onnx", "ocr/ppocrv4_rec.onnx")
PRECISIONS = (Precision.FP32, Precision.FP16)
LEAST_DB = {Precision.FP32: 40.0, Precision.FP16: 30.0}
"""Of the worst output against the reference: TF32 and other orders of summation are allowed for, mistakes are not."""


class Case(msgspec.Struct, frozen=True):
    """What is run: a device in words, a sample, a precision."""

    device: str
    model: Path
    config: BuildConfig

    @property
    def title(self) -> str:
        return f"{self.device} {self.model.stem} {self.config.plan.default.label}"


class Outcome(msgspec.Struct, frozen=True):
    """`problem` is why it did not run, or how it is wrong; empty: it is right."""

    case: Case
    problem: str = ""
    median_ms: float = 0.0
    layers_timed: int = 0
    sqnr_db: float = 0.0


def devices() -> dict[str, BuildConfig]:
    """What could run on the GPU here, in words, with the configuration that does."""
    found = {}
    runtime = load_backend("onnxruntime").capabilities()
    for device in next((option.values for option in runtime.options if option.key == "device"), ()):
        if device != "cpu":
            name = f"ONNX Runtime {runtime.version} {device}"
            found[name] = BuildConfig("onnxruntime", options={"device": device})
    tensorrt = load_backend("tensorrt_rtx").capabilities()
    if tensorrt.available:
        name = f"{tensorrt.module or 'tensorrt'} {tensorrt.version}"
        found[name] = BuildConfig("tensorrt_rtx", target=_target(tensorrt))
    return found


def cases() -> Iterator[Case]:
    for device, config in devices().items():
        for name in SAMPLES:
            for precision in PRECISIONS:
                plan = msgspec.structs.replace(config, plan=PrecisionPlan(precision))
                yield Case(device, sample_models() / name, plan)


def check(case: Case, folder: Path) -> Outcome:
    """Builds, times and checks in a fresh process."""
    recipe = read_recipe(open_model(case.model))
    request = RunRequest(
        id="gpu-check",
        folder=str(folder),
        model_path=str(case.model),
        config=case.config,
        recipe=recipe,
        calibration=recipe.calibration if case.config.plan.uses_calibration else "",
        evaluation=recipe.evaluation,
        evaluation_limit=8,
        timing=TimingConfig(seconds=1.0),
        rebuild=True,
    )
    run = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(run, Run)
    return _outcome(case, run)


def table(outcomes: Sequence[Outcome]) -> str:
    """Device and versions, then a line for each."""
    versions = ", ".join(f"{name} {text}" for name, text in package_versions().items())
    lines = [*gpu_states(), versions, ""]
    lines += [f"{'device':<28} {'model':<16} {'precision':<9} {'median ms':>9} {'layers timed':>12} {'SQNR dB':>8}"]
    for one in outcomes:
        model, precision = one.case.model.stem, one.case.config.plan.default.label
        figures = f"{one.median_ms:9.3f} {one.layers_timed:12} {one.sqnr_db:8.1f}" if one.median_ms else ""
        lines.append(f"{one.case.device:<28} {model:<16} {precision:<9} {figures}  {one.problem}".rstrip())
    return "\n".join(lines)


def _target(can: Capabilities) -> str:
    """The GPU of this machine where the module builds for it; else its default, which then says why it does not run."""
    here = can.device.rpartition("(")[2].rstrip(")")
    return here if here in can.targets else ""


def _outcome(case: Case, run: Run) -> Outcome:
    if run.status is not Status.DONE or run.timing is None:
        return Outcome(case, run.error.message if run.error else run.status.value)
    if run.timing.stats is None:
        return Outcome(case, run.timing.reason)
    sqnr = run.accuracy.worst_sqnr_db if run.accuracy is not None else None
    least = LEAST_DB[case.config.plan.default]
    wrong = "" if sqnr is not None and sqnr >= least else f"differs from the CPU reference: below {least:g} dB"
    return Outcome(case, wrong, run.timing.stats.median_ms, len(run.timing.layers), sqnr or 0.0)


def main() -> int:
    if not gpu_states():
        sys.stdout.write(f"{NO_GPU}\n")
        return 0
    found = list(cases())
    if not found:
        sys.stdout.write("There is a GPU, but nothing that runs on it: pip install onnxruntime-gpu, or TensorRT.\n")
        return 1
    outcomes = []
    for case in found:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(check(case, Path(folder) / "run"))
    sys.stdout.write(f"{table(outcomes)}\n")
    return int(any(one.problem for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
