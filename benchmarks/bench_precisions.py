"""How much faster each precision is on OpenVINO than the source graph run node by node, and than FP32; interleaved.

python -m benchmarks.bench_precisions [SECONDS]    seconds of one race, 15 without

Every figure is a ratio of two engines that took turns in one process (A B B A), with its 95 % interval: what disturbs
one disturbs both, so that ratios hold where milliseconds do not.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from workbench.core.json import read_json
from workbench.core.precision import Precision
from workbench.core.run import Race, RaceEntry, RaceRequest, Run, RunRequest, TimingConfig
from workbench.core.titles import run_title
from workbench.data import read_recipe
from workbench.jobs import run_job
from workbench.measure.machine import machine_state
from workbench.model import open_model
from workbench.pipeline.comparing import CompareRequest, Comparison, compare
from workbench.pipeline.files import REQUEST_FILE
from workbench.resources import sample_models

SAMPLES = ("ocr/ppocrv4_rec.onnx", "fashion/fashion_resnet.onnx")
PRECISIONS = (Precision.FP32, Precision.BF16, Precision.INT8)
QUICK = TimingConfig(live_seconds=0.0, seconds=0.3)
EVALUATION_SAMPLES = 8
"""Enough for real inputs to take turns; accuracy is not what is measured here."""


def execute(request: RunRequest | RaceRequest) -> Run | Race:
    return run_job(request, lambda batch: None, threading.Event())


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    for number in count():
        folder = root / f"{number:03d}"
        folder.mkdir()
        yield folder.name, folder


def built(model: Path, places: Iterator[tuple[str, Path]]) -> Comparison:
    """Every engine built and timed for a moment; no race yet."""
    recipe = read_recipe(open_model(model))
    request = CompareRequest(
        model_path=str(model),
        backends=("openvino",),
        precisions=PRECISIONS,
        recipe=recipe,
        calibration=recipe.calibration,
        evaluation=recipe.evaluation,
        evaluation_limit=EVALUATION_SAMPLES,
        timing=QUICK,
        race_seconds=0.0,
    )
    return compare(request, execute, lambda: next(places))


def raced(comparison: Comparison, first: int, seconds: float, place: tuple[str, Path]) -> dict[str, RaceEntry]:
    """A race of all runs that were timed, from number `first` on; that one is the baseline. By run."""
    pairs = list(zip(comparison.runs, comparison.folders, strict=True))[first:]
    requests = [
        read_json(Path(folder) / REQUEST_FILE, RunRequest) for run, folder in pairs if run.timing and run.timing.stats
    ]
    result = execute(RaceRequest(place[0], str(place[1]), tuple(requests), seconds))
    assert isinstance(result, Race)
    if result.error:
        print(f"  no race: {result.error.message}")
    return {entry.run: entry for entry in result.entries}


def ratio(entry: RaceEntry | None) -> str:
    return f"{entry.speedup:5.2f}x ({entry.low:.2f}-{entry.high:.2f})" if entry else "-"


def bench(model: Path, seconds: float, root: Path) -> None:
    places = folders(root)
    comparison = built(model, places)
    to_source, to_fp32 = (raced(comparison, first, seconds, next(places)) for first in (0, 1))
    print(f"{model.stem:24s}{'median':>12s}   {'to the source graph':24s}to OpenVINO FP32")
    for run in comparison.runs:
        entry = to_source.get(run.id)
        median = f"{entry.median_ms:.3f} ms" if entry else "-"
        why = f"   {run.error.message}" if run.error else ""
        print(f"  {run_title(run):22s}{median:>12s}   {ratio(entry):24s}{ratio(to_fp32.get(run.id))}{why}", flush=True)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    machine = machine_state()
    print(", ".join(machine[key] for key in ("cpu", "cores", "system") if key in machine), "load", machine["load"])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        for name in SAMPLES:
            root = Path(folder) / Path(name).stem
            root.mkdir()
            bench(sample_models() / name, seconds, root)


if __name__ == "__main__":
    main()
