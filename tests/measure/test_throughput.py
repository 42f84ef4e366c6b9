from __future__ import annotations

import threading
import time
from types import TracebackType

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.backends.base import Feed, Runner
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.run import TimingConfig
from workbench.measure.throughput import measure_throughput

CONFIG = TimingConfig(warmup_ms=0, warmup_iterations=2, seconds=0.1, min_iterations=6)
FEEDS = [{"x": np.full(1, i)} for i in range(2)]


class Sleeper(Runner):
    """Takes its time without work; remembers its inputs and in which thread it ran."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.inputs: set[int] = set()
        self.threads: set[int] = set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        return {}

    def time(self, feed: Feed) -> float:
        if self.fails:
            raise WorkbenchError("The engine failed.")
        self.inputs.add(int(feed["x"][0]))
        self.threads.add(threading.get_ident())
        time.sleep(0.004)
        return 4.0


def alive() -> int:
    return sum(thread.name == "stream" for thread in threading.enumerate())


def test_streams_are_at_work_at_once_each_with_its_own_input() -> None:
    runners = [Sleeper(), Sleeper(), Sleeper()]
    found = measure_throughput(runners, FEEDS, CONFIG, lambda: False)
    assert found.throughput.streams == 3
    assert [runner.inputs for runner in runners] == [{0}, {1}, {0}]
    assert len({thread for runner in runners for thread in runner.threads}) == 3
    assert found.throughput.low <= found.throughput.per_second <= found.throughput.high
    assert found.throughput.per_second <= 3 / 0.004  # none of them is ever quicker than it sleeps
    assert set(found.latencies_ms) == {4.0} and len(found.latencies_ms) >= 18
    assert alive() == 0


@pytest.mark.parametrize("way", ["fails", "cancelled"])
def test_whatever_ends_it_no_thread_is_left(way: str) -> None:
    runners = [Sleeper(), Sleeper(fails=way == "fails")]
    with pytest.raises(WorkbenchError if way == "fails" else Cancelled):
        measure_throughput(runners, FEEDS, CONFIG, lambda: way == "cancelled")
    assert alive() == 0


def test_without_an_input_nothing_is_measured() -> None:
    with pytest.raises(WorkbenchError, match="no input"):
        measure_throughput([Sleeper()], [], CONFIG, lambda: False)
