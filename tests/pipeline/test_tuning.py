from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.backends.null import NullBackend, NullRunner
from workbench.core.events import Progress
from workbench.core.run import BuildConfig, Run, RunRequest, Status, TimingConfig
from workbench.core.tuning import Knob, TuneRequest
from workbench.pipeline import run, tune
from workbench.pipeline.lanes import open_lane
from workbench.pipeline.tuned import keep_tuning, with_options
from workbench.pipeline.tuning import candidates

UNTIMED = TimingConfig(warmup_ms=0, warmup_iterations=0, seconds=0, min_iterations=0)
KNOBS = (Knob("latency_ms", ("1", "0.25", "2")), Knob("color", ("red", "green")), Knob("fail", ("", "No such kernel.")))


@pytest.fixture
def built(request_of: RequestOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, RunRequest]:
    """A run of the null backend, which says its latency without sleeping it and has knobs."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(NullRunner, "time", lambda self, feed: self._latency_ms)
    monkeypatch.setattr(NullBackend, "knobs", lambda self, physical, logical: KNOBS)
    request = request_of("run-0001", config=BuildConfig("null"), timing=UNTIMED, evaluation="none")
    done = run(request, Listener(), never)
    assert done.status is Status.DONE
    return done, request


def search(request: RunRequest, tmp_path: Path) -> TuneRequest:
    """It ends when all is tried and decided, long before its time is up."""
    return TuneRequest("tune-0001", str(tmp_path / "tune"), request, 3600.0)


def rebuilt(request: RunRequest, tmp_path: Path) -> Run:
    """The same configuration once more, with tuned options."""
    config = msgspec.structs.replace(request.config, tuned=True)
    again = msgspec.structs.replace(request, id="run-0002", folder=str(tmp_path / "again"), config=config)
    return run(again, Listener(), never)


def test_before_any_search_a_tuned_run_says_that_nothing_is_known(
    built: tuple[Run, RunRequest], tmp_path: Path
) -> None:
    again = rebuilt(built[1], tmp_path)
    assert again.build is not None
    assert any("No tuned options are known" in note for note in again.build.notes)


def test_the_fastest_options_are_found_kept_and_found_again(built: tuple[Run, RunRequest], tmp_path: Path) -> None:
    _, request = built
    listener = Listener()
    result = tune(search(request, tmp_path), listener, never)
    assert result.error is None
    assert result.best["latency_ms"] == "0.25"
    assert result.speedup == pytest.approx(4.0)
    assert "faster by 75 %" in result.verdict
    again = rebuilt(request, tmp_path)
    assert again.build is not None
    assert any("Tuned options:" in note and "latency_ms=0.25" in note for note in again.build.notes)
    assert any("latency_ms=0.25" in event.text for event in listener.of(Progress))


def test_a_tuned_run_races_with_the_options_it_was_built_with(built: tuple[Run, RunRequest], tmp_path: Path) -> None:
    """Whatever a later search has found."""
    result = tune(search(built[1], tmp_path), Listener(), never)
    config = msgspec.structs.replace(built[1].config, tuned=True)
    tuned = msgspec.structs.replace(built[1], id="run-0002", folder=str(tmp_path / "again"), config=config)
    assert run(tuned, Listener(), never).status is Status.DONE
    keep_tuning(msgspec.structs.replace(result, best={"latency_ms": "2"}))
    with ExitStack() as stack:
        lane = open_lane(tuned, config, tmp_path / "lane", stack)
        assert lane.runner.time(lane.feeds[0]) == 0.25


def test_what_the_backend_refuses_is_a_trial_with_its_reason(built: tuple[Run, RunRequest], tmp_path: Path) -> None:
    result = tune(search(built[1], tmp_path), Listener(), never)
    refused = [trial for trial in result.trials if "fail" in trial.options]
    assert refused
    assert all(trial.rounds == 0 and "No such kernel." in trial.reason for trial in refused)


def test_where_nothing_could_be_timed_the_protocol_says_what_was_tried(
    built: tuple[Run, RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NullBackend, "knobs", lambda self, physical, logical: (Knob("fail", ("", "No.")),))
    result = tune(search(built[1], tmp_path), Listener(), never)
    assert result.verdict == "no other option could be timed" and result.protocol.startswith("1 trial by")


def test_where_nothing_is_faster_the_default_stays(
    built: tuple[Run, RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NullBackend, "knobs", lambda self, physical, logical: (Knob("latency_ms", ("1", "2")),))
    result = tune(search(built[1], tmp_path), Listener(), never)
    assert result.best == {}
    assert "slower by" in result.verdict
    again = rebuilt(built[1], tmp_path)
    assert again.build is not None
    assert any("nothing beat" in note for note in again.build.notes)


def test_faster_options_that_compute_something_else_are_out(
    built: tuple[Run, RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = NullRunner.infer

    def infer(self: NullRunner, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        wrong = 1.0 if self._latency_ms == 0.25 else 0.0
        return {name: value + wrong for name, value in plain(self, feed).items()}

    monkeypatch.setattr(NullRunner, "infer", infer)
    result = tune(search(built[1], tmp_path), Listener(), never)
    assert "latency_ms" not in result.best
    assert any("computes something else" in trial.reason for trial in result.trials)


@pytest.mark.parametrize(
    ("outputs", "said"), [({"class": 1}, "0.0 % of the default's values"), ({}, "no output 'class'")]
)
def test_other_classes_and_outputs_that_are_gone_are_something_else(
    built: tuple[Run, RunRequest],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outputs: dict[str, int],
    said: str,
) -> None:
    """Outputs that are no floats have no decibels."""

    def infer(self: NullRunner, feed: object) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        found = outputs if self._latency_ms == 0.25 else {"class": 0}
        return {name: np.array([value]) for name, value in found.items()}

    monkeypatch.setattr(NullRunner, "infer", infer)
    result = tune(search(built[1], tmp_path), Listener(), never)
    assert "latency_ms" not in result.best
    (reason,) = {trial.reason for trial in result.trials if trial.options == {"latency_ms": "0.25"}}
    assert "computes something else" in reason and said in reason


def test_what_was_chosen_for_a_run_stays_and_is_not_what_others_find(
    built: tuple[Run, RunRequest], tmp_path: Path
) -> None:
    """What beats one thread is no news for a run with all of them."""
    request = msgspec.structs.replace(built[1], config=null(2.0))
    result = tune(search(request, tmp_path), Listener(), never)
    assert result.error is None
    assert not any("latency_ms" in trial.options for trial in result.trials)
    again = rebuilt(built[1], tmp_path)
    assert again.build is not None
    assert any("No tuned options are known" in note for note in again.build.notes)


def test_threads_that_were_chosen_are_not_searched(
    built: tuple[Run, RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NullBackend, "knobs", lambda self, physical, logical: (Knob("threads", ("0", "1")),))
    request = msgspec.structs.replace(built[1], config=BuildConfig("null", threads=1))
    error = tune(search(request, tmp_path), Listener(), never).error
    assert error is not None and error.message == "Every option that changes its speed was chosen for this run."


def test_a_search_can_be_cancelled(built: tuple[Run, RunRequest], tmp_path: Path) -> None:
    listener = Listener()
    result = tune(search(built[1], tmp_path), listener, lambda: bool(listener.of(Progress)))
    assert result.error is not None
    assert result.error.message == "Cancelled."


def test_a_backend_without_knobs_says_so(
    built: tuple[Run, RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NullBackend, "knobs", lambda self, physical, logical: ())
    error = tune(search(built[1], tmp_path), Listener(), never).error
    assert error is not None
    assert "no options that change its speed" in error.message


def test_candidates_are_all_single_changes_first_and_the_same_every_time() -> None:
    found = candidates(KNOBS, most=6)
    assert found[:4] == [{"latency_ms": "0.25"}, {"latency_ms": "2"}, {"color": "green"}, {"fail": "No such kernel."}]
    assert len(found) == 6
    assert found == candidates(KNOBS, most=6)
    assert all(options for options in candidates(KNOBS))


def test_threads_are_a_field_of_the_configuration() -> None:
    config = with_options(BuildConfig(threads=2, options={"a": "1"}), {"threads": "1", "b": "2"})
    assert (config.threads, config.options) == (1, {"a": "1", "b": "2"})
