from __future__ import annotations

import itertools
import json
from pathlib import Path

import msgspec
import pytest

from tests.pipeline.conftest import QUICK, Listener, never
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig, Race, RaceEntry, RaceRequest, Run, RunRequest, Status
from workbench.pipeline import (
    CompareRequest,
    Comparison,
    compare,
    comparison_document,
    comparison_table,
    race,
    run,
    run_document,
)


def perform(request: RunRequest | RaceRequest) -> Run | Race:
    return run(request, Listener(), never) if isinstance(request, RunRequest) else race(request, Listener(), never)


def compared(tmp_path: Path, request: CompareRequest) -> Comparison:
    numbers = itertools.count()

    def new_folder() -> tuple[str, Path]:
        name = f"run-{next(numbers):04d}"
        return name, tmp_path / name

    return compare(request, perform, new_folder)


def request_for(model_path: Path, **fields: object) -> CompareRequest:
    values = {
        "model_path": str(model_path),
        "backends": ("openvino",),
        "precisions": (Precision.FP32, Precision.FP4_WEIGHTS, Precision.INT8),
        "config": BuildConfig(threads=1),
        "calibration": "random",
        "timing": QUICK,
        "race_seconds": 0.2,
    }
    return CompareRequest(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> Comparison:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        return compared(tmp_path_factory.mktemp("compare"), request_for(model_path))


def test_a_comparison_has_the_source_graph_and_every_combination(comparison: Comparison) -> None:
    rows = [(r.config.backend, r.precision, r.config.optimize) for r in comparison.runs]
    assert rows == [
        ("onnxruntime", "fp32", False),
        ("openvino", "fp32", True),
        ("openvino", "fp4_weights", True),
        ("openvino", "int8", True),
    ]


def test_what_a_backend_refuses_is_a_row_with_its_sentence_and_the_rest_goes_on(comparison: Comparison) -> None:
    statuses = [run.status for run in comparison.runs]
    assert statuses == [Status.DONE, Status.DONE, Status.FAILED, Status.DONE]
    error = comparison.runs[2].error
    assert error is not None and "FP4" in error.message
    assert error.message in comparison_table(comparison.runs, comparison.race)


def test_the_race_is_of_those_that_ran_and_starts_at_the_source_graph(comparison: Comparison) -> None:
    assert comparison.race is not None and comparison.race.error is None
    ran = [run.id for run in comparison.runs if run.status is Status.DONE]
    assert [entry.run for entry in comparison.race.entries] == ran
    assert comparison.race.entries[0].verdict == "baseline"


def test_the_unfused_source_graph_has_one_layer_a_node(comparison: Comparison) -> None:
    build = comparison.runs[0].build
    assert build is not None
    assert build.layers == build.source_nodes == 8


def test_lines_of_the_table_are_aligned(comparison: Comparison) -> None:
    lines = comparison_table(comparison.runs, comparison.race).splitlines()
    columns = [lines[0].index("verdict")]
    shown = [line for line in lines[2:] if "baseline" in line or "FP4" in line.split("—")[-1]]
    assert len(lines) == 6 and shown
    assert "baseline" in lines[2][columns[0] :]
    assert lines[2][: columns[0]].rstrip() == lines[2][: lines[2].index("baseline")].rstrip()


def test_a_document_has_the_fields_of_the_design(comparison: Comparison) -> None:
    document = json.loads(msgspec.json.encode(comparison_document(comparison)))
    fast = document["runs"][1]
    assert {"id", "model", "backend", "precision", "status", "build", "timing", "accuracy", "error"} <= set(fast)
    assert {"seconds", "layers", "source_nodes", "mapped", "size_bytes", "memory"} <= set(fast["build"])
    assert {"median_ms", "p95_ms", "iterations", "low_ms", "high_ms", "protocol"} <= set(fast["timing"])
    assert set(fast["accuracy"]["outputs"]["scores"]) >= {"cosine", "sqnr_db", "max_abs"}
    assert (fast["backend"], fast["precision"], fast["status"], fast["error"]) == ("openvino", "fp32", "done", None)
    assert fast["race"]["verdict"]
    refused = document["runs"][2]
    assert set(refused["error"]) == {"message", "hint"}
    assert refused["timing"] is refused["build"] is refused["race"] is None


def test_a_document_says_how_ranges_were_found(comparison: Comparison) -> None:
    assert run_document(comparison.runs[3])["calibration"] == {"set": "random", "method": "mse", "samples": 64}
    assert run_document(comparison.runs[1])["calibration"] is None


def test_nothing_is_started_after_a_cancelled_run(tmp_path: Path, model_path: Path) -> None:
    started: list[str] = []

    def cancelled(request: RunRequest | RaceRequest) -> Run | Race:
        assert isinstance(request, RunRequest)
        started.append(request.id)
        return run(request, Listener(), lambda: True)

    result = compare(request_for(model_path), cancelled, lambda: ("run-1", tmp_path / "run-1"))
    assert len(started) == len(result.runs) == 1
    assert result.race is None


def test_a_target_is_given_only_to_backends_that_have_targets(tmp_path: Path, model_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    def look(request: RunRequest | RaceRequest) -> Run | Race:
        assert isinstance(request, RunRequest)
        seen.append((request.config.backend, request.config.target))
        return run(msgspec.structs.replace(request, model_path="/no/such.onnx"), Listener(), never)

    config = BuildConfig(target="sm89")
    backends = ("openvino", "tensorrt_rtx")
    request = request_for(model_path, backends=backends, precisions=(Precision.FP32,), config=config)
    compare(request, look, lambda: ("run-1", tmp_path / "run-1"))
    assert seen == [("onnxruntime", ""), ("openvino", ""), ("tensorrt_rtx", "sm89")]


def test_a_verdict_stands_in_the_table(comparison: Comparison) -> None:
    first, second = comparison.runs[:2]
    entries = (
        RaceEntry(first.id, 2.0, 1.0, 1.0, 1.0, "baseline"),
        RaceEntry(second.id, 1.0, 2.0, 1.9, 2.1, "faster by 50 % ± 2 %"),
    )
    table = comparison_table([first, second], Race("race", entries))
    assert "2.00×" in table and "faster by 50 % ± 2 %" in table
