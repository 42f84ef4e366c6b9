"""Runs whose plan another quantizer writes: linked, compared and taken over like our own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never
from workbench.core.precision import Calibration, Precision, PrecisionPlan, Rule
from workbench.core.run import BuildConfig, Run, Status
from workbench.core.titles import run_title
from workbench.pipeline import run
from workbench.pipeline.artefacts import read_engine
from workbench.pipeline.files import PLAN_FILE
from workbench.precision import read_plan

ORT = PrecisionPlan(Precision.INT8, calibration=Calibration(samples=4), quantizer="ort:int8")


@pytest.fixture
def quantized(request_of: RequestOf, samples_path: Path) -> tuple[Run, Path]:
    config = BuildConfig(backend="onnxruntime", plan=ORT, threads=1)
    request = request_of(config=config, calibration=str(samples_path), evaluation=str(samples_path))
    return run(request, Listener(), never), Path(request.folder)


def test_their_engine_is_linked_checked_and_named(quantized: tuple[Run, Path]) -> None:
    done, folder = quantized
    assert done.status is Status.DONE, done.error
    assert done.build is not None and done.build.mapped == done.build.source_nodes
    assert done.build.asked["int8"] >= 3 and any("wrote" in note for note in done.build.notes)
    engine = read_engine(folder)
    assert engine is not None and all(fate.layers or fate.kind for fate in engine.fates.values())
    assert done.accuracy is not None and done.timing is not None
    assert run_title(done) == "ONNX Runtime INT8 by ORT"
    assert not list(folder.glob("quantizer-*"))


def test_the_plan_it_amounts_to_builds_with_our_own_passes(
    quantized: tuple[Run, Path], request_of: RequestOf, samples_path: Path
) -> None:
    done, folder = quantized
    plan = read_plan(folder / PLAN_FILE)
    assert not plan.quantizer and plan.precisions == {Precision.FP32, Precision.INT8}
    config = BuildConfig(backend="onnxruntime", plan=plan, threads=1)
    ours = run(request_of("run-0002", config=config, calibration=str(samples_path)), Listener(), never)
    assert ours.status is Status.DONE, ours.error
    assert ours.build is not None and done.build is not None and ours.build.asked == done.build.asked


def test_a_rule_keeps_nodes_out_of_it(request_of: RequestOf, samples_path: Path) -> None:
    plan = msgspec.structs.replace(ORT, rules=(Rule(Precision.FP32, op="Gemm"),))
    config = BuildConfig(backend="onnxruntime", plan=plan, threads=1)
    request = request_of(config=config, calibration=str(samples_path))
    assert run(request, Listener(), never).status is Status.DONE
    nodes = {node for rule in read_plan(Path(request.folder) / PLAN_FILE).rules for node in rule.nodes}
    assert "n0" in nodes and "n7" not in nodes


@pytest.mark.parametrize(
    ("plan", "calibration", "said"),
    [
        (msgspec.structs.replace(ORT, default=Precision.FP32), "random", "writes INT8, and the plan's default is FP32"),
        (msgspec.structs.replace(ORT, quantizer="ort:magic"), "random", "no quantizer ort:magic"),
        (ORT, "", "needs a calibration set"),
    ],
)
def test_what_cannot_be_is_one_sentence_with_a_hint(
    request_of: RequestOf, plan: PrecisionPlan, calibration: str, said: str
) -> None:
    config = BuildConfig(backend="onnxruntime", plan=plan, threads=1)
    done = run(request_of(config=config, calibration=calibration), Listener(), never)
    assert done.status is Status.FAILED and done.error is not None
    assert said in done.error.message and done.error.hint and not done.error.detail
