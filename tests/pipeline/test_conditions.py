"""What stands beside a number: in the window's tooltips, in the report and in what is copied."""

from __future__ import annotations

import msgspec
import pytest

from tests.charts.test_charts import STATS, run_of
from workbench.core.precision import Precision
from workbench.core.run import LatencyStats, Race, Run, Timing
from workbench.measure.machine import machine_state
from workbench.pipeline.conditions import race_conditions, timing_conditions

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


def test_a_run_without_a_time_has_no_conditions() -> None:
    assert timing_conditions(run_of(Precision.FP32, finished=False)) == []


def test_a_race_has_conditions_of_its_own() -> None:
    lines = race_conditions(Race("r", (), 8, "8 rounds in 1 s", machine_state()))
    assert lines[0] == "protocol: 8 rounds in 1 s" and any(line.startswith("versions: python") for line in lines)
