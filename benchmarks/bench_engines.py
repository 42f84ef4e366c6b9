"""Every model for every target in every precision by TensorRT for RTX: what came out, or the reason it did not.

python -m benchmarks.bench_engines [MODEL.onnx ...] [--precisions P,..] [--targets T,..] [--out FILE.jsonl] [--rows N]
                                   [--work FOLDER] [--markdown FILE.md]

Models are the light ones of the onnx wheel with weights (benchmarks/light.py), the samples, and those of the folder
that WORKBENCH_REAL_MODELS names, by size. Each row is one build in a fresh process and is written to FILE.jsonl at
once: a second call goes on where the first ended, and `--rows` ends one early. Every ninth engine is built twice, to
see whether its bytes are the same. Nothing is timed but the build; engines are not kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.engines_table import document
from benchmarks.light import light_models, with_weights
from benchmarks.subjects import subject_recipe
from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.json import read_json, write_json
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig
from workbench.data import fixed_inputs, open_samples, recipe_shapes
from workbench.measure.machine import peak_rss_bytes
from workbench.model import open_model
from workbench.pipeline.before_build import check_can_build
from workbench.pipeline.building import describe
from workbench.precision import compile_plan, observe
from workbench.resources import sample_models

BACKEND = "tensorrt_rtx"
PRECISIONS = (Precision.FP32, Precision.FP16, Precision.INT8, Precision.FP8, Precision.INT4_WEIGHTS)
TARGETS = ("sm89", "sm86", "sm120")
SAMPLES = 2  # of calibration: ranges need not be good here
TIMEOUT_S = 900
AGAIN = 9
Row = dict[str, Any]


def make_row(model: str, precision: Precision, target: str, folder: Path) -> Row:
    """One build, in this process. `folder` keeps the typed ONNX for all targets; with the target "" it is written."""
    backend = load_backend(BACKEND)
    config = BuildConfig(backend=BACKEND, plan=PrecisionPlan(precision), target=target)
    row: Row = {"status": "refused before the build"}
    try:
        check_can_build(backend, config)
        typed = _typed(Path(model), config.plan, folder)
        if not target:
            return {"status": "typed"}
        row = {"status": "refused by TensorRT"}
        start = perf_counter()
        with tempfile.TemporaryDirectory(dir=folder) as made:
            engine = backend.build(typed, config, Path(made), lambda *report: None)
            seconds = perf_counter() - start
            built = describe(typed, engine, {})
            data = engine.artefact.read_bytes() if engine.artefact else b""
    except WorkbenchError as error:
        return row | {"reason": one_line(error.message, 240), "hint": one_line(error.hint, 200)}
    return {
        "status": "built",
        "is_cnn": _is_cnn(typed.model),
        "nodes": built.source_nodes,
        "layers": built.layers,
        "size": built.size_bytes,
        "memory": built.memory,
        "mapped": built.mapped,
        "exact": built.mapped_exact,
        "ran": built.precisions,
        "seconds": round(seconds, 2),
        "peak_rss": peak_rss_bytes(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": hashlib.sha256(np.bincount(np.frombuffer(data, np.uint8), minlength=256).tobytes()).hexdigest(),
        "versions": built.versions,
    }


def _typed(path: Path, plan: PrecisionPlan, folder: Path) -> TypedModel:
    """The plan written into the ONNX once for all targets. Raises WorkbenchError."""
    known = folder / "typed.json"
    if known.is_file():
        return read_json(known, TypedModel)
    model = open_model(path)
    recipe = subject_recipe(model)
    shapes = recipe_shapes(model, recipe)
    fixed = fixed_inputs(model, recipe, shapes)
    seen = None
    if plan.needs_calibration:
        samples = open_samples(recipe.calibration or "random", model, recipe, shapes, limit=SAMPLES)
        seen = observe(model, shapes, list(islice(samples, SAMPLES)), total=SAMPLES, fixed=fixed)
    typed = compile_plan(model, plan, load_backend(BACKEND).dialect(), shapes, folder, seen, fixed)
    write_json(known, typed)
    return typed


def _is_cnn(model: Model) -> bool:
    """Nearly all that has weights is a convolution, and nothing decides at run time what is computed."""
    ops = [layer.op for layer in model.graph.walk()]
    products = sum(op in ("MatMul", "Gemm", "LSTM", "GRU", "Conv", "ConvTranspose") for op in ops)
    return products > 0 and "If" not in ops and ops.count("Conv") + ops.count("ConvTranspose") >= 0.8 * products


def wanted(models: Iterable[Path], arguments: argparse.Namespace) -> Iterator[tuple[Path, Precision]]:
    for model in models:
        for precision in arguments.precisions:
            yield model, precision


def find_models(work: Path) -> list[Path]:
    """The smallest network first."""
    real = os.environ.get("WORKBENCH_REAL_MODELS", "")
    more = sorted(Path(real).glob("*.onnx"), key=lambda path: path.stat().st_size) if real else []
    samples = sorted(sample_models().glob("*/*.onnx"))
    names = {path.name for path in samples}
    others = [path for path in more if path.name not in names]
    return [*samples, *others, *(with_weights(path, work) for path in light_models())]


def in_child(model: Path, precision: Precision, target: str, folder: Path) -> Row:
    """The row, from a process of its own: a failed TensorRT build would spoil the next, a crash would end all."""
    words = [sys.executable, "-m", "benchmarks.bench_engines", "--one", str(model), precision, target, str(folder)]
    head = {"model": model.stem, "precision": precision.value, "target": target}
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return head | {"status": "no answer", "reason": f"no answer within {TIMEOUT_S} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"status"')]
    if not lines:
        return head | {"status": "crashed", "reason": one_line(f"{done.returncode}: {done.stderr[-300:]}", 300)}
    return head | json.loads(lines[-1])


def key(row: Row) -> tuple[str, ...]:
    return row["model"], row["precision"], row["target"]


def main() -> None:
    arguments = _arguments()
    if arguments.one:
        model, precision, target, folder = arguments.one
        print(json.dumps(make_row(model, Precision(precision), target, Path(folder))), flush=True)
        os._exit(0)  # no static destructors of engines
    arguments.work.mkdir(parents=True, exist_ok=True)
    lines = arguments.out.read_text().splitlines() if arguments.out.is_file() else []
    rows = {key(row): row for row in map(json.loads, lines)}
    models = arguments.models or find_models(arguments.work)
    left = arguments.rows
    for model, precision in wanted(models, arguments):
        missing = [t for t in arguments.targets if (model.stem, precision.value, t) not in rows]
        if left >= 0:
            missing = missing[:left]
            left -= len(missing)
        for row in _rows(model, precision, missing, arguments.work):
            rows[key(row)] = row
            with arguments.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), file=sys.stderr, flush=True)
    text = document(list(rows.values()))
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    print(text)


def _rows(model: Path, precision: Precision, targets: Sequence[str], work: Path) -> Iterator[Row]:
    if not targets:
        return
    with tempfile.TemporaryDirectory(dir=work) as folder:
        typed = in_child(model, precision, "", Path(folder))  # whose memory is not that of a build
        for target in targets:
            row = in_child(model, precision, target, Path(folder)) if typed["status"] == "typed" else typed
            row = row | {"target": target}
            if row["status"] == "built" and int(row["bytes"], 16) % AGAIN == 0:
                row["again"] = _again(row, in_child(model, precision, target, Path(folder)))
            yield row


def _again(first: Row, second: Row) -> str:
    """How a second build came out: TensorRT lists inputs and outputs in the order of a hash of addresses."""
    if second.get("sha256") == first["sha256"]:
        return "same bytes"
    return "same bytes in another order" if second.get("bytes") == first["bytes"] else "other bytes"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--precisions", type=_precisions, default=PRECISIONS)
    parser.add_argument("--targets", type=lambda text: tuple(text.split(",")), default=TARGETS)
    parser.add_argument("--out", type=Path, default=Path("bench-engines.jsonl"))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "bench-engines")
    parser.add_argument("--rows", type=int, default=-1, help="at most so many new rows")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def _precisions(text: str) -> tuple[Precision, ...]:
    return tuple(Precision(word) for word in text.split(","))


if __name__ == "__main__":
    main()
