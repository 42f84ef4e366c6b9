"""Every precision on every backend: accepted, what ran in it, output error, size and time; INT8 against other tools.

python -m benchmarks.bench_plans [MODEL.onnx ...] [--precisions P,..] [--backends B,..] [--rivals ort,ort_trt,nncf]
                                 [--out FILE.jsonl] [--rows N] [--markdown FILE.md]

Models are the samples without arguments; WORKBENCH_REAL_MODELS names a folder of more. Each row is made in a fresh
process and written to FILE.jsonl at once: a second call goes on where the first ended, and `--rows` ends one early.
Of two models whose files have one name, the first counts. `--markdown` writes the table with its conditions.
The SQNR is that of the file as written (ONNX Runtime, optimisations off) over the evaluation set, all outputs
together. Time is CPU time of inferences that take turns with FP32 on the same backend, so that a busy machine matters
little; there is none where the engine does not run here. NNCF needs WORKBENCH_NNCF_PYTHON or to be importable.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from workbench.backends.base import Engine, Feed, Runner, load_backend
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.graph import LayerKind
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.recipe import Recipe
from workbench.core.run import BuildConfig
from workbench.data import fixed_inputs, open_samples, read_recipe, recipe_shapes
from workbench.measure.reference import Reference
from workbench.model import open_model
from workbench.pipeline.before_build import check_can_build
from workbench.precision import compile_plan, observe, without_halves
from workbench.precision.passes.lift_opset import lift_opset
from workbench.precision.quantizers import find_quantizer, run_quantizer
from workbench.resources import sample_models

CALIBRATION, EVALUATION = 32, 16
ROUNDS = 15
TIMEOUT_S = 300
BACKENDS = ("openvino", "onnxruntime", "tensorrt_rtx")
RIVALS = {"ort": "ort:int8", "ort_trt": "ort:int8_tensorrt", "nncf": "nncf:int8"}
SAMPLES = ("fashion/fashion_resnet.onnx", "digits/digits_resnet.onnx", "ocr/ppocrv4_rec.onnx")
TARGETS = {Precision.FP4_WEIGHTS: "sm120"}
Row = dict[str, Any]


class Subject:
    """A model with its samples, shapes and fixed inputs."""

    def __init__(self, path: Path, recipe: Recipe | None = None) -> None:
        self.model: Model = open_model(path)
        self.recipe = recipe or read_recipe(self.model)
        self.shapes = recipe_shapes(self.model, self.recipe)
        self.fixed = fixed_inputs(self.model, self.recipe, self.shapes)

    def feeds(self, source: str, count: int) -> list[Feed]:
        samples = open_samples(source or "random", self.model, self.recipe, self.shapes, limit=count)
        return list(islice(samples, count))


def make_row(model: str, tool: str, precision: Precision, backend_id: str) -> Row:
    """One row, in this process. `tool` is `workbench` or one of the rivals."""
    subject, backend = Subject(Path(model)), load_backend(backend_id)
    plan, target = PrecisionPlan(precision), TARGETS.get(precision, "") if backend_id == "tensorrt_rtx" else ""
    config = BuildConfig(backend=backend_id, plan=plan, threads=1, target=target)
    row: Row = {"model": Path(model).stem, "tool": tool, "precision": precision.value, "backend": backend_id}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            check_can_build(backend, config)
            if tool == "workbench":
                typed = _typed(subject, plan, backend_id, folder / "typed")
            else:
                made = _by_rival(tool, subject, folder)
                typed = _typed(Subject(made, subject.recipe), PrecisionPlan(), backend_id, folder / "typed")
            row |= {"size": Path(typed.path).stat().st_size, "sqnr_db": _sqnr_db(subject, typed)}
            engine = backend.build(typed, config, folder, lambda *report: None)
        except WorkbenchError as error:
            return row | {"accepted": False, "reason": one_line(error.message, 160)}
        row |= {"accepted": True, **_layers(engine, precision), "engine": engine.size_bytes}
        return row | _time(subject, engine, backend_id, folder)


def _by_rival(tool: str, subject: Subject, folder: Path) -> Path:
    """The INT8 model that another tool makes with its defaults. Raises WorkbenchError with its last words."""
    base, _ = lift_opset(onnx.load(subject.model.path))  # scales along an axis came with opset 13
    feeds = subject.feeds(subject.recipe.calibration, CALIBRATION)
    made = run_quantizer(find_quantizer(RIVALS[tool]), base, feeds, (), folder / tool, lambda line: None, lambda: False)
    path = folder / f"{tool}.onnx"
    onnx.save(made, path)
    return path


def _typed(subject: Subject, plan: PrecisionPlan, backend_id: str, folder: Path) -> TypedModel:
    seen, dialect = None, load_backend(backend_id).dialect()
    if plan.needs_calibration:
        feeds = subject.feeds(subject.recipe.calibration, CALIBRATION)
        seen = observe(subject.model, subject.shapes, feeds, total=len(feeds), fixed=subject.fixed, dialect=dialect)
    return compile_plan(subject.model, plan, dialect, subject.shapes, folder, seen, subject.fixed)


def _sqnr_db(subject: Subject, typed: TypedModel) -> float | None:
    """Signal over error of the worst float output, where the model gives numbers other than zero; None where it cannot
    run, or gives none."""
    feeds = subject.feeds(subject.recipe.evaluation, EVALUATION)
    try:
        with Reference(subject.model.path) as reference, Reference(without_halves(typed.path) or typed.path) as exact:
            pairs = [(reference.infer(feed), exact.infer(feed)) for feed in feeds]
    except WorkbenchError:
        return None
    found = []
    for name in [name for name, values in pairs[0][0].items() if values.dtype.kind == "f"]:
        expected = np.concatenate([first[name].ravel() for first, _ in pairs]).astype(np.float64)
        got = np.concatenate([second[name].ravel() for _, second in pairs]).astype(np.float64)
        numbers = np.isfinite(expected)
        if not expected[numbers].any():
            continue
        signal, error = (float((v[numbers] ** 2).sum()) for v in (expected, got - np.where(numbers, expected, 0.0)))
        found.append(200.0 if error == 0.0 else 10 * float(np.log10(max(signal, 1e-30) / error)))
    return round(min(found), 2) if found else None


def _layers(engine: Engine, precision: Precision) -> Row:
    """Layers, reformats among them, and the share of Conv, MatMul and Gemm layers that ran in what was asked."""
    layers = list(engine.graph.walk())
    kinds = Counter(layer.kind for layer in layers)
    ran = Counter(layer.precision for layer in layers if layer.kind is LayerKind.COMPUTE)
    return {
        "layers": len(layers),
        "reformats": kinds[LayerKind.REFORMAT],
        "in_precision": ran[precision],
        "compute": kinds[LayerKind.COMPUTE],
    }


def _time(subject: Subject, engine: Engine, backend_id: str, folder: Path) -> Row:
    """CPU time of FP32 over that of this engine, inferences taking turns; {} where it does not run here."""
    feed = subject.feeds(subject.recipe.evaluation, 1)[0]
    config = BuildConfig(backend=backend_id, threads=1)
    try:
        base = _typed(subject, PrecisionPlan(), backend_id, folder / "fp32")
        other = load_backend(backend_id).build(base, config, folder / "fp32", lambda *report: None)
        with other.runner() as first, engine.runner() as second:
            times = [(_cpu(first, feed), _cpu(second, feed)) for _ in range(ROUNDS)]
    except WorkbenchError:
        return {}
    ours, theirs = (float(np.median(column)) for column in zip(*times[2:], strict=True))
    return {"time_ratio": round(ours / theirs, 3)} if theirs else {}


def _cpu(runner: Runner, feed: Feed) -> float:
    """CPU seconds an inference, over at least 20 ms."""
    start, count = time.process_time(), 0
    while time.process_time() - start < 0.02:
        runner.time(feed)
        count += 1
    return (time.process_time() - start) / count


def wanted(arguments: argparse.Namespace) -> Iterator[tuple[str, str, Precision, str]]:
    """Every row: ours in all precisions, the rivals in INT8 where an engine is built from their file."""
    for model in arguments.models or _models():
        for precision in arguments.precisions:
            for backend in arguments.backends:
                yield str(model), "workbench", precision, backend
        if Precision.INT8 in arguments.precisions:
            yield from ((str(model), tool, Precision.INT8, b) for tool in arguments.rivals for b in arguments.backends)


def _models() -> list[Path]:
    real = os.environ.get("WORKBENCH_REAL_MODELS", "")
    more = sorted(Path(real).glob("*.onnx")) if real else []
    return [*(sample_models() / name for name in SAMPLES), *more]


def key(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("model", "tool", "precision", "backend"))


def in_child(model: str, tool: str, precision: Precision, backend: str) -> Row:
    """The row, from a process of its own: a failed TensorRT build would spoil the next, a crash would end all."""
    words = [sys.executable, "-m", "benchmarks.bench_plans", "--one", model, tool, precision.value, backend]
    empty = {"model": Path(model).stem, "tool": tool, "precision": precision.value, "backend": backend}
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return empty | {"accepted": False, "reason": f"no answer within {TIMEOUT_S} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"model"')]
    return json.loads(lines[-1]) if lines else empty | {"accepted": False, "reason": f"crashed ({done.returncode})"}


def table(rows: Sequence[Row]) -> str:
    """Markdown; then, for INT8, who has the better SQNR on average and who is accepted."""
    lines = [
        "| model | tool | precision | backend | ran so | layers | reformats | SQNR dB | MiB | FP32 time / its |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        head = f"| {row['model']} | {row['tool']} | {Precision(row['precision']).label} | {row['backend']} |"
        if not row["accepted"]:
            lines.append(f"{head} refused: {row['reason']} | | | {_figure(row.get('sqnr_db'), 1)} | | |")
            continue
        lines.append(
            f"{head} {row['in_precision']} of {row['compute']} | {row['layers']} | {row['reformats']} "
            f"| {_figure(row['sqnr_db'], 1)} | {row['size'] / 2**20:.2f} | {_figure(row.get('time_ratio'), 2)} |"
        )
    return "\n".join([*lines, "", *_verdict(rows)])


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _verdict(rows: Sequence[Row]) -> Iterator[str]:
    """Only over models for which both have a figure."""
    found = {key(row): row for row in rows if row["precision"] == Precision.INT8}
    for backend in BACKENDS:
        yield from _against_the_best(found, backend)
        for tool in RIVALS:
            pairs = [
                (ours, theirs)
                for (model, name, precision, where), theirs in found.items()
                if name == tool and where == backend and (ours := found.get((model, "workbench", precision, where)))
            ]
            yield from _against(tool, backend, pairs)


def _against_the_best(found: Mapping[tuple[str, ...], Row], backend: str) -> Iterator[str]:
    """The mean SQNR, which is that of geometric means, where the backend takes ours and any of theirs."""
    pairs = []
    for model in dict.fromkeys(name for name, *_ in found):
        ours, *theirs = (found.get((model, tool, Precision.INT8, backend), {}) for tool in ("workbench", *RIVALS))
        figures = [row["sqnr_db"] for row in theirs if row.get("accepted") and row.get("sqnr_db") is not None]
        if ours.get("accepted") and ours.get("sqnr_db") is not None and figures:
            pairs.append((ours["sqnr_db"], max(figures)))
    if pairs:
        mean, best = np.mean(pairs, axis=0)
        wins = sum(a >= b for a, b in pairs)
        yield (
            f"- INT8 on {backend} against the best of the others that it takes, by model: mean SQNR {mean:.1f} "
            f"to {best:.1f} dB, ours the higher in {wins} of {len(pairs)}."
        )


def _against(tool: str, backend: str, pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    taken = [sum(side[i]["accepted"] for side in pairs) for i in (0, 1)]
    figures = [(a.get("sqnr_db"), b.get("sqnr_db")) for a, b in pairs]
    errors = [(a, b) for a, b in figures if a is not None and b is not None]
    times = [(a["time_ratio"], b["time_ratio"]) for a, b in pairs if "time_ratio" in a and "time_ratio" in b]
    if not pairs:
        return
    text = f"- INT8 on {backend} against {tool}: accepted {taken[0]} to {taken[1]} of {len(pairs)}"
    if errors:
        text += f"; mean SQNR {np.mean([a for a, _ in errors]):.1f} to {np.mean([b for _, b in errors]):.1f} dB"
    if times:
        ratio = float(np.exp(np.mean([np.log(a / b) for a, b in times])))
        text += f"; our time is {1 / ratio:.2f} of theirs (geometric mean)"
    yield f"{text}."


def main() -> None:
    arguments = _arguments()
    if arguments.one:
        model, tool, precision, backend = arguments.one
        print(json.dumps(make_row(model, tool, Precision(precision), backend)), flush=True)
        os._exit(0)  # no static destructors of engines
    known = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.is_file() else []
    rows = {key(row): row for row in known}
    left = arguments.rows
    for model, tool, precision, backend in wanted(arguments):
        if (Path(model).stem, tool, precision.value, backend) in rows or not left:
            continue
        left -= 1
        row = in_child(model, tool, precision, backend)
        rows[key(row)] = row
        with arguments.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr, flush=True)
    order = list(dict.fromkeys((Precision.INT8, *Precision)))
    text = table(sorted(rows.values(), key=lambda row: order.index(row["precision"])))
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(f"{_conditions()}\n{text}\n", encoding="utf-8")


def _conditions() -> str:
    """What a reader must know of the figures."""
    return (
        "# Precisions and backends\n\n"
        f"Made by `bench_plans.py`: {CALIBRATION} calibration samples for every tool, {EVALUATION} for the SQNR, "
        f"{ROUNDS} rounds for the time, on {os.cpu_count()} cores with a load of {os.getloadavg()[2]:.0f}. Models "
        "without a recipe get random inputs. 'ran so' is the share of computing layers that ran in the precision; "
        "TensorRT for RTX builds for `sm89` and does not run here, so that its time is not known.\n"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--precisions", type=_precisions, default=tuple(Precision))
    parser.add_argument("--backends", type=lambda text: text.split(","), default=BACKENDS)
    parser.add_argument("--rivals", type=lambda text: [t for t in text.split(",") if t], default=list(RIVALS))
    parser.add_argument("--out", type=Path, default=Path("bench-plans.jsonl"))
    parser.add_argument("--rows", type=int, default=-1, help="at most so many new rows")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def _precisions(text: str) -> tuple[Precision, ...]:
    return tuple(Precision(word) for word in text.split(","))


if __name__ == "__main__":
    main()
