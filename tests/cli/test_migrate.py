"""`workbench migrate`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli
from workbench.precision.plan_file import read_plan


def test_the_plan_is_written_and_the_document_says_what_is_gone(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    answer = cli("migrate", "trtexec --onnx=m.onnx --int8 --fp16", "--out", path, "--json")
    assert answer.code == 0, answer.err
    assert [entry["option"] for entry in answer.document["gone"]] == ["--int8", "--fp16"]
    assert str(path) in answer.document["workbench"]
    assert len(read_plan(path).rules) == 4


def test_what_is_no_command_is_a_sentence(cli: Cli) -> None:
    answer = cli("migrate", "trtexec --fp16")
    assert (answer.code, answer.out) == (1, "")
    assert "names no --onnx" in answer.err
