"""`workbench inspect` with its verdicts, and `workbench run --advice`."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.cli.conftest import QUICK, Cli
from tests.pipeline.odd import branching
from workbench.backends.tensorrt_rtx.module import find_module
from workbench.store import Store


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    onnx.save_model(branching(), tmp_path / "odd.onnx")
    return tmp_path / "odd.onnx"


def test_inspect_says_what_is_refused_what_helps_and_what_changes_silently(cli: Cli, odd: Path) -> None:
    answer = cli("inspect", odd)
    assert answer.code == 0
    assert "silently: int64 becomes int32 in 1 tensor; values beyond ±2,147,483,647 wrap around" in answer.out
    if find_module():
        assert "✗ TensorRT RTX: TensorRT refuses NonZero (n1.then_branch.n0)" in answer.out
        assert "what helps: With c = 0 for good" in answer.out and "const = 0 for c in the recipe" in answer.out


def test_a_verdict_is_a_part_of_the_document(cli: Cli, odd: Path) -> None:
    found = cli("inspect", odd, "--json").document["backends"]["openvino"]
    assert found["accepted"] and found["silent"][0]["was"] == "int64" and found["silent"][0]["nodes"]


def test_a_run_gives_advice_where_it_is_asked_for(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--advice")
    assert answer.code == 0 and "advice: nothing. Looked for: attention" in answer.out
    document = cli("run", model, *QUICK, "--advice", "--json").document
    assert document["advice"]["advice"] == [] and len(document["advice"]["looked_at"]) >= 9
    assert "advice" not in cli("run", model, *QUICK, "--json").document


def test_a_clean_graph_can_be_asked_for_in_fp32(cli: Cli, model: Path) -> None:
    document = cli("run", model, *QUICK, "--clean", "--json").document
    assert Store().load(document["id"]).config.plan.clean
