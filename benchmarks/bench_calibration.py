"""Calibration of ResNet-50: memory and time against plain inference, and ONNX Runtime's own calibrators beside it.

python -m benchmarks.bench_calibration [SAMPLES [OF_ONNXRUNTIME]]    96 and 8 without

Each side has a process of its own, so that its peak of memory is its own. Times are CPU time per sample, set-up apart;
two plain processes, one before and one after, say how steady the machine is. All ranges (max, percentile, MSE and
entropy, per tensor and per channel) come out of our one pass; ONNX Runtime needs one for each method.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

INPUT, SHAPE, THREADS = "gpu_0/data_0", (1, 3, 224, 224), 2
WARM = 2
Feed = dict[str, NDArray[np.float32]]


def write_model(path: Path) -> None:
    """ResNet-50 of the onnx wheel, which has no weights, with He's; residual branches scaled down."""
    model = onnx.load(str(Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_resnet50.onnx"))
    graph, rng = model.graph, np.random.default_rng(0)
    sizes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            shape = tuple(int(size) for size in sizes[node.input[0]])
            kept.append(numpy_helper.from_array(_weights(node.output[0], shape, rng), node.output[0]))
    given = [value for value in graph.input if value.name == INPUT]
    for field, values in ((graph.node, nodes), (graph.initializer, kept), (graph.input, given)):
        values = [type(value).FromString(value.SerializeToString()) for value in values]
        del field[:]
        field.extend(values)
    model.ir_version = 4
    onnx.save(model, str(path))


def _weights(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    if len(shape) > 1:
        return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
    if name.endswith("_bn_s_0"):
        return np.full(shape, 0.2 if "branch2c" in name else 1.0, np.float32)
    return np.full(shape, float(name.endswith("_riv_0")), np.float32)


def feeds(count: int) -> Iterator[Feed]:
    rng = np.random.default_rng(1)
    return ({INPUT: rng.standard_normal(SHAPE, dtype=np.float32)} for _ in range(count))


class Clock:
    """CPU time per sample, the first few apart."""

    def __init__(self) -> None:
        self._started, self._done = 0.0, 0

    def tell(self, done: int, _total: int = 0) -> None:
        if done == WARM:
            self._started = time.process_time()
        self._done = done

    @property
    def ms(self) -> float:
        return 1000 * (time.process_time() - self._started) / max(1, self._done - WARM)


def plain(model: Path, samples: int) -> Clock:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    clock = Clock()
    for done, feed in enumerate(feeds(samples), 1):
        session.run(None, feed)
        clock.tell(done)
    return clock


def ours(backend: str) -> Callable[[Path, int], Clock]:
    """INT8 on ONNX Runtime needs ranges of results too."""

    def run(model: Path, samples: int) -> Clock:
        from workbench.backends.base import load_backend
        from workbench.model import open_model
        from workbench.precision import observe

        opened, clock, dialect = open_model(model), Clock(), load_backend(backend).dialect()
        observe(opened, opened.shapes, feeds(samples), total=samples, progress=clock.tell, dialect=dialect)
        return clock

    return run


def amaxes(model: Path, samples: int) -> Clock:
    from workbench.model import open_model
    from workbench.precision import observe_amaxes

    opened, clock = open_model(model), Clock()
    observe_amaxes(opened, opened.shapes, feeds(samples), total=samples, progress=clock.tell, cancelled=lambda: False)
    return clock


def onnxruntime_calibrator(method: str) -> Callable[[Path, int], Clock]:
    """As `quantize_static` uses it: all data first, then the ranges. Its time includes both."""

    def run(model: Path, samples: int) -> Clock:
        from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

        clock = Clock()

        class Reader(CalibrationDataReader):  # type: ignore[misc]
            def __init__(self) -> None:
                self._feeds, self._done = feeds(samples), 0

            def get_next(self) -> Feed | None:
                clock.tell(self._done)
                self._done += 1
                return next(self._feeds, None)

        with tempfile.TemporaryDirectory() as folder:
            calibrator = create_calibrator(
                str(model), ["Conv", "Gemm"], f"{folder}/augmented.onnx", calibrate_method=CalibrationMethod[method]
            )
            calibrator.collect_data(Reader())
            calibrator.compute_data()
        return clock

    return run


SIDES: dict[str, Callable[[Path, int], Clock]] = {
    "plain": plain,
    "ours": ours("openvino"),
    "ours_onnxruntime": ours("onnxruntime"),
    "amaxes": amaxes,
    **{method: onnxruntime_calibrator(method) for method in ("MinMax", "Percentile", "Entropy")},
}


def child(side: str, model: Path, samples: int) -> None:
    clock = SIDES[side](model, samples)
    print(json.dumps({"ms": clock.ms, "mb": peak_mb()}))


def peak_mb() -> float:
    """Of this process alone; `ru_maxrss` would count the parent it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measured(side: str, model: Path, samples: int) -> dict[str, float]:
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, "-m", "benchmarks.bench_calibration", "--child", side, str(model), str(samples)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 96
    of_onnxruntime = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "resnet50.onnx"
        write_model(model)
        before = measured("plain", model, samples)
        one = measured("ours", model, samples)
        more = measured("ours_onnxruntime", model, samples)
        guard = measured("amaxes", model, max(8, samples // 8))
        others = {side: measured(side, model, of_onnxruntime) for side in ("MinMax", "Percentile", "Entropy")}
        after = measured("plain", model, samples)
    base = {key: (before[key] + after[key]) / 2 for key in before}
    print(f"{'':44s}{'samples':>8s}{'CPU ms':>9s}{'ratio':>7s}{'peak MB':>9s}{'over plain':>12s}")
    rows = [
        ("plain inference, before", samples, before),
        ("plain inference, after", samples, after),
        ("ours: all methods, channels, in one pass", samples, one),
        ("ours, for ONNX Runtime's INT8", samples, more),
        ("ours: largest value of every tensor (FP16)", max(8, samples // 8), guard),
        *((f"onnxruntime.quantization {side}", of_onnxruntime, found) for side, found in others.items()),
    ]
    for name, count, found in rows:
        ratio, more = found["ms"] / base["ms"], found["mb"] - base["mb"]
        print(f"{name:44s}{count:8d}{found['ms']:9.1f}{ratio:6.2f}x{found['mb']:9.0f}{more:+11.0f}")


if __name__ == "__main__":
    main()
