"""What stands beside a number: in the window's tooltips, in the report and in what is copied."""

from __future__ import annotations

import msgspec
import pytest

from tests.charts.test_charts import STATS, run_of
from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.core.precision import Precision
from workbench.core.run import LatencyStats, Race, Run, Timing
from workbench.core.titles import Titles
from workbench.measure import machine
from workbench.measure.machine import machine_state
from workbench.pipeline import run as measured
from workbench.pipeline.conditions import race_conditions, timing_conditions
from workbench.pipeline.documents import run_document
from workbench.pipeline.summary import run_summary
from workbench.pipeline.table import comparison_table, history_table

MACHINE = {"cpu": "AMD EPYC", "governor": "performance", "load": "0.21", "python": "3.11.7", "numpy": "2.4.6"}


def timed(stats: LatencyStats = STATS, **build: object) -> Run:
    run = run_of(Precision.FP32)
    timing = Timing(stats=stats, protocol="warm-up, then 3 s", machine=MACHINE, warnings=("busy",))
    assert run.build is not None
    return msgspec.structs.replace(run, timing=timing, build=msgspec.structs.replace(run.build, **build))


def test_a_time_says_protocol_machine_noise_threads_versions_and_drawing() -> None:
    lines = timing_conditions(timed(versions={"openvino": "2026.4", "device": "AMD EPYC"}))
    assert lines == [
        "protocol: warm-up, then 3 s",
        "steady: latency varies by 1.1 % (CoV)",
        "threads: all physical cores",
        "drawing: paused while the reported phase ran",
        "cpu: AMD EPYC",
        "governor: performance",
        "load: 0.21",
        "versions: openvino 2026.4",
        "warning: busy",
    ]


@pytest.mark.parametrize(("cov", "word"), [(2.5, "steady"), (2.6, "noisy")])
def test_a_time_that_varies_by_more_than_two_and_a_half_per_cent_is_noisy(cov: float, word: str) -> None:
    lines = timing_conditions(timed(msgspec.structs.replace(STATS, cov_percent=cov)))
    assert f"{word}: latency varies by {cov:.1f} % (CoV)" in lines


def test_threads_that_were_tuned_are_those_that_count() -> None:
    assert "threads: 1, tuned" in timing_conditions(timed(tuned={"threads": "1"}))


def test_a_time_says_of_which_inputs_it_is() -> None:
    run = timed()
    assert run.timing is not None
    several = msgspec.structs.replace(run.timing, shapes={"x": (8, 3, 224, 224), "length": ()})
    assert "inputs: x 8×3×224×224, length scalar" in timing_conditions(msgspec.structs.replace(run, timing=several))
    assert not several.is_like(msgspec.structs.replace(several, shapes={"x": (1, 3, 224, 224), "length": ()}))
    assert several.is_like(run.timing)  # made before shapes were kept: not known to be others


def test_a_time_from_elsewhere_says_nothing_of_this_program() -> None:
    """How many threads it had and what was drawn meanwhile, nobody knows."""
    lines = timing_conditions(msgspec.structs.replace(timed(), imported=("times.json",)))
    assert lines[:3] == ["protocol: warm-up, then 3 s", "steady: latency varies by 1.1 % (CoV)", "cpu: AMD EPYC"]
    assert not any(line.startswith(("threads", "drawing")) for line in lines)


def test_of_one_inference_nobody_says_that_it_is_steady() -> None:
    run = timed(msgspec.structs.replace(STATS, iterations=1, cov_percent=0.0))
    assert "1 inference: too few to tell how latency varies" in timing_conditions(run)
    assert "n = 1" in comparison_table([run], None) and "(2.6" not in run_summary(run)


def test_a_noisy_time_is_marked_in_every_table() -> None:
    noisy, steady = timed(msgspec.structs.replace(STATS, cov_percent=9.0)), timed()
    for text in (comparison_table([noisy], None), history_table([noisy], Titles())):
        assert "noisy" in text
    for text in (comparison_table([steady], None), history_table([steady], Titles())):
        assert "noisy" not in text
    assert run_document(noisy)["timing"]["noise"] == "noisy"


def test_a_run_in_text_says_machine_and_inputs() -> None:
    run = timed()
    assert run.timing is not None
    text = run_summary(msgspec.structs.replace(run, timing=msgspec.structs.replace(run.timing, shapes={"x": (1, 3)})))
    assert "inputs    1×3" in text and "machine   AMD EPYC, governor performance, load 0.21" in text


def test_clock_and_temperature_are_those_after_the_work(request_of: RequestOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that rests says nothing of the one that was measured."""
    states = iter(["resting", *["at work"] * 9])
    monkeypatch.setattr(machine, "gpu_states", lambda: [next(states)])
    found = measured(request_of(config=null(0.2)), Listener(), never)
    assert found.timing is not None and found.timing.machine["gpu"] == "at work"
    assert found.timing.shapes == {"x": (1, 3, 8, 8)}


def test_a_run_without_a_time_has_no_conditions() -> None:
    assert timing_conditions(run_of(Precision.FP32, finished=False)) == []


def test_a_race_has_conditions_of_its_own() -> None:
    lines = race_conditions(Race("r", (), 8, "8 rounds in 1 s", machine_state()))
    assert lines[0] == "protocol: 8 rounds in 1 s" and any(line.startswith("versions: python") for line in lines)
