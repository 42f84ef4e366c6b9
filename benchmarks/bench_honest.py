"""Is our median the engine's own? Against OpenVINO's benchmark_app and a plain loop of ONNX Runtime, interleaved.

python -m benchmarks.bench_honest [MODEL.onnx | FOLDER ...] [--seconds S] [--rounds N] [--launches N]

Without a model: the sample models, and those in the folder that WORKBENCH_REAL_MODELS names. Four processes with the
same file, shapes, inputs, threads and precision take short turns (A B C D D C B A ...), so that what disturbs one
disturbs all; each measures with its own code and bound inputs. A launch gives the median of its rounds' ratios, ours
over theirs. Where a process lies in memory makes it faster or slower for good: so there are several launches, and the
figure is their median with its interval by order statistics (96 % of 9). "honest" is a ratio within 0.97 to 1.03,
"cannot tell" an interval of more than 10 %, "DIFFERS" one that does not touch the band.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.subjects import UNTIMED, subject_recipe, subjects
from benchmarks.turns import BENCHMARK_APP, PLAIN_LOOP, Worker
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, Run, RunRequest, Status
from workbench.jobs import run_job
from workbench.measure.machine import physical_cores
from workbench.measure.statistics import Speedup, paired_speedup
from workbench.model import open_model
from workbench.pipeline.files import TYPED_FILE, TYPED_MODEL_FILE
from workbench.pipeline.samples import evaluation_set

BAND = (0.97, 1.03)
TOO_WIDE = 1.10
PAUSE_S = 0.05
"""Before a turn: the idle threads of a plain ONNX Runtime session spin for 33 ms, and would slow whoever is next."""
TYPES = {"float32": "f32", "float16": "f16", "int64": "i64", "int32": "i32", "uint8": "u8", "bool": "boolean"}
PAIRS = (("openvino", "benchmark_app"), ("onnxruntime", "plain loop"))
Ratios = dict[str, list[float]]


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
        recipe=subject_recipe(open_model(model)),
        evaluation="random",
        evaluation_limit=1,
        timing=UNTIMED,
    )
    run = built(request)
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


def built(request: RunRequest) -> Run:
    run = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(run, Run)
    return run


def app_words(case: Case, threads: int) -> list[str]:
    """benchmark_app's, so that it runs what our backend asks OpenVINO for: its own defaults are other hints."""
    typed = read_json(case.folder / TYPED_MODEL_FILE, TypedModel)
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": "NO"}
    options = {"CPU": {**hints, "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}}
    (case.folder / "options.json").write_text(json.dumps(options))
    data = [
        (spec.name, f"{case.folder / safe(spec.name)}.npy", TYPES.get(spec.dtype, spec.dtype))
        for spec in typed.model.inputs
    ]
    if len(data) == 1:  # without its name, of which a colon would be the end
        inputs = ["-i", data[0][1], "-ip", data[0][2]]
    else:
        paths, types = (",".join(f"{one[0]}:{one[column]}" for one in data) for column in (1, 2))
        inputs = ["-i", paths, "-iop", types]
    way = ["-api", "sync", "-nireq", "1", "-t", "1", "-inference_only", "true"]
    engine = ["-hint", "none", "-nthreads", str(threads), "-infer_precision", "f32"]
    files = ["-m", str(case.file), "-load_config", str(case.folder / "options.json")]
    return [*way, *engine, *files, *inputs]


def commands(case: Case, threads: int) -> dict[str, list[str]]:
    own = ["-m", "benchmarks.turns", str(case.folder), str(case.inputs)]
    return {
        "openvino": [*own, "openvino", str(threads)],
        "benchmark_app": ["-c", BENCHMARK_APP, *app_words(case, threads)],
        "onnxruntime": [*own, "onnxruntime", str(threads)],
        "plain loop": ["-c", PLAIN_LOOP, str(case.file), str(case.inputs), str(threads)],
    }


def launch(case: Case, threads: int, rounds: int, seconds: float, broken: dict[str, str]) -> Ratios:
    """Ratios of ours to theirs in one launch of the four. Who does not start is added to `broken`, with its reason."""
    times: dict[str, list[float]] = {}
    with ExitStack() as stack:
        workers = {}
        for name, command in commands(case, threads).items():
            if name not in broken:
                try:
                    workers[name] = stack.enter_context(Worker(*command))
                except RuntimeError as error:
                    broken[name] = str(error)
        for number in range(-1, rounds):  # the first round is warm-up
            for name in list(workers) if number % 2 == 0 else list(workers)[::-1]:
                time.sleep(PAUSE_S)
                took = workers[name].turn(seconds)
                if number >= 0:
                    times.setdefault(name, []).append(took)
    pairs = [(own, theirs) for own, theirs in PAIRS if own in times and theirs in times]
    return {theirs: [a / b for a, b in zip(times[own], times[theirs], strict=True)] for own, theirs in pairs}


def measured(case: Case, launches: int, rounds: int, seconds: float, threads: int) -> dict[str, Speedup | str]:
    """By rival: the ratio with its interval over the launches, or why there is none."""
    broken: dict[str, str] = {}
    medians: Ratios = {theirs: [] for _, theirs in PAIRS}
    for _ in range(launches):
        for theirs, ratios in launch(case, threads, rounds, seconds, broken).items():
            medians[theirs].append(float(np.median(ratios)))
    found: dict[str, Speedup | str] = {}
    for own, theirs in PAIRS:
        reason = broken.get(own) or broken.get(theirs)
        found[theirs] = reason or paired_speedup(medians[theirs], [1.0] * launches)
    return found


def verdict(found: Speedup) -> str:
    if found.high < BAND[0] or found.low > BAND[1]:
        return "DIFFERS"
    if found.high / found.low > TOO_WIDE:
        return "cannot tell"
    return "honest" if BAND[0] <= found.ratio <= BAND[1] else "outside, not surely"


def words(found: Speedup | str) -> str:
    if isinstance(found, str):
        return f"not measured ({found[:60]})"
    return f"{found.ratio:.3f} ({found.low:.3f}-{found.high:.3f}) {verdict(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=0.15, help="of a turn")
    parser.add_argument("--rounds", type=int, default=12, help="of a launch")
    parser.add_argument("--launches", type=int, default=9)
    parser.add_argument("--threads", type=int, default=physical_cores(), help="default: all physical cores")
    arguments = parser.parse_args()
    way = (arguments.launches, arguments.rounds, arguments.seconds, arguments.threads)
    all_words: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for number, model in enumerate(subjects(arguments.models)):
            try:
                found = measured(prepared(model.absolute(), Path(name) / f"model-{number:04d}"), *way)
            except RuntimeError as error:
                print(f"{model.stem:<20} left out: {str(error)[:120]}", flush=True)
                continue
            print(f"{model.stem:<20} " + "  ".join(f"{k}: {words(v):<44}" for k, v in found.items()), flush=True)
            all_words += [verdict(one) for one in found.values() if isinstance(one, Speedup)]
    print(", ".join(f"{word}: {all_words.count(word)}" for word in dict.fromkeys(all_words)))


if __name__ == "__main__":
    main()
