"""`workbench culprits`: the ranking as text and as a document, and the plan with the culprits exempted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.pipeline import breaking
from workbench.core.json import decode, encode
from workbench.core.precision import Precision
from workbench.core.sensitivity import Culprits
from workbench.model import open_model
from workbench.precision import asked_precisions
from workbench.precision.plan_file import read_plan_file


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    model = breaking.broken_model(tmp_path / "broken.onnx", overflow=False, layers=4)
    sets = str(breaking.samples(tmp_path / "samples.npz"))
    return ["culprits", str(model), "--precision", "int8", "--method", "max", "--calibration", sets, "--evaluate", sets]


def test_the_outlier_is_named_first_and_the_written_plan_exempts_it(cli: Cli, words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "plan.toml"
    answer = cli(*words, "--out", out)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[1].startswith(breaking.OUTLIER)
    assert f"Exempting {breaking.OUTLIER}: " in answer.out
    model = open_model(tmp_path / "broken.onnx")
    names = {layer.id: layer.name for layer in model.graph.walk()}
    asked = asked_precisions(model, read_plan_file(out).plan)
    assert {names[node] for node, precision in asked.items() if precision is Precision.FP32} == {breaking.OUTLIER}
    document = cli(*words, "--json").document
    found = decode(encode(document), Culprits)
    assert found.layers[0].title == breaking.OUTLIER and found.evaluations <= found.budget


def test_a_plan_without_low_precision_is_told_so(cli: Cli, words: list[str]) -> None:
    answer = cli(*words[:2])
    assert answer.code == 1 and "no layer in a low precision" in answer.err
