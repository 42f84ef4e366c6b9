"""`workbench calibrate`, and a run for each method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Cli
from workbench.core.calibration_report import CalibrationReport
from workbench.core.json import decode, encode
from workbench.core.precision import CalibrationMethod


@pytest.fixture
def samples(tmp_path: Path, model: Path) -> Path:
    from workbench.model import open_model

    opened = open_model(model)
    path = tmp_path / "samples.npz"
    rng = np.random.default_rng(0)
    inputs = {name: rng.random((20, *shape[1:])).astype(np.float32) for name, shape in opened.shapes.items()}
    np.savez(path, **inputs)
    return path


def test_ranges_and_findings_are_printed(cli: Cli, model: Path, samples: Path) -> None:
    answer = cli("calibrate", model, "--calibration", samples)
    assert answer.code == 0, answer.err
    assert all(word in answer.out for word in ("max", "99.99 %", "MSE", "entropy", "20 samples of"))


def test_the_document_is_the_report(cli: Cli, model: Path, samples: Path, tmp_path: Path) -> None:
    answer = cli("calibrate", model, "--calibration", samples, "--samples", "10", "--json")
    report = decode(encode(answer.document), CalibrationReport)
    assert report.samples == 10
    assert {one.method for one in report.tensors[0].ranges} == set(CalibrationMethod)


def test_nothing_of_it_stands_in_the_history(cli: Cli, model: Path, samples: Path) -> None:
    cli("calibrate", model, "--calibration", samples)
    assert cli("runs", "--json").document == []


def test_a_set_that_is_not_there_is_a_sentence(cli: Cli, model: Path) -> None:
    answer = cli("calibrate", model, "--calibration", "/no/such/set")
    assert answer.code == 1
    assert "There is no sample set" in answer.err


def test_compare_has_a_run_for_each_method(cli: Cli, model: Path, samples: Path) -> None:
    words = ("--backends", "null", "--precisions", "fp32,int8", "--methods", "max,entropy", "--no-baseline")
    answer = cli("compare", model, *words, "--calibration", samples, "--evaluate", "none", "--no-time", "--json")
    runs = answer.document["runs"]
    assert [run["calibration"] and run["calibration"]["method"] for run in runs] == [None, "max", "entropy"]


@pytest.mark.parametrize("words", [("--methods", "best"), ("--methods", "")])
def test_a_method_that_there_is_not_is_wrong_use(cli: Cli, model: Path, words: tuple[str, str]) -> None:
    assert cli("compare", model, *words).code == 2
