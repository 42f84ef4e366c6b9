"""measure_ceilings: what this machine does at most, by small kernels run through the engines at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from workbench.backends.base import Backend, Engine, Feed, Runner, load_backend
from workbench.core.ceilings import Bandwidth, Ceilings, CeilingsRequest, MeasuredCeilings
from workbench.core.collector import quiet_collector
from workbench.core.dialect import How
from workbench.core.errors import WorkbenchError
from workbench.core.graph import LayerKind
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, EngineGraph
from workbench.measure.machine import cpu_model, load_average, physical_cores
from workbench.measure.timing import stop_if
from workbench.model import open_model
from workbench.model.kernels import Kernel, products, triad
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import CEILINGS_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.roofline import layer_work, machine_name
from workbench.pipeline.telling import JobTeller
from workbench.precision import compile_plan

ENGINES = ("openvino", "onnxruntime")  # the first that is here
WORKING_SETS = tuple(kib << 10 for kib in (768, 3072, 12288, 49152, 262144))
"""Of the triad, bytes: in the second-level caches of most processors, in their last one, and past both."""
FLOATS = (Precision.FP32, Precision.BF16, Precision.FP16)
KERNELS = 4  # in each precision
SECONDS, LEAST = 0.2, 3  # of each kernel, and inferences


def measure_ceilings(request: CeilingsRequest, emit: Emit, cancelled: Callable[[], bool]) -> MeasuredCeilings:
    """Bandwidth by a triad over growing working sets, peaks by matrix products and convolutions in every precision.

    Each figure is that of the fastest run: a ceiling is what was reached once. Never raises for what the user can
    cause: then `error` says why.
    """
    return carried_out(
        request,
        CEILINGS_FILE,
        emit,
        lambda folder: _measure(request, folder, JobTeller(request.id, emit, cancelled)),
        lambda error: MeasuredCeilings(request.id, error=error),
    )


def _measure(request: CeilingsRequest, folder: Path, teller: JobTeller) -> MeasuredCeilings:
    backend = _backend()
    counts = tuple(dict.fromkeys(count or physical_cores() for count in request.threads))
    bench = _Bench(backend, folder, teller, len(counts))
    return MeasuredCeilings(request.id, tuple(bench.ceilings(threads) for threads in counts))


def _backend() -> Backend:
    for name in ENGINES:
        backend = load_backend(name)
        if backend.capabilities().can_run:
            return backend
    raise WorkbenchError("No engine that runs on this machine is installed.", "pip install openvino")


class _Bench:
    """Kernels of one engine, timed one after the other."""

    def __init__(self, backend: Backend, folder: Path, teller: JobTeller, counts: int) -> None:
        self._backend, self._folder, self._teller = backend, folder, teller
        self._done, self._total = 0, counts * (len(WORKING_SETS) + KERNELS * (len(FLOATS) + 1))

    def ceilings(self, threads: int) -> Ceilings:
        title = f"{cpu_model()}, {threads} thread{'s' * (threads > 1)}"
        kernels = f"{self._backend.title} {self._backend.capabilities().version}"
        return Ceilings(
            title=title,
            threads=threads,
            bandwidths=tuple(self._bandwidth(size, threads) for size in WORKING_SETS),
            flops=dict(self._peaks(threads)),
            source=f"measured with {kernels}: triad; matrix product and convolution; the fastest run of each",
            load=load_average(),
            measured=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=machine_name(),
        )

    def _bandwidth(self, size: int, threads: int) -> Bandwidth:
        kernel = triad(self._folder, size)
        engine = self._build(kernel, Precision.FP32, threads)
        moved = sum(work.size_bytes or 0 for work in layer_work(EngineGraph(engine.graph, {})).values())
        return Bandwidth(moved / self._fastest(engine, kernel), size)

    def _peaks(self, threads: int) -> Iterator[tuple[Precision, float]]:
        """Only of precisions that the engine really ran in."""
        how = self._backend.dialect().how
        for precision in FLOATS:
            if precision is Precision.FP32 or how.get(precision) is How.HINT:
                yield from self._peak(precision, threads, is_int8=False)
            else:
                self._done += KERNELS
        yield from self._peak(Precision.INT8, threads, is_int8=True)

    def _peak(self, precision: Precision, threads: int, *, is_int8: bool) -> Iterator[tuple[Precision, float]]:
        asked = Precision.FP32 if is_int8 else precision
        found = []
        for kernel in products(self._folder, is_int8=is_int8):
            engine = self._build(kernel, asked, threads)
            if _ran_in(engine, precision):
                found.append(kernel.flops / self._fastest(engine, kernel))
        if found:
            yield precision, max(found)

    def _build(self, kernel: Kernel, asked: Precision, threads: int) -> Engine:
        self._done += 1
        self._teller.progress("time", self._done - 1, self._total, f"{kernel.name} {asked.label}, {threads} threads")
        model = open_model(kernel.path)
        folder = self._folder / f"kernel{self._done}"
        folder.mkdir()
        typed = compile_plan(model, PrecisionPlan(default=asked), self._backend.dialect(), model.shapes, folder, None)
        return self._backend.build(typed, BuildConfig(threads=threads), folder, lambda *_: None)

    def _fastest(self, engine: Engine, kernel: Kernel) -> float:
        """Seconds of the fastest run."""
        feed = _feed(engine)
        with engine.runner() as runner, quiet_collector():
            runner.time(feed)
            return min(self._runs(runner, feed)) / 1e3

    def _runs(self, runner: Runner, feed: Feed) -> Iterator[float]:
        end, count = perf_counter() + SECONDS, 0
        while count < LEAST or perf_counter() < end:
            stop_if(self._teller.cancelled)
            yield runner.time(feed)
            count += 1


def _feed(engine: Engine) -> Feed:
    numbers = np.random.default_rng(0)
    shapes = {name: engine.graph.tensors[name].shape or () for name in engine.graph.inputs}
    return {name: numbers.random([int(dim) for dim in shape], np.float32) for name, shape in shapes.items()}


def _ran_in(engine: Engine, precision: Precision) -> bool:
    ran = {layer.precision for layer in engine.graph.layers if layer.kind is LayerKind.COMPUTE}
    return precision in ran
