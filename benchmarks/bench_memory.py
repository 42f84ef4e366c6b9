"""Does the plan of memory tell the truth? Its pool against what engines say, and against what inference really took.

python -m benchmarks.bench_memory [MODEL.onnx | FOLDER ...] [--out TABLE.md]

Without a model: the samples, and those in the folder that WORKBENCH_REAL_MODELS names. TensorRT for RTX says its
activation memory in its build log (a real build for sm89, no GPU needed). OpenVINO and ONNX Runtime tell none: there
the pages count that the first inference writes to, in a process of its own, after free memory was given back. What a
figure is made of stands beside it, in KiB: the plan's pool; inputs and outputs, where they are in the figure; what
TensorRT keeps for every engine; and the rest, which is what the plan does not know.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.subjects import UNTIMED, subject_recipe, subjects
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, Run, RunRequest, Status
from workbench.core.titles import run_title
from workbench.jobs import run_job
from workbench.model import open_model
from workbench.pipeline.samples import NONE, RANDOM
from workbench.pipeline.table import aligned

KIB = 1024
KEPT = 8_192_000
"""Bytes that TensorRT for RTX 1.7.1 adds to the activation memory of every engine, of one layer or of a thousand.

Its auxiliary streams run beside the main one: they may keep as much again, and buffers of two streams share nothing.
"""
ONE_STREAM = {"aux_streams": "0"}
CONFIGS: tuple[tuple[str, Precision, dict[str, str]], ...] = (
    ("tensorrt_rtx", Precision.FP32, {}),
    ("tensorrt_rtx", Precision.FP32, ONE_STREAM),
    ("tensorrt_rtx", Precision.FP16, ONE_STREAM),
    ("openvino", Precision.FP32, {}),
    ("openvino", Precision.INT8, {}),
    ("onnxruntime", Precision.FP32, {}),
)
HEAD = ("model", "engine", "measured", "plan's pool", "in + out", "kept", "rest", "rest %", "reuse")


class Row(msgspec.Struct, frozen=True):
    """Bytes. `measured` is the engine's own figure, or what the first inference took of the process."""

    model: str
    engine: str
    measured: int
    pool: int
    ends: int
    kept: int
    reuse: float

    @property
    def rest(self) -> int:
        return self.measured - self.pool - self.ends - self.kept

    def cells(self) -> tuple[str, ...]:
        sizes = (self.measured, self.pool, self.ends, self.kept, self.rest)
        share = f"{100 * self.rest / self.measured:+.0f} %" if self.measured else ""
        return (self.model, self.engine, *(f"{size / KIB:,.0f}" for size in sizes), share, f"{self.reuse:.1f}×")


def rows(model: Path, folder: Path) -> Iterator[Row | str]:
    """A row a configuration, or why there is none."""
    for number, (backend, precision, options) in enumerate(CONFIGS):
        run = built(model, BuildConfig(backend, options=options, threads=1), precision, folder / f"run-{number:04d}")
        if run.status is not Status.DONE or run.build is None:
            yield f"{model.stem} {backend} {precision.label}: {run.error.message if run.error else run.status.value}"
        elif not run.build.plan:
            yield f"{model.stem} {backend} {precision.label}: tensors of unknown size"
        else:
            yield row(model.stem, run)


def built(model: Path, config: BuildConfig, precision: Precision, folder: Path) -> Run:
    plan = PrecisionPlan(default=precision)
    request = RunRequest(
        id=folder.name,
        folder=str(folder),
        model_path=str(model.absolute()),
        config=msgspec.structs.replace(config, plan=plan),
        recipe=subject_recipe(open_model(model)),
        calibration=RANDOM if plan.uses_calibration else "",
        evaluation=NONE,
        timing=UNTIMED,
    )
    run = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(run, Run)
    return run


def row(model: str, run: Run) -> Row:
    assert run.build is not None
    plan, is_told = run.build.plan, run.config.backend == "tensorrt_rtx"
    took = run.timing.memory.get("first inference", 0) if run.timing is not None else 0
    return Row(
        model=model,
        engine=run_title(run),
        measured=run.build.memory.get("activations", 0) if is_told else took,
        pool=plan["pool"],
        ends=0 if is_told else plan["ends"],
        kept=KEPT if is_told else 0,
        reuse=plan.get("sum", 0) / plan["pool"] if plan["pool"] else 1.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, metavar="TABLE.md", help="write the table there as well")
    arguments = parser.parse_args()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for number, model in enumerate(subjects(arguments.models)):
            for one in rows(model, Path(name) / f"model-{number:04d}"):
                print(one if isinstance(one, str) else aligned([one.cells()], {0, 1}).rstrip(), flush=True)
                found += [one] if isinstance(one, Row) else []
    cells = [HEAD, *(one.cells() for one in found)]
    print(f"\n{aligned(cells, left={0, 1})}")
    if arguments.out is not None:
        lines = ["| " + " | ".join(cell) + " |" for cell in cells]
        arguments.out.write_text("\n".join([lines[0], "|---" * len(HEAD) + "|", *lines[1:]]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
