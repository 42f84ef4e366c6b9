from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.backends.base import Feed
from workbench.backends.null import NullEngine, NullRunner
from workbench.core.errors import WorkbenchError
from workbench.core.events import LogLine, Progress
from workbench.core.json import read_json
from workbench.core.run import Race, RaceRequest, RunRequest, Status, TimingConfig
from workbench.pipeline import race, run

UNTIMED = TimingConfig(warmup_ms=0, warmup_iterations=0, seconds=0, min_iterations=0)


@pytest.fixture
def race_of(request_of: RequestOf, tmp_path: Path) -> Iterator[object]:
    """Makes runs of the null backend that take so many ms, and a race of them."""

    def make(*latencies_ms: float, seconds: float = 0.3) -> RaceRequest:
        requests: list[RunRequest] = []
        for index, latency in enumerate(latencies_ms):
            request = request_of(f"run-000{index}", config=null(latency), timing=UNTIMED, evaluation="none")
            assert run(request, Listener(), never).status is Status.DONE
            requests.append(request)
        return RaceRequest("race-0001", str(tmp_path / "race"), tuple(requests), seconds)

    yield make


@pytest.fixture
def exact_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A null runner says its latency without sleeping it, so that a race of a machine under load ends alike."""
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: self._latency_ms)


@pytest.fixture
def a_second_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every round takes a second by the clock of the race, whatever it takes on this machine."""
    seconds = itertools.count()
    monkeypatch.setattr("workbench.pipeline.racing.perf_counter", lambda: float(next(seconds)))


def test_a_race_says_which_is_faster_and_by_how_much(race_of, exact_times: None) -> None:  # type: ignore[no-untyped-def]
    request = race_of(10.0, 4.0)
    result = race(request, Listener(), never)
    baseline, fast = result.entries
    assert (baseline.verdict, baseline.speedup) == ("baseline", 1.0)
    assert (fast.run, fast.speedup) == ("run-0001", pytest.approx(2.5))
    assert fast.verdict == "faster by 60 % ± 0.1 %"
    assert read_json(Path(request.folder) / "race.json", Race) == result


def test_engines_of_other_shapes_do_not_race(race_of, request_of: RequestOf) -> None:  # type: ignore[no-untyped-def]
    """One sample is no faster engine than four."""
    requests = race_of(10.0, 10.0)
    config = msgspec.structs.replace(null(10.0), shapes={"x": (4, 3, 8, 8)})
    larger = request_of("run-0004", config=config, timing=UNTIMED, evaluation="none")
    assert run(larger, Listener(), never).status is Status.DONE
    found = race(msgspec.structs.replace(requests, runs=(requests.runs[0], larger)), Listener(), never)
    assert found.error is not None
    assert found.error.message == "These engines take inputs of several shapes: 1×3×8×8; 4×3×8×8."


def test_a_drift_of_the_machine_is_not_taken_for_a_difference(
    race_of,  # type: ignore[no-untyped-def]
    a_second_each: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count()

    def slower_and_slower(self: NullRunner, feed: Feed) -> float:
        noise = 0.05 if next(noisy) else -0.05
        return self._latency_ms * (1 + next(clock) / 500 + noise)

    noisy = itertools.cycle([0, 1, 1, 0, 1, 0, 0])
    monkeypatch.setattr(NullRunner, "time", slower_and_slower)
    result = race(race_of(10.0, 10.0, seconds=12.0), Listener(), never)
    assert result.rounds == 12
    assert result.entries[1].verdict.startswith("no difference larger than")


def test_rounds_go_there_and_back(race_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    order: list[float] = []

    def time(self: NullRunner, feed: Feed) -> float:
        order.append(self._latency_ms)
        return self._latency_ms

    monkeypatch.setattr(NullRunner, "time", time)
    race(race_of(30.0, 40.0, 50.0, seconds=0.0), Listener(), never)
    visits = [latency for latency, _ in itertools.groupby(order)]
    assert visits[:6] == [30.0, 40.0, 50.0, 40.0, 30.0, 40.0]
    assert len(order) == 9 * 2 * 3 * 4  # a warm-up round and 8 that count; 1 + 3 inferences a visit


def test_a_long_inference_is_a_visit_by_itself(race_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Else a race of seconds takes minutes: eight rounds of four times as many inferences."""
    order: list[float] = []
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: order.append(1) or self._latency_ms)  # type: ignore[func-returns-value]
    result = race(race_of(900.0, 300.0, seconds=0.0), Listener(), never)
    assert len(order) == 9 * 2 * 2
    assert result.entries[1].speedup == pytest.approx(3.0)


def test_the_warm_up_round_is_in_no_figure(race_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    count = itertools.count()
    cold = 2 * 2 * 4  # there and back, two engines, 1 + 3 inferences a visit
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: 30.0 if next(count) >= cold else 190.0)
    monkeypatch.setattr("workbench.pipeline.lanes.statistics.median", max)
    assert [entry.median_ms for entry in race(race_of(1.0, 1.0, seconds=0.0), Listener(), never).entries] == [
        30.0,
        30.0,
    ]


def test_an_engine_that_cannot_run_is_left_out_with_its_reason(
    race_of,  # type: ignore[no-untyped-def]
    exact_times: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = race_of(1.0, 2.0, 3.0)
    plain = NullEngine.runner

    def runner(self: NullEngine, *, layers: bool = False) -> NullRunner:
        if self._latency_ms == 2.0:
            raise WorkbenchError("It needs a GPU.")
        return plain(self, layers=layers)  # type: ignore[return-value]

    monkeypatch.setattr(NullEngine, "runner", runner)
    listener = Listener()
    assert [entry.run for entry in race(request, listener, never).entries] == ["run-0000", "run-0002"]
    assert any("run-0001 is not in the race: It needs a GPU." in line.text for line in listener.of(LogLine))


def test_a_race_ends_when_it_is_decided_and_not_when_its_time_is_up(race_of, exact_times: None) -> None:  # type: ignore[no-untyped-def]
    assert race(race_of(10.0, 4.0, seconds=3600.0), Listener(), never).rounds == 8


def test_an_undecided_race_spends_its_time(
    race_of,  # type: ignore[no-untyped-def]
    a_second_each: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: self._latency_ms * random.lognormal(0, 0.5))
    result = race(race_of(10.0, 10.5, seconds=20.0), Listener(), never)
    assert result.rounds == 20
    assert "20 rounds in 20 s" in result.protocol and "3 looks" in result.protocol  # behind 8, 16 and 20


def test_a_race_of_one_says_what_it_needs(race_of) -> None:  # type: ignore[no-untyped-def]
    result = race(race_of(1.0), Listener(), never)
    assert result.error is not None
    assert "needs two engines" in result.error.message


def test_a_run_whose_folder_is_gone_is_a_reason(race_of) -> None:  # type: ignore[no-untyped-def]
    request = race_of(1.0, 1.0)
    (Path(request.runs[0].folder) / "typed.json").unlink()
    result = race(request, Listener(), never)
    assert result.error is not None
    assert "The baseline cannot run" in result.error.message


def test_a_race_can_be_cancelled(race_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    random = np.random.default_rng(0)
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: random.lognormal(3.0, 1.0))
    listener = Listener()
    request = race_of(1.0, 1.0, seconds=3600.0)
    result = race(request, listener, lambda: any(e.phase == "time" for e in listener.of(Progress)))
    assert result.error is not None
    assert result.error.message == "Cancelled."
