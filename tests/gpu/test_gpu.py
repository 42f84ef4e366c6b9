"""Everything for real where a GPU is; elsewhere that `make gpu-check` says so, and what its table would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gpu import check
from workbench.backends.base import load_backend
from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import Accuracy, BuildConfig, LatencyStats, OutputError, Run, RunError, Status, Timing
from workbench.measure.gpu import gpu_states

HAS_GPU = bool(gpu_states()) and find_gpu() is not None
CASE = check.Case("CUDA", Path("m.onnx"), BuildConfig("onnxruntime", PrecisionPlan(Precision.FP16)))


@pytest.mark.skipif(not HAS_GPU, reason="no NVIDIA GPU is here")
@pytest.mark.parametrize("case", list(check.cases()) if HAS_GPU else [], ids=lambda case: case.title)
def test_a_sample_runs_on_the_gpu_and_agrees_with_the_cpu(
    case: check.Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    can = load_backend(case.config.backend).capabilities()
    outcome = check.check(case, tmp_path / "run")
    if not can.can_run and outcome.problem:
        pytest.skip(outcome.problem)  # a card that this module does not run on says so
    assert not outcome.problem
    assert outcome.median_ms > 0


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main() == 0
    assert capsys.readouterr().out.splitlines() == [check.NO_GPU]


def run_of(status: Status = Status.DONE, db: float = 60.0, *, timed: bool = True, error: str = "") -> Run:
    stats = LatencyStats(1.5, 1.4, 1.6, 1.5, 1.3, 1.7, 1.8, 2.0, 1.0, 100) if timed else None
    timing = Timing(stats, "" if timed else "no such GPU", layers={"l0": 1.0, "l1": 0.5})
    accuracy = Accuracy("reference", 8, "set", {"y": OutputError(1.0, db, 0.0)})
    return Run(
        "r",
        "m",
        "",
        "m",
        CASE.config,
        status,
        "",
        timing=timing,
        accuracy=accuracy,
        error=RunError(error) if error else None,
    )


def test_an_outcome_is_right_wrong_or_has_a_reason() -> None:
    assert check._outcome(CASE, run_of()) == check.Outcome(CASE, "", 1.5, 2, 60.0)
    assert "below 30 dB" in check._outcome(CASE, run_of(db=12.0)).problem
    assert check._outcome(CASE, run_of(timed=False)).problem == "no such GPU"
    assert check._outcome(CASE, run_of(Status.FAILED, error="refused")).problem == "refused"


def test_the_table_has_a_line_for_each_with_its_figures_or_its_reason() -> None:
    lines = check.table([check.Outcome(CASE, "", 1.5, 2, 60.0), check.Outcome(CASE, "refused")]).splitlines()
    assert lines[-2].split() == ["CUDA", "m", "FP16", "1.500", "2", "60.0"]
    assert lines[-1].split() == ["CUDA", "m", "FP16", "refused"]
