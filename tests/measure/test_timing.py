from __future__ import annotations

import gc
from collections.abc import Mapping
from types import TracebackType

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.backends.base import Feed, Runner
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.run import TimingConfig
from workbench.measure import layer_pass, timing
from workbench.measure.layer_pass import SAMPLES, measure_layers
from workbench.measure.statistics import latency_stats
from workbench.measure.timing import measure_latency, protocol, stability_warnings

FEEDS = [{"x": np.full(1, i)} for i in range(3)]


class CountingRunner(Runner):
    """Says the latencies it is told, and remembers which inputs it saw and whether the collector was on."""

    def __init__(self, latencies: list[float] | None = None, layers: Mapping[str, float] | None = None) -> None:
        self.seen: list[int] = []
        self.collected = False
        self.spent_ms = 0.0
        self._latencies = latencies or [1.0]
        self._layers = dict(layers or {})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        return {}

    def time(self, feed: Feed) -> float:
        self.collected |= gc.isenabled()
        self.seen.append(int(feed["x"][0]))
        latency = self._latencies[(len(self.seen) - 1) % len(self._latencies)]
        self.spent_ms += latency
        return latency

    def layer_times(self) -> dict[str, float]:
        return self._layers


def short(**changes: float) -> TimingConfig:
    values: dict[str, float] = {"warmup_ms": 0, "warmup_iterations": 2, "seconds": 0, "min_iterations": 7}
    return TimingConfig(**(values | changes))  # type: ignore[arg-type]


def clocked(runner: CountingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes on by what this runner says an inference takes, and by nothing else."""
    for module in (timing, layer_pass):
        monkeypatch.setattr(module, "perf_counter", lambda: runner.spent_ms / 1000)


def never() -> bool:
    return False


def test_the_warm_up_is_not_among_the_latencies() -> None:
    runner = CountingRunner([100.0, 100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert measure_latency(runner, FEEDS, short(), lambda batch: None, never) == [1, 2, 3, 4, 5, 6, 7]


def test_inputs_take_turns() -> None:
    runner = CountingRunner()
    measure_latency(runner, FEEDS, short(), lambda batch: None, never)
    assert runner.seen == [0, 1, 2, 0, 1, 2, 0, 1, 2]


def test_the_live_phase_is_shown_at_30_hz_at_most_and_the_reported_one_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[list[float]] = []
    runner = CountingRunner([7.0])
    clocked(runner, monkeypatch)
    latencies = measure_latency(runner, FEEDS, short(seconds=0.3, live_seconds=0.2), batches.append, never)
    assert [len(batch) for batch in batches] == [5, 5, 5, 5, 5, 4, 0]  # 35 ms each, the rest, and its end
    assert len(latencies) == 43


def test_what_was_drawn_live_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = CountingRunner([7.0])
    clocked(runner, monkeypatch)
    batches: list[list[float]] = []
    latencies = measure_latency(runner, FEEDS, short(seconds=0.05, live_seconds=0.05), batches.append, never)
    live = sum(map(len, batches[: batches.index([])]))
    assert live == len(latencies) == 8
    assert len(runner.seen) == 2 + live + len(latencies)


def test_measuring_goes_on_until_time_and_count_are_both_reached() -> None:
    latencies = measure_latency(CountingRunner(), FEEDS, short(min_iterations=5000), lambda batch: None, never)
    assert len(latencies) == 5000


def test_a_cancel_stops_between_two_inferences() -> None:
    runner = CountingRunner()
    with pytest.raises(Cancelled):
        measure_latency(runner, FEEDS, short(min_iterations=10**9), lambda b: None, lambda: len(runner.seen) == 50)
    assert len(runner.seen) == 50


def test_the_collector_is_off_while_measuring_and_on_again_after_a_cancel() -> None:
    runner = CountingRunner()
    with pytest.raises(Cancelled):
        measure_latency(runner, FEEDS, short(), lambda b: None, lambda: len(runner.seen) == 5)
    assert not runner.collected
    assert gc.isenabled()


def test_no_input_is_the_users_error() -> None:
    with pytest.raises(WorkbenchError, match="no input"):
        measure_latency(CountingRunner(), [], short(), lambda batch: None, never)


@pytest.mark.parametrize(
    ("latencies", "load", "said"),
    [
        ([1.0] * 6, 0.5, ()),
        ([1.0, 1.1, 0.9], 0.5, ("Only 3 inferences", "varies by 10.0 %")),
        ([1.0], 0.5, ("Only 1 inference: too few",)),
        ([1.0] * 6, 9.0, ("load 9.0 on 2 cores",)),
        ([1.0, 1.1, 0.9, 1.0, 1.1, 0.9], 9.0, ("varies", "load")),
    ],
)
def test_what_makes_a_number_unsure_is_said(latencies: list[float], load: float, said: tuple[str, ...]) -> None:
    warnings = stability_warnings(latency_stats(latencies), load, 2)
    assert len(warnings) == len(said)
    assert all(part in text for part, text in zip(said, warnings, strict=True))


def test_the_protocol_names_what_was_asked() -> None:
    text = protocol(TimingConfig(), 8, 0)
    assert "200 ms and 10 iterations, then >= 3 s and 10 iterations" in text
    assert "8 inputs" in text and "all physical cores" in text


def test_the_layer_pass_hands_out_means_and_keeps_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[dict[str, float], int]] = []
    runner = CountingRunner([7.0], {"l0": 1.0, "l1": 1.5})
    clocked(runner, monkeypatch)
    times = measure_layers(runner, FEEDS, 0.4, lambda layers, n, samples: told.append((layers, n)), never)
    assert times.layers == {"l0": 1.0, "l1": 1.5}
    assert times.sum_ms == 2.5
    assert told[-1] == (times.layers, times.iterations)
    assert [count for _, count in told] == [22, 44, 58]  # every 0.154 s, and at the end


def test_an_engine_that_tells_no_layer_times_gives_none() -> None:
    told: list[int] = []
    times = measure_layers(CountingRunner(), FEEDS, 0.0, lambda layers, n, samples: told.append(n), never)
    assert (times.layers, times.iterations, told) == ({}, 10, [])


class SingleRunner(CountingRunner):
    """Tells single times too: each once."""

    def layer_samples(self) -> dict[str, list[float]]:
        new, self.seen = [float(n) for n in range(len(self.seen))], []
        return {"l0": new} if new else {}


def test_single_times_of_a_layer_are_kept_up_to_the_newest_few(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[np.ndarray] = []
    runner = SingleRunner([7.0], {"l0": 1.0})
    clocked(runner, monkeypatch)
    measure_layers(runner, FEEDS, 5.0, lambda layers, n, samples: told.append(samples["l0"]), never)
    assert [len(samples) for samples in told[:2]] == [22, 44]
    assert len(told[-1]) == SAMPLES
