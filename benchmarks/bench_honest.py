"""Is our median the engine's own? Against OpenVINO's benchmark_app and a plain loop of ONNX Runtime, interleaved.

python -m benchmarks.bench_honest [MODEL.onnx | FOLDER ...] [--seconds S] [--rounds N]

Without a model: the sample models, and those in the folder that WORKBENCH_REAL_MODELS names. Every figure is measured
in a process of its own with the same file, shapes, inputs, threads and options; the four take turns (A B C D D C B A),
so that what disturbs one disturbs all. Inputs are bound before time is taken, on all sides. A ratio is our median over
theirs, the median of all turns with its 95 % interval; "honest" is an interval that touches 0.97 to 1.03, "cannot tell"
one of more than 15 %.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec
import numpy as np

from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, Run, RunRequest, Status, TimingConfig
from workbench.data import read_recipe
from workbench.jobs import run_job
from workbench.measure.machine import physical_cores
from workbench.measure.statistics import paired_speedup
from workbench.model import open_model
from workbench.pipeline.files import TYPED_FILE, TYPED_MODEL_FILE
from workbench.pipeline.samples import evaluation_set
from workbench.resources import sample_models

BAND = (0.97, 1.03)
TYPES = {"float32": "f32", "float16": "f16", "int64": "i64", "int32": "i32", "uint8": "u8", "bool": "boolean"}
PLAIN_LOOP = """
import sys, time, numpy as np, onnxruntime as ort
model, inputs, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, ["CPUExecutionProvider"])
binding = session.io_binding()
for name, value in np.load(inputs).items():
    binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value))
for output in session.get_outputs():
    binding.bind_output(output.name, "cpu")
def loop(seconds):
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        times.append(time.perf_counter() - start)
    return times
loop(0.3)
print(1000 * float(np.median(loop(seconds))))
"""
BENCHMARK_APP = """
import sys
sys.modules["openvino_telemetry"] = None
from openvino.tools.benchmark.main import main
main()
"""


class Case(msgspec.Struct):
    """A model with everything the four need: its file with fixed shapes, and one input of each name."""

    request: RunRequest
    file: Path
    inputs: Path
    folder: Path


def prepared(model: Path, folder: Path) -> Case:
    """Raises RuntimeError where even the source graph does not run."""
    request = RunRequest(
        id=folder.name,
        folder=str(folder),
        model_path=str(model),
        config=BuildConfig(backend="onnxruntime"),
        recipe=read_recipe(open_model(model)),
        evaluation="random",
        evaluation_limit=1,
        timing=TimingConfig(seconds=0, live_seconds=0),
    )
    run = timed(request)
    if run.status is not Status.DONE:
        raise RuntimeError(run.error.message if run.error else run.status.value)
    typed = read_json(folder / TYPED_MODEL_FILE, TypedModel)
    feed = dict(next(iter(evaluation_set(request, typed.model, typed.shapes))))
    np.savez(folder / "feed.npz", **feed)  # type: ignore[arg-type]
    for name, value in feed.items():
        np.save(folder / f"{safe(name)}.npy", value)
    return Case(request, folder / TYPED_FILE, folder / "feed.npz", folder)


def safe(name: str) -> str:
    return re.sub(r"\W", "_", name)


def timed(request: RunRequest) -> Run:
    run = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(run, Run)
    return run


def ours(case: Case, config: BuildConfig, seconds: float, numbers: Iterator[int]) -> float:
    name = f"run-{next(numbers):05d}"
    request = msgspec.structs.replace(
        case.request,
        id=name,
        folder=str(case.folder / name),
        config=config,
        timing=TimingConfig(seconds=seconds, live_seconds=0.1),
    )
    run = timed(request)
    if run.timing is None or run.timing.stats is None:
        raise RuntimeError(run.error.message if run.error else "not timed")
    return run.timing.stats.median_ms


def benchmark_app(case: Case, seconds: float, threads: int) -> float:
    typed = read_json(case.folder / TYPED_MODEL_FILE, TypedModel)
    options = {"CPU": {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": "NO"}}
    (case.folder / "options.json").write_text(json.dumps(options))
    inputs = ",".join(f"{spec.name}:{case.folder / safe(spec.name)}.npy" for spec in typed.model.inputs)
    types = ",".join(f"{spec.name}:{TYPES.get(spec.dtype, spec.dtype)}" for spec in typed.model.inputs)
    way = ["-api", "sync", "-nireq", "1", "-t", str(round(max(seconds, 1)))]
    engine = ["-hint", "none", "-nthreads", str(threads), "-infer_precision", "f32"]
    files = ["-m", str(case.file), "-load_config", str(case.folder / "options.json"), "-i", inputs, "-iop", types]
    said = output([sys.executable, "-c", BENCHMARK_APP, *way, *engine, *files])
    found = re.search(r"Median:\s+([\d.]+) (us|ms|s)\b", said)
    if not found:
        raise RuntimeError(f"benchmark_app says no median: {said.strip().splitlines()[-1][-120:]}")
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def plain_loop(case: Case, seconds: float, threads: int) -> float:
    words = [str(case.file), str(case.inputs), str(seconds), str(threads)]
    return float(output([sys.executable, "-c", PLAIN_LOOP, *words]))


def output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1][-160:])
    return done.stdout


def measured(case: Case, rounds: int, seconds: float, threads: int) -> str:
    """One line: the two ratios."""
    numbers = count()
    ways: dict[str, Callable[[], float]] = {
        "openvino": lambda: ours(case, BuildConfig("openvino", threads=threads), seconds, numbers),
        "benchmark_app": lambda: benchmark_app(case, seconds, threads),
        "onnxruntime": lambda: ours(case, BuildConfig("onnxruntime", threads=threads), seconds, numbers),
        "plain loop": lambda: plain_loop(case, seconds, threads),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    broken: dict[str, str] = {}
    for number in range(rounds):
        for name in list(ways) if number % 2 == 0 else list(ways)[::-1]:
            if name not in broken:
                try:
                    times[name].append(ways[name]())
                except RuntimeError as error:
                    broken[name] = str(error)
    pairs = (("openvino", "benchmark_app"), ("onnxruntime", "plain loop"))
    return "  ".join(f"{theirs}: {judged(times, broken, own, theirs):<44}" for own, theirs in pairs)


def judged(times: dict[str, list[float]], broken: dict[str, str], own: str, theirs: str) -> str:
    if reasons := [broken[name] for name in (own, theirs) if name in broken]:
        return f"not measured ({reasons[0][:60]})"
    found = paired_speedup(times[own], times[theirs])  # their time is below ours: "speed-up" is ours / theirs
    if found.high < BAND[0] or found.low > BAND[1]:
        word = "DIFFERS"
    else:
        word = "honest" if found.high / found.low < 1.15 else "cannot tell"
    return f"{found.ratio:.3f} ({found.low:.3f}-{found.high:.3f}) {word}"


def models(given: list[Path]) -> list[Path]:
    real = os.environ.get("WORKBENCH_REAL_MODELS", "")
    places = given or [sample_models(), *([Path(real)] if real else [])]
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.onnx")))]
    return list(dict.fromkeys(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=physical_cores(), help="default: all physical cores")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for number, model in enumerate(models(arguments.models)):
            try:
                case = prepared(model.absolute(), Path(name) / f"model-{number:04d}")
                said = measured(case, arguments.rounds, arguments.seconds, arguments.threads)
            except RuntimeError as error:
                said = f"left out: {str(error)[:120]}"
            print(f"{model.stem:<20} {said}", flush=True)


if __name__ == "__main__":
    main()
