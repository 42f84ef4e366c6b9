"""Throughput: several runners of one engine at work at once, each fed anew the moment it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from time import perf_counter, sleep

import msgspec
import numpy as np

from workbench.backends.base import Feed, Runner
from workbench.core.collector import quiet_collector
from workbench.core.errors import WorkbenchError
from workbench.core.run import Throughput, TimingConfig
from workbench.measure.statistics import bootstrap
from workbench.measure.timing import stop_if

POLL_S = 0.02


class Loaded(msgspec.Struct, frozen=True):
    """Latencies in ms of all streams, stream after stream, while all were at work; and the throughput then."""

    latencies_ms: list[float]
    throughput: Throughput


def measure_throughput(
    runners: Sequence[Runner], feeds: Sequence[Feed], config: TimingConfig, cancelled: Callable[[], bool]
) -> Loaded:
    """A thread for each runner, as a server has one for each request: inference waits in the engine, not in Python.

    Each stream has one input, bound before time is taken. All warm up together; what ends in the phase that begins
    when the last of them is warm counts, and no stream ends before the phase does, so that the load is whole all the
    time. The rate is streams over the mean time from one completion to the next of the same stream; its interval is
    the bootstrap's over these times. Raises Cancelled, and what a runner raises.
    """
    if not feeds:
        raise WorkbenchError("There is no input to time with.", "Give a sample set with at least one sample.")
    with quiet_collector():
        streams = [_Stream(runner, feeds[index % len(feeds)], config) for index, runner in enumerate(runners)]
        try:
            for stream in streams:
                stream.start()
            _until(lambda: all(stream.is_warm.is_set() for stream in streams), streams, cancelled)
            begin = perf_counter()
            wanted = config.min_iterations + 1
            _until(
                lambda: (
                    perf_counter() - begin >= config.seconds
                    and all(stream.ended_since(begin, wanted) for stream in streams)
                ),
                streams,
                cancelled,
            )
            end = perf_counter()
        finally:
            for stream in streams:
                stream.leave.set()
            for stream in streams:
                stream.join()
    return _loaded([stream.between(begin, end) for stream in streams])


def _until(condition: Callable[[], bool], streams: Sequence[_Stream], cancelled: Callable[[], bool]) -> None:
    while not condition():
        stop_if(cancelled)
        for stream in streams:
            if stream.error is not None:
                raise stream.error
        sleep(POLL_S)


def _loaded(streams: Sequence[Sequence[tuple[float, float]]]) -> Loaded:
    """From the ends (seconds) and latencies (ms) of each stream."""
    cycles = np.asarray([b - a for done in streams for (a, _), (b, _) in pairwise(done)])
    count = len(streams)
    low, high = bootstrap(cycles, lambda drawn: count / float(drawn.mean()))
    return Loaded(
        [ms for done in streams for _, ms in done], Throughput(count / float(cycles.mean()), low, high, count)
    )


class _Stream(threading.Thread):
    """Infers until it is asked to leave; `done` has the end and the latency of each inference."""

    def __init__(self, runner: Runner, feed: Feed, config: TimingConfig) -> None:
        super().__init__(name="stream", daemon=True)
        self._runner, self._feed, self._config = runner, feed, config
        self.is_warm, self.leave = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self._done: list[tuple[float, float]] = []

    def run(self) -> None:
        try:
            self._infer()
        except Exception as error:  # noqa: BLE001  the border of a thread: it is raised where the measurement waits
            self.error = error

    def _infer(self) -> None:
        start, config = perf_counter(), self._config
        while not self.leave.is_set():
            took = self._runner.time(self._feed)
            now = perf_counter()
            self._done.append((now, took))
            if len(self._done) >= config.warmup_iterations and (now - start) * 1000 >= config.warmup_ms:
                self.is_warm.set()

    def ended_since(self, begin: float, count: int) -> bool:
        """Whether so many inferences ended since then."""
        return len(self._done) >= count and self._done[-count][0] >= begin

    def between(self, begin: float, end: float) -> list[tuple[float, float]]:
        return [(at, ms) for at, ms in self._done if begin <= at <= end]
