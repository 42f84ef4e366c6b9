"""`workbench run --ledger` and `workbench diff`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import QUICK, Cli
from tests.pipeline.fusing import fp32
from tests.session.engines import MS, save_run, two_runs
from workbench.core.precision import Precision
from workbench.core.run import Run, Throughput
from workbench.pipeline.files import GRAPH_FILE
from workbench.store import Store


@pytest.fixture
def runs(own_home: Path) -> tuple[Run, Run]:
    return two_runs()


def test_the_ledger_is_a_part_of_the_runs_document(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--ledger", "--json")
    assert answer.code == 0
    ledger = answer.document["ledger"]
    assert [row["pattern"] for row in ledger["rows"]] == ["Conv+Relu"] and ledger["nodes"] == 2
    assert ledger["rows"][0]["saved_bytes"] == 2 * 2 * 2 * 2 * 4  # c, 1×2×2×2 floats, written and read once less
    assert "ledger" not in cli("run", model, *QUICK, "--json").document


def test_the_ledger_is_printed_below_the_summary(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--ledger")
    assert "2 nodes → 1 layer; 2 fused; 0 KiB saved ESTIMATE" in answer.out
    assert "why fusion ends behind it" in answer.out and "it writes the output y" in answer.out


def test_two_runs_are_compared_layer_by_layer(cli: Cli, runs: tuple[Run, Run]) -> None:
    answer = cli("diff", runs[0].id, runs[1].id)
    assert answer.code == 0
    assert "3 groups: 2 same, 1 split" in answer.out and "split into 2; FP32 → FP32/INT8" in answer.out


def test_the_comparison_is_one_document(cli: Cli, runs: tuple[Run, Run]) -> None:
    document = cli("diff", runs[0].id, runs[1].id, "--json").document
    assert document["a"]["run"] == runs[0].id and document["b"]["layers_ms"] == pytest.approx(sum(MS["int8"].values()))
    first = document["groups"][0]  # the largest difference comes first
    assert first["change"] == "split" and first["difference_ms"] == pytest.approx(-1.1) and first["precision_changed"]


def test_engines_that_were_not_timed_are_compared_without_times(cli: Cli, own_home: Path) -> None:
    a, b = two_runs(timed=False)
    answer = cli("diff", a.id, b.id)
    assert answer.code == 0 and "time A" not in answer.out and "not timed: no such GPU here" in answer.out


def test_inputs_of_other_shapes_have_no_waterfall(cli: Cli, runs: tuple[Run, Run]) -> None:
    for run, batch in zip(runs, (1, 8), strict=True):
        assert run.timing is not None
        timing = msgspec.structs.replace(run.timing, shapes={"x": (batch, 3)})
        Store().save(msgspec.structs.replace(run, timing=timing))
    answer = cli("diff", runs[0].id, runs[1].id)
    assert answer.code == 0 and "inputs of other shapes: no waterfall" in answer.out and "median of A" not in answer.out


def test_a_latency_under_load_has_no_waterfall(cli: Cli, runs: tuple[Run, Run]) -> None:
    for run in runs:
        assert run.timing is not None
        timing = msgspec.structs.replace(run.timing, throughput=Throughput(10.0, 9.0, 11.0, 2))
        Store().save(msgspec.structs.replace(run, timing=timing))
    answer = cli("diff", runs[0].id, runs[1].id)
    assert answer.code == 0 and "under load is not made of the times of layers: no waterfall" in answer.out


def test_runs_of_two_models_are_refused_in_a_sentence(cli: Cli, runs: tuple[Run, Run]) -> None:
    other = save_run(Store(), Precision.FP16, fp32(), {})
    Store().save(msgspec.structs.replace(other, model_sha256="6" * 64, model_name="another"))
    answer = cli("diff", runs[0].id, other.id)
    assert answer.code == 1 and "runs of two models: eight and another" in answer.err


def test_a_run_without_an_engine_is_refused_in_a_sentence(cli: Cli, runs: tuple[Run, Run], own_home: Path) -> None:
    (Store().folder(runs[1].id) / GRAPH_FILE).unlink()
    answer = cli("diff", runs[0].id, runs[1].id, "--json")
    assert answer.code == 1 and "has no engine graph" in answer.document["error"]["message"]


def test_a_run_that_is_not_there_is_named(cli: Cli, runs: tuple[Run, Run]) -> None:
    answer = cli("diff", runs[0].id, "nobody")
    assert answer.code == 1 and "'nobody'" in answer.err
