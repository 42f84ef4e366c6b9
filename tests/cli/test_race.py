from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def build(cli: Cli, model: Path, latency_ms: float) -> str:
    """The id of a run of the null backend that sleeps so long."""
    option = f"latency_ms={latency_ms}"
    answer = cli(
        "run", model, "--backend", "null", "--seconds", "0", "--evaluate", "none", "--option", option, "--json"
    )
    return str(answer.document["id"])


def test_a_race_of_two_runs_says_which_is_faster(cli: Cli, model: Path) -> None:
    slow, fast = build(cli, model, 8.0), build(cli, model, 2.0)
    answer = cli("race", slow, fast[-6:], "--seconds", "0")  # eight rounds, however fast the machine is
    assert answer.code == 0, answer.err
    assert "baseline" in answer.out and "faster by" in answer.out and "interleaved" in answer.out
    document = cli("race", slow, fast, "--seconds", "0", "--json").document
    assert [entry["run"] for entry in document["entries"]] == [slow, fast]
    assert document["entries"][1]["speedup"] > 2


@pytest.mark.parametrize("rival", ["nonsense", ""])
def test_a_run_that_is_not_there_is_a_users_error(cli: Cli, model: Path, rival: str) -> None:
    answer = cli("race", build(cli, model, 1.0), rival)
    assert answer.code == 1
    assert "There is no run" in answer.err and "workbench runs" in answer.err


def test_a_run_does_not_race_itself(cli: Cli, model: Path) -> None:
    run = build(cli, model, 1.0)
    assert "cannot race itself" in cli("race", run, run).err
