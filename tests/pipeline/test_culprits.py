"""The culprit finder on models whose culprits were planted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.pipeline import breaking
from workbench.core.events import AnyEvent, Ranked
from workbench.core.json import read_json
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.recipe import Recipe, Task, TaskKind
from workbench.core.sensitivity import Culprits, CulpritsRequest, Granularity
from workbench.model import open_model
from workbench.pipeline.culprits import find_culprits, finding
from workbench.pipeline.culprits.suspects import Suspect, exempting, only_low, suspects
from workbench.pipeline.culprits.text import ranking_text, sentences
from workbench.pipeline.evaluating import PlanEvaluator
from workbench.pipeline.telling import JobTeller


def search(folder: Path, model: Path, plan: PrecisionPlan, calibration: str = "", **fields: object) -> Culprits:
    run = breaking.request(folder, model, plan, calibration=calibration)
    return find_culprits(CulpritsRequest("c", str(folder / "c"), run, **fields), ignore, never)  # type: ignore[arg-type]


def ignore(event: AnyEvent) -> None:
    pass


def never() -> bool:
    return False


def names(model: Path, nodes: tuple[str, ...]) -> set[str]:
    known = {layer.id: layer.name for layer in open_model(model).graph.walk()}
    return {known[node] for node in nodes}


def test_the_layer_with_an_outlier_channel_is_named_first_and_exempting_it_cures(
    tmp_path: Path,
) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False)
    found = search(tmp_path, model, breaking.INT8)
    assert found.error is None and found.plan is not None and found.proposal is not None
    assert found.layers[0].title == breaking.OUTLIER
    assert names(model, found.proposal.nodes) == {breaking.OUTLIER}
    assert found.proposal.evaluation.sqnr_db > found.plan.sqnr_db + 15


def test_both_layers_that_an_overflow_of_fp16_runs_through_are_named_first(tmp_path: Path) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", outlier=False)
    found = search(tmp_path, model, breaking.FP16)
    assert found.plan is not None and found.plan.is_broken and found.proposal is not None
    assert {one.title for one in found.layers[:2]} == set(breaking.OVERFLOW)
    assert all(one.is_broken for one in found.layers[:2]) and not any(one.is_broken for one in found.layers[2:])
    assert names(model, found.proposal.nodes) == set(breaking.OVERFLOW)
    assert found.proposal.evaluation.sqnr_db > 50


def test_an_outlier_channel_and_an_overflow_are_found_in_one_search(tmp_path: Path) -> None:
    """Random calibration, which is not looked at for overflows: else the plan is written around them."""
    model = breaking.broken_model(tmp_path / "m.onnx")
    found = search(tmp_path, model, breaking.BOTH, calibration="random")
    expected = {*breaking.OVERFLOW, breaking.OUTLIER}
    assert found.plan is not None and found.plan.is_broken and found.proposal is not None
    assert {one.title for one in found.layers[:3]} == expected
    assert names(model, found.proposal.nodes) == expected
    assert found.proposal.evaluation.sqnr_db > 15


def test_layers_whose_errors_cancel_are_not_proposed_though_each_alone_is_the_loudest(tmp_path: Path) -> None:
    model = breaking.cancelling_model(tmp_path / "m.onnx")
    found = search(tmp_path, model, breaking.INT8)
    assert found.plan is not None and found.proposal is not None
    assert names(model, found.proposal.nodes) == {breaking.OUTLIER}
    assert found.proposal.evaluation.sqnr_db > found.plan.sqnr_db + 6
    run = breaking.request(tmp_path, model, breaking.INT8)
    with PlanEvaluator(JobTeller("again", ignore, never), run, tmp_path) as evaluator:
        layers = {one.title: one for one in suspects(evaluator.subject.model, breaking.INT8, Granularity.LAYER)}
        without_left = evaluator.evaluate(exempting(breaking.INT8, [layers["left"]]))
        only_left = evaluator.evaluate(only_low(breaking.INT8, list(layers.values()), [layers["left"]]))
    assert without_left.sqnr_db < found.plan.sqnr_db - 6
    assert only_left.sqnr_db < min(one.alone_db for one in found.layers if one.alone_db is not None)


def test_every_set_that_is_told_of_was_measured_as_it_is_told(tmp_path: Path, own_home: Path) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False, layers=6)
    found = search(tmp_path, model, breaking.INT8)
    for journal in (own_home / "evaluations").iterdir():
        journal.unlink()
    run = msgspec.structs.replace(breaking.request(tmp_path, model, breaking.INT8), evaluation_limit=16)
    with PlanEvaluator(JobTeller("again", ignore, never), run, tmp_path) as evaluator:
        for told in found.exemptions:
            plan = exempting(breaking.INT8, [Suspect(told.nodes, "", "", "")])
            assert evaluator.evaluate(plan).sqnr_db == pytest.approx(told.evaluation.sqnr_db, abs=1e-6)


def test_a_search_goes_on_where_it_was_killed_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False)
    begun = search(tmp_path, model, breaking.INT8, evaluations=6)
    assert begun.evaluations == 6 and begun.plan is not None and begun.layers
    measured: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        plain = PlanEvaluator._measured
        patch.setattr(PlanEvaluator, "_measured", lambda self, plan: (measured.append(1), plain(self, plan))[1])
        whole = search(tmp_path, model, breaking.INT8)
        assert len(measured) == whole.evaluations - 6
        measured.clear()
        again = search(tmp_path, model, breaking.INT8)
    assert not measured
    assert again.layers == whole.layers and again.exemptions == whole.exemptions


def test_what_is_known_stands_on_disk_while_the_search_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kills it keeps that; its error says that it was not done."""
    monkeypatch.setattr(finding, "TELL_SECONDS", 0.0)
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False, layers=6)
    run = breaking.request(tmp_path, model, breaking.INT8)
    told: list[Culprits] = []
    files: list[Culprits] = []

    def listen(event: AnyEvent) -> None:
        if isinstance(event, Ranked):
            told.append(event.culprits)
            files.append(read_json(tmp_path / "c" / "culprits.json", Culprits))

    done = find_culprits(CulpritsRequest("c", str(tmp_path / "c"), run), listen, never)
    assert [file.plan for file in files] == [one.plan for one in told] and told[-1].layers
    assert all(file.error is not None for file in files) and done.error is None
    assert read_json(tmp_path / "c" / "culprits.json", Culprits) == done


def test_a_search_that_is_cancelled_keeps_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "TELL_SECONDS", 0.0)  # else a fast one is over before it tells of layers
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False)
    run = breaking.request(tmp_path, model, breaking.INT8)
    known: list[Culprits] = []

    def listen(event: AnyEvent) -> None:
        if isinstance(event, Ranked):
            known.append(event.culprits)

    found = find_culprits(
        CulpritsRequest("c", str(tmp_path / "c"), run), listen, lambda: bool(known and known[-1].layers)
    )
    assert found.error is not None and found.error.message == "Cancelled."
    assert found.layers and found.plan is not None


def test_groups_are_exempted_whole(tmp_path: Path) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False)
    found = search(tmp_path, model, breaking.INT8, granularity=Granularity.GROUP)
    assert found.error is None and found.proposal is not None
    assert breaking.OUTLIER in names(model, found.proposal.nodes)


@pytest.mark.parametrize("plan", [PrecisionPlan(), breaking.FP16], ids=["nothing low", "no samples"])
def test_what_cannot_be_searched_is_said_in_a_sentence(tmp_path: Path, plan: PrecisionPlan) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", layers=3)
    run = breaking.request(tmp_path, model, plan)
    if plan is breaking.FP16:
        run = msgspec.structs.replace(run, evaluation="none")
    found = find_culprits(CulpritsRequest("c", str(tmp_path / "c"), run), ignore, never)
    assert found.error is not None and found.error.message.endswith(".") and found.error.hint


def test_a_plan_that_loses_nothing_has_no_culprits(tmp_path: Path) -> None:
    making = breaking.broken_model(tmp_path / "m.onnx", outlier=False, overflow=False, layers=2)
    found = search(tmp_path, making, breaking.FP16, evaluations=1)
    assert found.error is None and found.evaluations == 1 and found.proposal is None


def test_the_text_names_the_worst_first_and_what_was_measured(tmp_path: Path) -> None:
    model = breaking.broken_model(tmp_path / "m.onnx", overflow=False)
    found = search(tmp_path, model, breaking.INT8)
    table = ranking_text(found, 3).splitlines()
    assert table[1].startswith(breaking.OUTLIER) and table[-1].startswith("… ")
    assert any(text.startswith(f"Exempting {breaking.OUTLIER}: ") for text in sentences(found))


def test_a_plan_that_another_tool_writes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    plan = PrecisionPlan(Precision.INT8, quantizer="nncf:int8")
    found = search(tmp_path, breaking.broken_model(tmp_path / "m.onnx"), plan)
    assert found.error is not None and found.error.message.startswith("NNCF writes this plan")


def test_an_overflow_is_told_of_also_where_the_metric_is_a_mean(tmp_path: Path) -> None:
    """A mean of infinities is no JSON, in which the result crosses to the window."""
    model = breaking.broken_model(tmp_path / "m.onnx", outlier=False)
    run = breaking.request(tmp_path, model, breaking.FP16)
    run = msgspec.structs.replace(run, recipe=Recipe(task=Task(TaskKind.EMBEDDING)))
    found = find_culprits(CulpritsRequest("c", str(tmp_path / "c"), run), ignore, never)
    assert found.plan is not None and found.plan.is_broken and found.plan.task is None
    assert found.proposal is not None and found.proposal.evaluation.task is not None
    assert read_json(tmp_path / "c" / "culprits.json", Culprits) == found
