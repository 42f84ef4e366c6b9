"""Processes that time one engine each and take turns: one is at work, the others wait for a line on their stdin.

A worker prints `ready`, then for each number of seconds that it reads one median latency in ms. What a worker measures
with is the tool's own code; only when it measures is decided here.

python -m benchmarks.turns FOLDER INPUTS.npz BACKEND THREADS    is the worker that measures as this program does
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from workbench.backends.base import load_backend
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, TimingConfig
from workbench.measure.statistics import latency_stats
from workbench.measure.timing import measure_latency
from workbench.pipeline.files import TYPED_FILE, TYPED_MODEL_FILE

STARTS_WITHIN_S = 120.0
ANSWERS_WITHIN_S = 60.0

PLAIN_LOOP = """
import sys, time, numpy as np, onnxruntime as ort
model, inputs, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, ["CPUExecutionProvider"])
binding = session.io_binding()
for name, value in np.load(inputs).items():
    binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value))
for output in session.get_outputs():
    binding.bind_output(output.name, "cpu")
print("ready", flush=True)
for line in sys.stdin:
    session.run_with_iobinding(binding)
    times, end = [], time.perf_counter() + float(line)
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        times.append(time.perf_counter() - start)
    print(1000 * float(np.median(times)), flush=True)
"""

BENCHMARK_APP = """
import sys
sys.modules["openvino_telemetry"] = None
answer, sys.stdout = sys.stdout, sys.stderr
from openvino.tools.benchmark.benchmark import Benchmark
own = Benchmark.main_loop
def in_turns(self, requests, *rest):
    print("ready", file=answer, flush=True)
    for line in sys.stdin:
        requests[0].infer()
        self.duration_seconds = float(line)
        print(own(self, requests, *rest)[1], file=answer, flush=True)
    sys.exit()
Benchmark.main_loop = in_turns
from openvino.tools.benchmark.main import main
main()
"""


class Worker:
    """A context manager: the process ends on leaving. Raises RuntimeError where it does not start or answer."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._read(STARTS_WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def turn(self, seconds: float) -> float:
        """The median latency of one turn, ms."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return float(self._read(seconds + ANSWERS_WITHIN_S))

    def _listen(self) -> None:
        """What it says beside its answers, so that its pipe never fills; the last lines are the reason of a failure."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said = [*self._said[-20:], line.strip()]

    def _read(self, within_s: float) -> str:
        assert self._process.stdout is not None
        guard = threading.Timer(within_s, self._process.kill)
        guard.start()
        line = self._process.stdout.readline().strip()
        guard.cancel()
        if not line:
            self._listener.join(1.0)
            said = [text for text in self._said if text] or ["no answer"]
            self.__exit__(None, None, None)
            raise RuntimeError(said[-1][-160:])
        return line


def ours(folder: Path, inputs: str, backend: str, threads: int) -> None:
    """The worker of this program: its engine of the typed model in `folder`, its protocol, its median."""
    typed = msgspec.structs.replace(read_json(folder / TYPED_MODEL_FILE, TypedModel), path=str(folder / TYPED_FILE))
    with tempfile.TemporaryDirectory() as work:
        engine = load_backend(backend).build(typed, BuildConfig(backend, threads=threads), Path(work), lambda *_: None)
        feeds = [dict(np.load(inputs).items())]
        with engine.runner() as runner:
            _say("ready")
            for line in sys.stdin:
                turn = TimingConfig(0, 1, 0, float(line), 3)
                found = measure_latency(runner, feeds, turn, lambda batch: None, lambda: False)
                _say(str(latency_stats(found).median_ms))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    ours(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
