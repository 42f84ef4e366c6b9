"""Tuned options against the default of each engine, and the best tuned engine against the best of all defaults.

python -m benchmarks.bench_tuned [MODEL.onnx | FOLDER ...] [--seconds S] [--race S] [--out FILE.jsonl]

Without a model: the sample models, and those in the folder that WORKBENCH_REAL_MODELS names. Each model has a process
of its own: every engine that runs it here is built with its defaults, its options are searched for S seconds
(`workbench tune`), then defaults and what was found are timed interleaved (A B C D D C B A) in a race of their own,
which no search has seen. A ratio is the default's time over the tuned one's, the median of the rounds with its 95 %
interval. A row is written to FILE.jsonl as soon as it is there: a second call goes on where the first ended.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from benchmarks.subjects import UNTIMED, subject_recipe, subjects
from workbench.core.collector import quiet_collector
from workbench.core.run import BuildConfig, RunRequest, Status
from workbench.core.tuning import TuneRequest, Tuning, options_words
from workbench.measure.statistics import Speedup, paired_speedup
from workbench.model import open_model
from workbench.pipeline import run, tune
from workbench.pipeline.lanes import Lane, open_lane, run_round
from workbench.pipeline.tuned import with_options

BACKENDS = ("openvino", "onnxruntime")
TIMEOUT_S = 900
LEAST_ROUNDS = 12
Row = dict[str, Any]


def row_of(model: Path, seconds: float, race_seconds: float) -> Row:
    """What was found for one model, in this process."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        os.environ["WORKBENCH_HOME"] = str(root / "home")
        runs = {backend: built(model, backend, root) for backend in BACKENDS}
        built_runs = {backend: request for backend, request in runs.items() if isinstance(request, RunRequest)}
        found = {backend: searched(request, seconds, root) for backend, request in built_runs.items()}
        lanes = {(b, False): open_lane(r, r.config, root / f"{b}-default", stack) for b, r in built_runs.items()}
        for backend, request in built_runs.items():
            if best := found[backend].best:
                config = with_options(request.config, best)
                lanes[backend, True] = open_lane(request, config, root / f"{backend}-tuned", stack)
        raced(list(lanes.values()), race_seconds)
        row: Row = {
            "model": model.stem,
            "engines": {},
            "rounds": len(next(iter(lanes.values())).rounds) if lanes else 0,
        }
        row["left_out"] = {backend: reason for backend, reason in runs.items() if isinstance(reason, str)}
        for backend in built_runs:
            default, tuned = lanes[backend, False], lanes.get((backend, True), lanes[backend, False])
            words = options_words(found[backend].best)
            row["engines"][backend] = {"options": words, **figures(default, tuned), "error": _error(found[backend])}
        if lanes:
            defaults = [lane for (_, is_tuned), lane in lanes.items() if not is_tuned]
            row["best"] = figures(_fastest(defaults), _fastest(list(lanes.values())))
        return row


def built(model: Path, backend: str, root: Path) -> RunRequest | str:
    """The run with this engine's defaults, or why there is none."""
    request = RunRequest(
        id=f"run-{backend}",
        folder=str(root / f"run-{backend}"),
        model_path=str(model),
        config=BuildConfig(backend=backend),
        recipe=subject_recipe(open_model(model)),
        evaluation="random",
        evaluation_limit=2,
        timing=UNTIMED,
    )
    result = run(request, lambda event: None, lambda: False)
    return request if result.status is Status.DONE else (result.error.message if result.error else "")[:120]


def searched(request: RunRequest, seconds: float, root: Path) -> Tuning:
    job = f"tune-{request.config.backend}"
    return tune(TuneRequest(job, str(root / job), request, seconds), lambda event: None, lambda: False)


def raced(lanes: Sequence[Lane], seconds: float) -> None:
    """Rounds for so many seconds; the first is warm-up."""
    if not lanes:
        return
    with quiet_collector():
        run_round(lanes, lambda: False)
        for lane in lanes:
            lane.forget()
        start = perf_counter()
        while perf_counter() - start < seconds or len(lanes[0].rounds) < LEAST_ROUNDS:
            run_round(lanes, lambda: False)


def figures(default: Lane, tuned: Lane) -> Row:
    """Of the same engine: 1, for nothing is to be compared."""
    found = Speedup(1.0, 1.0, 1.0, len(default.rounds)) if tuned is default else _paired(default, tuned)
    is_slower = found.is_different and found.ratio < 1
    return {**msgspec.to_builtins(found), "default_ms": default.median_ms, "ms": tuned.median_ms, "slower": is_slower}


def _paired(default: Lane, tuned: Lane) -> Speedup:
    return paired_speedup(default.rounds, tuned.rounds)


def _fastest(lanes: Sequence[Lane]) -> Lane:
    return min(lanes, key=lambda lane: lane.median_ms)


def _error(tuning: Tuning) -> str:
    return tuning.error.message if tuning.error else ""


def in_child(model: Path, seconds: float, race_seconds: float) -> Row:
    """A crash of an engine ends one row, not all."""
    words = [sys.executable, "-m", "benchmarks.bench_tuned", "--one", str(model)]
    words += ["--seconds", str(seconds), "--race", str(race_seconds)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return {"model": model.stem, "failed": f"no answer within {TIMEOUT_S} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"model"')]
    last = done.stderr.strip().splitlines()[-1:] or [f"crashed ({done.returncode})"]
    return json.loads(lines[-1]) if lines else {"model": model.stem, "failed": last[0][:160]}


def words_of(row: Row) -> str:
    if "failed" in row:
        return f"{row['model']:<20} {row['failed']}"
    lines = []
    for backend, found in row["engines"].items():
        reason = found["error"] or found["options"]
        lines.append(f"{row['model']:<20} {backend:<14} {_ratio(found)}  {reason}")
    lines += [f"{row['model']:<20} {backend:<14} left out: {reason}" for backend, reason in row["left_out"].items()]
    if "best" in row:
        lines.append(f"{row['model']:<20} {'best of all':<14} {_ratio(row['best'])}")
    return "\n".join(lines)


def _ratio(found: Row) -> str:
    return f"{found['ratio']:.3f}× ({found['low']:.3f}-{found['high']:.3f}){' SLOWER' if found['slower'] else ''}"


def summary(rows: Sequence[Row]) -> str:
    """Geometric means, the worst case, and whether anything became slower beyond noise."""
    cases: dict[str, list[tuple[str, Row]]] = {name: [] for name in (*BACKENDS, "best of all")}
    for row in rows:
        for backend, found in row.get("engines", {}).items():
            cases[backend].append((row["model"], found))
        if "best" in row:
            cases["best of all"].append((row["model"], row["best"]))
    lines = ["", "tuned against default: geometric mean, worst case, slower beyond noise"]
    for name, found in cases.items():
        if found:
            mean = math.exp(sum(math.log(one["ratio"]) for _, one in found) / len(found))
            worst, least = min(found, key=lambda case: case[1]["ratio"])
            slower = [model for model, one in found if one["slower"]]
            is_slower = ", ".join(slower) or "none"
            lines.append(
                f"{name:<14} {mean:.3f}× of {len(found)}; worst {_ratio(least)} ({worst}); slower: {is_slower}"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the search, for each engine")
    parser.add_argument("--race", type=float, default=12.0, help="of the race that is reported")
    parser.add_argument("--out", type=Path, default=Path("tuned.jsonl"))
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(row_of(arguments.models[0], arguments.seconds, arguments.race)))
        return
    lines = arguments.out.read_text().splitlines() if arguments.out.is_file() else []
    rows = {row["model"]: row for row in map(json.loads, lines)}
    models = subjects(arguments.models)
    for model in models:
        if model.stem not in rows:
            rows[model.stem] = in_child(model.absolute(), arguments.seconds, arguments.race)
            with arguments.out.open("a") as file:
                file.write(json.dumps(rows[model.stem]) + "\n")
        print(words_of(rows[model.stem]), flush=True)
    print(summary([rows[model.stem] for model in models]))


if __name__ == "__main__":
    main()
