"""Errors of layers on models of 1,000 nodes: memory over plain inference, time to the first layers, cost in CPU time.

python -m benchmarks.bench_layer_errors [MODEL.onnx ...]    without models: two generated ones and the OCR sample

Each figure comes from a process of its own: plain inference is ONNX Runtime on the model as it is; the check has the
typed graph already, as after a build. Memory is the peak that the kernel saw of each process; "first" is from the
beginning of the check to the first figures told, by the clock and in CPU time of all threads; on a machine shared with
other work the smaller of both is what counts. "× plain" is CPU time per sample, with all opening of sessions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workbench.core.events import AnyEvent, LayersChecked, LayersListed
from workbench.core.json import read_json, write_json
from workbench.core.model import TypedModel
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.run import BuildConfig, RunRequest, Status, TimingConfig
from workbench.data import open_samples
from workbench.pipeline import run
from workbench.pipeline.building import Built
from workbench.pipeline.files import LAYER_ERRORS_FILE, REQUEST_FILE, TYPED_MODEL_FILE
from workbench.pipeline.layer_checking import check_layers
from workbench.pipeline.record import Record
from workbench.resources import sample_models

SAMPLES = 4
LIMIT_MB = 500.0
LIMIT_FIRST_S = 2.0
NO_TIMING = TimingConfig(0, 0, 0, 0, 0)
Nodes = list[onnx.NodeProto]


def transformer(path: Path, blocks: int = 42, width: int = 384, steps: int = 128) -> Path:
    """Attention and MLP blocks of 24 nodes; 290 MB of weights."""
    random, weights, nodes = np.random.default_rng(1), [], []

    def weight(*shape: int) -> str:
        name = f"w{len(weights)}"
        values = random.standard_normal(shape, dtype=np.float32) / np.sqrt(shape[0])
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def add(op: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [f"t{len(nodes)}"], **attributes))
        return f"t{len(nodes) - 1}"

    weights.append(numpy_helper.from_array(np.array([1, steps, 6, width // 6]), "heads"))
    weights.append(numpy_helper.from_array(np.array([1, steps, width]), "flat"))
    weights.append(numpy_helper.from_array(np.float32((width // 6) ** -0.5), "scale"))
    x = "x"
    for _ in range(blocks):
        h = add("LayerNormalization", x, weight(width), weight(width))
        q, k, v = (add("Reshape", add("MatMul", h, weight(width, width)), "heads") for _ in range(3))
        q, v = (add("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
        scores = add("Mul", add("MatMul", q, add("Transpose", k, perm=[0, 2, 3, 1])), "scale")
        mixed = add("Transpose", add("MatMul", add("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        x = add("Add", x, add("MatMul", add("Reshape", mixed, "flat"), weight(width, width)))
        h = add("LayerNormalization", x, weight(width), weight(width))
        h = add("MatMul", add("Relu", add("MatMul", h, weight(width, 4 * width))), weight(4 * width, width))
        x = add("Add", x, h)
    return saved(path, nodes, weights, x, [1, steps, width])


def convolutions(path: Path, blocks: int = 200, channels: int = 64, side: int = 56) -> Path:
    """Residual blocks of 5 nodes; 800 MB of tensors if all were kept."""
    random, weights, nodes, x = np.random.default_rng(2), [], [], "x"
    for i in range(blocks):
        names = [f"{part}{i}" for part in "abcdy"]
        for conv in "vw":
            values = random.standard_normal((channels, channels, 3, 3), dtype=np.float32) * 0.03
            weights.append(numpy_helper.from_array(values.astype(np.float32), f"{conv}{i}"))
        nodes += [
            helper.make_node("Conv", [x, f"v{i}"], [names[0]], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [names[0]], [names[1]]),
            helper.make_node("Conv", [names[1], f"w{i}"], [names[2]], pads=[1, 1, 1, 1]),
            helper.make_node("Add", [names[2], x], [names[3]]),
            helper.make_node("Relu", [names[3]], [names[4]]),
        ]
        x = names[4]
    return saved(path, nodes, weights, x, [1, channels, side, side])


def saved(path: Path, nodes: Nodes, weights: Sequence[TensorProto], output: str, shape: list[int]) -> Path:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        path.stem,
        [value("x", TensorProto.FLOAT, shape)],
        [value(output, TensorProto.FLOAT, None)],
        list(weights),
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def request_of(model: Path, folder: Path, precision: Precision) -> RunRequest:
    """A run on the backend that computes nothing: what is wanted of it is the typed graph."""
    plan = PrecisionPlan(precision, calibration=Calibration(CalibrationMethod.MAX, samples=2))
    return RunRequest(
        id="bench-0001",
        folder=str(folder),
        model_path=str(model),
        config=BuildConfig("null", plan, threads=1),
        calibration="random",
        evaluation="random",
        evaluation_limit=SAMPLES,
        timing=NO_TIMING,
    )


def build(folder: Path) -> dict[str, Any]:
    result = run(read_json(folder / REQUEST_FILE, RunRequest), lambda event: None, lambda: False)
    assert result.status is Status.DONE, result.error
    return {}


def plain(folder: Path) -> dict[str, Any]:
    import onnxruntime

    request, typed = read_json(folder / REQUEST_FILE, RunRequest), read_json(folder / TYPED_MODEL_FILE, TypedModel)
    samples = open_samples("random", typed.model, request.recipe, typed.shapes, limit=SAMPLES)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(request.model_path, options, providers=["CPUExecutionProvider"])
    session.run(None, samples.feed(0))
    start = time.process_time()
    for feed in samples:
        session.run(None, feed)
    return {"cpu_s": (time.process_time() - start) / SAMPLES}


def layers(folder: Path) -> dict[str, Any]:
    request, typed = read_json(folder / REQUEST_FILE, RunRequest), read_json(folder / TYPED_MODEL_FILE, TypedModel)
    told: list[tuple[str, float, float]] = []

    def emit(event: AnyEvent) -> None:
        if isinstance(event, LayersListed | LayersChecked):
            told.append((type(event).__name__, time.perf_counter(), time.process_time()))

    asked = msgspec.structs.replace(request, layer_samples=SAMPLES)
    record = Record(asked, emit, lambda: False)
    samples = open_samples("random", typed.model, request.recipe, typed.shapes, limit=SAMPLES)
    start = time.perf_counter(), time.process_time()
    check_layers(record, Built(typed.model, typed.shapes, typed, None), samples, {})  # type: ignore[arg-type]
    end = time.process_time()
    first = next(moment for moment in told if moment[0] == "LayersChecked")
    return {
        "first_s": first[1] - start[0],
        "first_cpu_s": first[2] - start[1],
        "cpu_s": (end - start[1]) / SAMPLES,
        "layers": len(json.loads((folder / LAYER_ERRORS_FILE).read_bytes())["tensors"]),
    }


STEPS = {"build": build, "plain": plain, "layers": layers}


def peak_mb() -> float:
    """Of this process since it began; `ru_maxrss` would be the parent's at least."""
    status = Path("/proc/self/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def in_a_process(step: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_layer_errors", "--step", step, str(folder)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def measure(model: Path, precision: Precision, folder: Path) -> bool:
    """Prints a row; whether both limits hold."""
    folder.mkdir()
    write_json(folder / REQUEST_FILE, request_of(model, folder, precision))
    in_a_process("build", folder)
    base, check = in_a_process("plain", folder), in_a_process("layers", folder)
    over = check["peak_mb"] - base["peak_mb"]
    holds = over <= LIMIT_MB and min(check["first_s"], check["first_cpu_s"]) <= LIMIT_FIRST_S
    print(
        f"{model.stem:<14} {precision.label:<6} {check['layers']:>6} {base['peak_mb']:>9.0f} {check['peak_mb']:>9.0f}"
        f" {over:>+8.0f} {check['first_s']:>8.2f} {check['first_cpu_s']:>8.2f} {check['cpu_s'] / base['cpu_s']:>8.1f}"
        f"   {'holds' if holds else 'TOO MUCH'}",
        flush=True,
    )
    return holds


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--step"]:
        result = STEPS[arguments[1]](Path(arguments[2]))
        print(json.dumps(result | {"peak_mb": peak_mb()}))
        return 0
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as name:
        root = Path(name)
        models = [Path(argument).absolute() for argument in arguments] or [
            transformer(root / "transformer.onnx"),
            convolutions(root / "convolutions.onnx"),
            sample_models() / "ocr" / "ppocrv4_rec.onnx",
        ]
        print("model          plan   layers  plain MB  check MB     over  first s  (CPU s)  × plain")
        cases = [(model, precision) for model in models for precision in (Precision.INT8, Precision.FP16)]
        held = [measure(model, precision, root / f"run{i}") for i, (model, precision) in enumerate(cases)]
        return int(not all(held))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
