"""Observation alone: its report, resuming after a kill, hostile leftovers, and sets that are as they should be."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never
from workbench.core.calibration_report import Calibrated, CalibrateRequest, CalibrationReport, Severity
from workbench.core.events import LogLine, Progress
from workbench.core.json import encode, read_json
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.run import BuildConfig, RunRequest
from workbench.data import read_recipe
from workbench.model import open_model
from workbench.pipeline import calibrate, run
from workbench.pipeline.calibration_text import findings_text, ranges_table, steady_text
from workbench.pipeline.files import CALIBRATED_FILE, CALIBRATION_FILE
from workbench.precision import load_observations
from workbench.resources import sample_models

INT8 = PrecisionPlan(default=Precision.INT8)


@pytest.fixture(scope="module")
def set_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("set") / "forty.npz"
    np.savez(path, x=np.random.default_rng(4).normal(size=(40, 3, 8, 8)).astype(np.float32))
    return path


def request_for(request_of: RequestOf, set_path: Path, job: str = "job-1", **fields: object) -> CalibrateRequest:
    one = request_of(job, config=BuildConfig(plan=INT8), calibration=str(set_path), evaluation="none", **fields)
    return CalibrateRequest(one.id, one.folder, one)


def report_of(result: Calibrated) -> CalibrationReport:
    assert result.error is None, result.error
    assert result.report is not None
    return result.report


def test_every_tensor_has_a_range_by_every_method(request_of: RequestOf, set_path: Path) -> None:
    request, listener = request_for(request_of, set_path), Listener()
    report = report_of(calibrate(request, listener, never))
    assert report.samples == 40
    found = {tensor.name: tensor for tensor in report.tensors}
    assert [found[name].nodes for name in ("x", "b", "g")] == [("n0",), ("n2",), ("n7",)]
    for tensor in report.tensors:
        assert {one.method for one in tensor.ranges} == set(CalibrationMethod)
        assert tensor.chosen(CalibrationMethod.MAX).clipped == 0.0
        assert tensor.chosen(CalibrationMethod.PERCENTILE).clipped == pytest.approx(1e-4, rel=0.2)
        assert sum(tensor.counts) == 40 * {"x": 192, "g": 8}.get(tensor.name, 512)
    assert read_json(Path(request.folder) / CALIBRATED_FILE, Calibrated).report == report
    done = [event.done for event in listener.of(Progress) if event.phase == "calibrate"]
    assert done[-1] == 40


def test_a_set_that_is_sorted_by_class_is_not_taken_for_its_first_class(request_of: RequestOf, tmp_path: Path) -> None:
    """As folders of classes are: brightness tells the classes apart here."""
    random, classes = np.random.default_rng(6), np.repeat(np.arange(10), 20)
    for name, order in (("calibration", random.permutation(classes)), ("evaluation", classes)):
        noise = random.normal(size=(len(order), 3, 8, 8)) * 0.1
        np.savez(tmp_path / f"{name}.npz", x=(noise + order[:, None, None, None]).astype(np.float32))
    one = request_of(
        "job-1",
        config=BuildConfig(plan=INT8),
        calibration=str(tmp_path / "calibration.npz"),
        evaluation=str(tmp_path / "evaluation.npz"),
    )
    report = report_of(calibrate(CalibrateRequest(one.id, one.folder, one), Listener(), never))
    assert report.coverage is not None and report.coverage.samples == 32
    assert "unlike" not in {finding.kind for finding in report.findings}


def test_the_report_is_words_and_a_table(request_of: RequestOf, set_path: Path) -> None:
    report = report_of(calibrate(request_for(request_of, set_path), Listener(), never))
    lines = ranges_table(report).splitlines()
    assert len(lines) == 2 + len(report.tensors)
    assert all(word in lines[1] for word in ("max", "99.99 %", "MSE", "entropy"))
    assert "sample" in steady_text(report, CalibrationMethod.MSE)
    assert findings_text(report)


def test_a_second_look_observes_nothing_anew(request_of: RequestOf, set_path: Path) -> None:
    first = report_of(calibrate(request_for(request_of, set_path), Listener(), never))
    listener = Listener()
    second = report_of(calibrate(request_for(request_of, set_path, "job-2"), listener, never))
    assert second == first
    assert any("known from an earlier run" in event.text for event in listener.of(Progress))


def test_a_run_in_int8_leaves_its_report_and_takes_the_same_ranges(request_of: RequestOf, set_path: Path) -> None:
    looked = report_of(calibrate(request_for(request_of, set_path), Listener(), never))
    config = BuildConfig(backend="openvino", plan=INT8, threads=1)
    request = request_of(config=config, calibration=str(set_path), evaluation="none")
    listener = Listener()
    assert run(request, listener, never).error is None
    assert read_json(Path(request.folder) / CALIBRATION_FILE, CalibrationReport) == looked
    assert any("known from an earlier run" in event.text for event in listener.of(Progress))


KILLED = """
import os, sys
from workbench.core.json import decode
from workbench.core.calibration_report import CalibrateRequest
from workbench.core.events import Progress
from workbench.precision import calibration
from workbench.pipeline import calibrate
calibration._CHECKPOINT_SECONDS, calibration._CHECKPOINT_SHARE = 0.0, 0
def emit(event):
    if isinstance(event, Progress) and event.text.startswith("23 of"):
        os.kill(os.getpid(), 9)
from workbench.pipeline import telling
telling.Throttle.lets = lambda self, kind, *, always=False: True
calibrate(decode(sys.stdin.buffer.read(), CalibrateRequest), emit, lambda: False)
"""


def test_after_a_kill_the_pass_goes_on_where_it_was_to_the_same_bits(
    request_of: RequestOf, set_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(request_of, set_path)
    child = subprocess.run([sys.executable, "-c", KILLED], input=encode(request), check=False, capture_output=True)
    assert child.returncode == -9, child.stderr.decode()
    (part,) = (own_home / "calibration").glob("*.part.npz")
    assert load_observations(part).samples == 22
    listener = Listener()
    report = report_of(calibrate(request, listener, never))
    assert any("goes on behind sample 22 of 40" in line.text for line in listener.of(LogLine))
    (whole,) = (own_home / "calibration").glob("*.npz")
    resumed = load_observations(whole)
    monkeypatch.setenv("WORKBENCH_HOME", str(own_home.with_name("another")))
    assert report_of(calibrate(request, Listener(), never)) == report
    (again,) = (own_home.with_name("another") / "calibration").glob("*.npz")
    for name, one in load_observations(again).histograms.items():
        np.testing.assert_array_equal(one.counts, resumed.histograms[name].counts)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"\0" * 1000])
def test_a_checkpoint_that_is_none_is_said_and_begun_anew(
    request_of: RequestOf, set_path: Path, own_home: Path, content: bytes
) -> None:
    request = request_for(request_of, set_path)
    first = report_of(calibrate(request, Listener(), never))
    (whole,) = (own_home / "calibration").glob("*.npz")
    whole.with_name(f"{whole.stem}.part.npz").write_bytes(content)
    whole.unlink()
    for path in (own_home / "calibration").glob("*.json"):
        path.unlink()
    listener = Listener()
    assert report_of(calibrate(request, listener, never)) == first
    assert any("unreadable" in line.text for line in listener.of(LogLine))


def test_a_checkpoint_of_another_graph_is_not_mixed_in(request_of: RequestOf, set_path: Path, own_home: Path) -> None:
    from workbench.precision import Observations, save_observations
    from workbench.precision.histogram import Histogram

    request = request_for(request_of, set_path)
    first = report_of(calibrate(request, Listener(), never))
    (whole,) = (own_home / "calibration").glob("*.npz")
    save_observations(Observations({"ghost": Histogram()}, 9), whole.with_name(f"{whole.stem}.part.npz"))
    whole.unlink()
    for path in (own_home / "calibration").glob("*.json"):
        path.unlink()
    assert report_of(calibrate(request, Listener(), never)) == first


def test_cancelling_keeps_what_was_seen(request_of: RequestOf, set_path: Path, own_home: Path) -> None:
    listener, asked = Listener(), count()

    def cancelled() -> bool:
        """From the 12th sample on: progress itself is told 30 times a second only, however many samples pass."""
        return any(" of 40 samples" in event.text for event in listener.of(Progress)) and next(asked) >= 12

    result = calibrate(request_for(request_of, set_path), listener, cancelled)
    assert result.error is not None
    assert result.error.message == "Cancelled."
    (part,) = (own_home / "calibration").glob("*.part.npz")
    assert 0 < load_observations(part).samples < 40


def test_without_a_set_there_is_nothing_to_look_at(request_of: RequestOf) -> None:
    one = request_of("job-1", config=BuildConfig(plan=INT8), calibration="")
    result = calibrate(CalibrateRequest(one.id, one.folder, one), Listener(), never)
    assert result.error is not None
    assert "no calibration set" in result.error.message


def test_random_samples_are_said_loudly(request_of: RequestOf) -> None:
    one = request_of("job-1", config=BuildConfig(plan=INT8), calibration="random")
    report = report_of(calibrate(CalibrateRequest(one.id, one.folder, one), Listener(), never))
    assert [finding.kind for finding in report.warnings] == ["random"]


@pytest.mark.parametrize(
    ("name", "samples"),
    [("digits/digits_resnet.onnx", 64), ("fashion/fashion_resnet.onnx", 64), ("ocr/ppocrv4_rec.onnx", 16)],
)
def test_sets_that_are_as_they_should_be_give_no_warning(name: str, samples: int, tmp_path: Path) -> None:
    path = sample_models() / name
    recipe = read_recipe(open_model(path))
    request = RunRequest(
        id="job-1",
        folder=str(tmp_path / "job"),
        model_path=str(path),
        config=BuildConfig(plan=PrecisionPlan(default=Precision.INT8, calibration=Calibration(samples=samples))),
        recipe=recipe,
        calibration=recipe.calibration,
        evaluation=recipe.evaluation if samples > 32 else "",
    )
    report = report_of(calibrate(CalibrateRequest("job-1", request.folder, request), Listener(), never))
    assert [finding.text for finding in report.findings if finding.severity is Severity.WARNING] == []


@pytest.mark.parametrize(("backend", "words"), [("openvino", "OpenVINO (CPU): uint8"), ("null", "int8, symmetric")])
def test_the_notes_of_a_build_say_which_form_the_ranges_have(
    request_of: RequestOf, set_path: Path, backend: str, words: str
) -> None:
    request = request_of(
        config=BuildConfig(backend=backend, plan=INT8, threads=1), calibration=str(set_path), evaluation="none"
    )
    done = run(request, Listener(), never)
    assert done.build is not None
    assert any("40 samples" in note and words in note for note in done.build.notes)
