"""Why is INT8 faster, or not? The waterfall from FP32 to INT8 of each model on each engine that runs here.

python -m benchmarks.bench_waterfall [MODEL.onnx | FOLDER ...] [--backends B,B] [--seconds S] [--race S]

Without a model: the sample models, and those in the folder that WORKBENCH_REAL_MODELS names. Both engines are built and
timed, their layers too, each in a process of its own; the two medians are those of a race. Printed is each step with
the three blocks that matter most, then what share of the difference has no layer to its name: what lies between the
layers, and what asking for their times cost.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.subjects import subject_recipe, subjects
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, Race, RaceRequest, Run, RunRequest, TimingConfig
from workbench.core.titles import run_title
from workbench.core.waterfall import StepKind, Waterfall
from workbench.jobs import run_job
from workbench.model import open_model
from workbench.pipeline.alignment import align
from workbench.pipeline.artefacts import read_engine
from workbench.pipeline.samples import RANDOM
from workbench.pipeline.table import waterfall_text
from workbench.pipeline.waterfall import waterfall

PRECISIONS = (Precision.FP32, Precision.INT8)


def request_of(model: Path, backend: str, precision: Precision, seconds: float, folder: Path) -> RunRequest:
    recipe = subject_recipe(open_model(model))
    return RunRequest(
        id=folder.name,
        folder=str(folder),
        model_path=str(model),
        config=BuildConfig(backend, plan=PrecisionPlan(precision)),
        recipe=recipe,
        calibration=recipe.calibration or RANDOM,
        evaluation=RANDOM,
        evaluation_limit=2,
        timing=TimingConfig(seconds=seconds, live_seconds=0),
    )


def done(request: Any) -> Any:
    """Raises RuntimeError with the reason of a job that failed."""
    result = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(result, Run | Race)
    if result.error is not None:
        raise RuntimeError(result.error.message)
    return result


def explained(model: Path, backend: str, root: Path, seconds: float, race_seconds: float) -> tuple[str, Waterfall]:
    """Who became what, and why."""
    requests = [request_of(model, backend, one, seconds, root / f"{backend}-{one}-0001") for one in PRECISIONS]
    a, b = (done(request) for request in requests)
    engines = read_engine(Path(requests[0].folder)), read_engine(Path(requests[1].folder))
    assert engines[0] is not None and engines[1] is not None
    folder = root / f"{backend}-race-0001"
    race = done(RaceRequest(folder.name, str(folder), (requests[0], requests[1]), race_seconds))
    medians = race.entries[0].median_ms, race.entries[1].median_ms
    times = a.timing.layers, b.timing.layers
    passes = a.timing.layers_latency_ms, b.timing.layers_latency_ms
    both = engines[0], engines[1]
    found = waterfall(align(*both, *times), both, times, medians, passes)
    return f"{model.stem}: {run_title(a)} -> {run_title(b)}, {medians[0] / medians[1]:.2f}x", found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--backends", type=lambda text: text.split(","), default=["openvino", "onnxruntime"])
    parser.add_argument("--seconds", type=float, default=2.0, help="of a run")
    parser.add_argument("--race", type=float, default=6.0, help="seconds at most")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["WORKBENCH_HOME"] = name
        for number, model in enumerate(subjects(arguments.models)):
            root = Path(name) / f"model-{number:04d}"
            for backend in arguments.backends:
                try:
                    title, found = explained(model.absolute(), backend, root, arguments.seconds, arguments.race)
                except RuntimeError as error:
                    print(f"{model.stem} {backend} left out: {str(error)[:120]}\n", flush=True)
                    continue
                unseen = sum(abs(step.ms) for step in found.steps if step.kind is StepKind.REST)
                moved = sum(abs(step.ms) for step in found.steps)
                print(
                    f"{title}\n{waterfall_text(found)}without a layer: {unseen / (moved or 1):.0%} of what moved\n",
                    flush=True,
                )


if __name__ == "__main__":
    main()
