"""`workbench plan`, and plans where commands take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, Cli

PLAN = """
default = "int8"
[[rules]]
op = "Relu"
precision = "fp16"
note = "it is cheap"
[[rules]]
name = "nothing*"
precision = "fp32"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def test_every_node_is_listed_with_its_precision_and_why(cli: Cli, model: Path, plan: Path) -> None:
    answer = cli("plan", model, "--plan", plan)
    assert answer.code == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["n0", "Conv", "INT8", "default"] in lines
    assert ["n1", "Relu", "FP16", "rule", "1:", "op", "=", "Relu"] in lines
    assert "op = Relu: 1 matched, 1 decided  (it is cheap)" in answer.out
    assert answer.err == "Rule 2 matches no node of this model: name = nothing*.\n"


def test_the_document_has_rules_nodes_and_problems(cli: Cli, model: Path, plan: Path) -> None:
    document = cli("plan", model, "--plan", plan, "--json").document
    assert document["precisions"] == {"int8": 1, "fp16": 1}
    assert [(rule["matched"], rule["decided"]) for rule in document["rules"]] == [(1, 1), (0, 0)]
    assert document["nodes"][1] == {
        "id": "n1",
        "name": "",
        "op": "Relu",
        "precision": "fp16",
        "rule": 0,
        "over": [],
        "why": "rule 1: op = Relu",
        "limit": "",
    }
    assert len(document["problems"]) == 1


def test_what_a_backend_will_not_run_is_said_before_a_build(cli: Cli, model: Path) -> None:
    document = cli("plan", model, "--precision", "fp4_weights", "--backend", "openvino", "--json").document
    limits = [node["limit"] for node in document["nodes"]]
    assert all(limits) or not any(limits)
    answer = cli("plan", model, "--precision", "fp32", "--backend", "onnxruntime")
    assert answer.code == 0 and "!" not in answer.out


def test_two_plans_differ_in_fields_rules_and_nodes(cli: Cli, model: Path, plan: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(PLAN.replace("fp16", "bf16"))
    answer = cli("plan", model, "--diff", plan, other)
    assert "- rule 1: FP16 op = Relu\n+ rule 1: BF16 op = Relu\n1 of 2 nodes run in another precision." in answer.out
    document = cli("plan", model, "--diff", plan, other, "--json").document
    assert [(node["node"], node["before"], node["after"]) for node in document["nodes"]] == [("n1", "fp16", "bf16")]
    assert cli("plan", model, "--diff", plan, plan).out == "The plans are the same.\n"


def test_plans_stand_beside_precisions_in_a_comparison(cli: Cli, model: Path, plan: Path, tmp_path: Path) -> None:
    words = ("--backends", "null", "--precisions", "fp32", "--no-baseline", "--no-time", "--plan", plan)
    answer = cli("compare", model, *words, "--samples", "2", "--json")
    assert [run["precision"] for run in answer.document["runs"]] == ["fp32", "int8+"]


@pytest.mark.parametrize("command", ["run", "plan", "compare"])
def test_a_bad_plan_is_one_sentence_with_its_line_everywhere(
    cli: Cli, model: Path, tmp_path: Path, command: str
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('default = "int8"\n[[rules]]\nprecison = "fp16"\n')
    answer = cli(command, model, "--plan", bad, *(QUICK if command == "run" else ()))
    assert answer.code == 1 and answer.err.count("\n") == 1
    assert "bad.toml is not a precision plan: line 3, rule 1: there is no field `precison`" in answer.err
    assert "Did you mean `precision`?" in answer.err


def test_rules_that_fit_nothing_are_a_note_of_the_run(cli: Cli, model: Path, plan: Path) -> None:
    document = cli("run", model, *QUICK, "--no-time", "--plan", plan, "--samples", "2", "--json").document
    assert document["status"] == "done"
    assert any("Rule 2 matches no node of this model" in note for note in document["build"]["notes"])
