"""Quantizers of others beside the workbench's own plan: the same samples, the same engines, one table.

python -m benchmarks.bench_quantizers [--backends B,..] [--precisions P,..] [MODEL ...]    the samples without

Each row is a run of `workbench compare`, with every quantizer that is installed (`workbench doctor` lists them): what
was written and ran, error and task metric of the engine's own outputs, time against FP32 in one race.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.precision.quantizers import quantizers
from workbench.resources import sample_models

MODELS = ("digits/digits_resnet.onnx", "fashion/fashion_resnet.onnx", "ocr/ppocrv4_rec.onnx")
BACKENDS = ("openvino", "onnxruntime", "tensorrt_rtx")
PLANS = ("fp32", "fp16", "int8", "fp8", "int8_weights", "int4_weights")
HEAD = """\
| model | engine | plan | nodes | metric | SQNR dB | size MiB | FP32 time / its time |
|---|---|---|---|---|---|---|---|"""


def compared(model: Path, backend: str, precisions: str, seconds: float) -> list[dict[str, Any]]:
    """Rows of one comparison on one backend; FP32 comes first."""
    installed = [one.id for one in quantizers() if not one.reason() and one.precision in precisions.split(",")]
    command = [sys.executable, "-m", "workbench", "compare", str(model), "--json", "--no-baseline"]
    command += ["--backends", backend, "--precisions", precisions, "--method", "mse"]
    command += ["--race-seconds", str(seconds)]
    command += ["--quantizers", ",".join(installed)] if installed else []
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    found: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
    return found


def row(model: Path, run: dict[str, Any]) -> str:
    name, backend = model.stem, run["backend"]
    quantizer = (run["calibration"] or {}).get("quantizer", "")
    plan = f"{run['precision']}{f' by {quantizer}' if quantizer else ''}"
    if run["error"]:
        return f"| {name} | {backend} | {plan} | {run['error']['message'][:110]} | | | | |"
    asked = ", ".join(f"{count} {precision}" for precision, count in run["build"]["asked"].items())
    accuracy, race = run["accuracy"] or {}, run["race"] or {}
    task = accuracy.get("task")
    metric = f"{100 * task['value']:.1f} % {task['metric']}" if task else ""
    error = accuracy.get("worst_sqnr_db")
    speed = f"{race['speedup']:.2f} ({race['low']:.2f}–{race['high']:.2f})" if race else "cannot run here"
    size = run["build"]["size_bytes"] / 2**20
    sqnr = f"{error:.1f}" if error is not None and error < 120 else "exact"
    simulated = " sim." if backend == "tensorrt_rtx" else ""
    return f"| {name} | {backend} | {plan} | {asked} | {metric}{simulated} | {sqnr}{simulated} | {size:.2f} | {speed} |"


def rows(models: list[Path], backends: list[str], precisions: str, seconds: float) -> Iterator[str]:
    for model in models:
        for backend in backends:
            yield from (row(model, run) for run in compared(model, backend, precisions, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="*")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--backends", metavar="B,..", default=",".join(BACKENDS))
    parser.add_argument("--precisions", metavar="P,..", default=",".join(PLANS), help="of plans and quantizers")
    parser.add_argument("--race-seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    lines = [HEAD]
    print(HEAD)
    models = arguments.models or [sample_models() / name for name in MODELS]
    for line in rows(models, arguments.backends.split(","), arguments.precisions, arguments.race_seconds):
        lines.append(line)
        print(line, flush=True)
        if arguments.out is not None:
            arguments.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
