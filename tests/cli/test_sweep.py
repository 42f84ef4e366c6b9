from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_no_streams_are_no_sweep(cli: Cli, model: Path) -> None:
    answer = cli("sweep", model, "--backend", "null", "--streams-each", "0,1")
    assert answer.code == 2 and "'0,1' has a count of 0" in answer.err


def test_threads_that_are_not_swept_are_those_asked_for(cli: Cli, model: Path) -> None:
    answer = cli("sweep", model, "--backend", "null", "--threads", "1", "--seconds", "0.05", "--json")
    assert [one["threads"] for one in answer.document] == [1]


def test_a_sweep_is_a_table_with_the_best_and_the_cost_and_is_known_the_second_time(cli: Cli, model: Path) -> None:
    grid = ("--threads-each", "1", "--streams-each", "1,2", "--seconds", "0.1", "--price-per-hour", "3.6")
    answer = cli("sweep", model, "--backend", "null", *grid)
    assert answer.code == 0, answer.err
    assert "2 points, 0 known" in answer.err and "1 thread, 2 streams" in answer.out and "best" in answer.out
    again = cli("sweep", model, "--backend", "null", *grid, "--json")
    assert "2 points, 2 known; about 0 s" in again.err
    assert [one["streams"] for one in again.document] == [1, 2]
    assert all(one["machine"]["cpu"] and one["noisy"] in (True, False) for one in again.document)
    assert all(one["samples_per_second"] > 0 and one["cost_per_million"] > 0 for one in again.document)
