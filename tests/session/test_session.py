"""The open document: opening, choices and undo, linked selection, runs, messages."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from tests.session.conftest import TIMEOUT_MS, build_and_wait
from tests.session.models import LONG, save_small_model
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, Rule
from workbench.core.recipe import Color, Preprocess
from workbench.core.run import Status
from workbench.session.questions import SamplesInfo
from workbench.session.session import Session
from workbench.store import Store


def children(of: str = "workbench.") -> list[psutil.Process]:
    """Living child processes whose command line names this module."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and any(of in word for word in child.cmdline()):
                found.append(child)
    return found


def jobs() -> list[psutil.Process]:
    return children("workbench.jobs.child")


def test_a_model_opens_in_another_process_with_guessed_shapes(
    session: Session, small_model: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(session.model_changed, timeout=TIMEOUT_MS):
        session.open(str(small_model))
    assert session.model is not None
    assert session.model.top_level_nodes == 5
    assert session.choices.shapes == {"x": (1, 3, 8, 8)}
    assert session.settings.get("recent") == (str(small_model),)


def test_a_file_that_is_no_model_is_a_message_with_a_hint_and_no_recent_file(
    session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "no.onnx"
    path.write_text("this is not a model")
    session.open(str(path))
    qtbot.waitUntil(lambda: session.message is not None, timeout=TIMEOUT_MS)
    assert session.message is not None and session.message.is_error and session.message.text
    assert session.model is None and not session.is_opening
    assert session.settings.get("recent") == ()


def test_opening_can_be_cancelled_and_leaves_no_process(session: Session, small_model: Path, qtbot: QtBot) -> None:
    session.open(str(small_model))
    assert session.is_opening and session.can_cancel
    session.cancel()
    assert not session.is_opening
    qtbot.waitUntil(lambda: not children(), timeout=TIMEOUT_MS)
    qtbot.wait(100)
    assert session.model is None


def test_every_choice_is_undone_and_done_again(opened: Session) -> None:
    opened.undo.clear()
    before = opened.choices
    opened.choose_all(opened.choices.with_plan(default=Precision.INT8), "INT8")
    opened.choose("Shape", shapes={"x": (4, 3, 8, 8)})
    opened.choose("Set", calibration="random")
    after = opened.choices
    for _ in range(3):
        opened.undo.undo()
    assert opened.choices == before and not opened.can_undo
    for _ in range(3):
        opened.undo.redo()
    assert opened.choices == after and not opened.can_redo


def test_choosing_what_is_chosen_already_is_no_edit(opened: Session) -> None:
    count = opened.undo.count()
    opened.choose("Same", backend=opened.choices.backend)
    assert opened.undo.count() == count


def test_edits_with_one_key_become_one_step(opened: Session) -> None:
    opened.undo.clear()
    for batch in (2, 3, 4):
        opened.choose("Batch", key="batch", shapes={"x": (batch, 3, 8, 8)})
    assert opened.undo.count() == 1
    opened.undo.undo()
    assert opened.choices.shapes == {"x": (1, 3, 8, 8)}


def test_an_edited_recipe_is_there_when_the_model_is_opened_again(
    opened: Session, small_model: Path, qtbot: QtBot
) -> None:
    recipe = type(opened.choices.recipe)(title="mine", preprocess=Preprocess(width=8, height=8, color=Color.BGR))
    opened.choose("Recipe", recipe=recipe)
    opened.close_model()
    opened.open(str(small_model))
    qtbot.waitUntil(lambda: opened.model is not None, timeout=TIMEOUT_MS)
    assert opened.choices.recipe.preprocess == recipe.preprocess


def test_a_built_run_links_both_graphs(opened: Session, qtbot: QtBot) -> None:
    run = build_and_wait(opened, qtbot)
    assert run.status is Status.DONE, run.error
    opened.select_nodes(["n0"])
    (layer,) = opened.selection.layers
    opened.select_layers([layer])
    assert opened.selection.nodes == {"n0", "n1"} and opened.selection.by_layer
    opened.select_nodes(["there is none"])
    assert not opened.selection


def test_the_selected_nodes_stay_selected_when_another_run_becomes_current(opened: Session, qtbot: QtBot) -> None:
    first = build_and_wait(opened, qtbot)
    opened.select_nodes(["n2"])
    second = build_and_wait(opened, qtbot)
    assert opened.current is not None and opened.current.id == second.id
    assert opened.selection.nodes == {"n2"} and opened.selection.layers
    opened.set_current(first.id)
    assert opened.selection.nodes == {"n2"}


def test_live_values_arrive_while_a_run_measures(opened: Session, qtbot: QtBot) -> None:
    ticks: list[frozenset[str]] = []
    opened.runs.ticked.connect(ticks.append)
    run = build_and_wait(opened, qtbot)
    assert len(opened.runs.latencies(run.id)) >= 10
    assert run.timing is not None and run.timing.stats is not None
    assert any(run.id in told for told in ticks)
    assert opened.runs.log(run.id) is not None


def test_a_cancelled_run_ends_at_once_and_leaves_no_process(opened: Session, qtbot: QtBot) -> None:
    opened.choose("Slow", options=LONG)
    run = opened.build()
    assert run is not None
    qtbot.waitUntil(lambda: bool(jobs()) and opened.runs.running == run.id, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(opened.runs.finished, timeout=TIMEOUT_MS):
        opened.cancel()
    ended = opened.runs.get(run.id)
    assert ended is not None and ended.status is Status.CANCELLED
    assert not jobs() and opened.message is None


def test_kill_9_of_the_child_is_a_failed_run_with_a_reason(opened: Session, qtbot: QtBot) -> None:
    opened.choose("Slow", options=LONG)
    run = opened.build()
    assert run is not None
    qtbot.waitUntil(lambda: bool(jobs()), timeout=TIMEOUT_MS)
    os.kill(jobs()[0].pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not opened.is_busy, timeout=TIMEOUT_MS)
    ended = opened.runs.get(run.id)
    assert ended is not None and ended.status is Status.FAILED and ended.error is not None
    assert opened.message is not None and "SIGKILL" in opened.message.text
    opened.choose("Well", options={})
    assert build_and_wait(opened, qtbot).status is Status.DONE


def test_a_run_that_ended_before_its_model_was_open_stands_among_the_runs_of_it(
    opened: Session, qtbot: QtBot, small_model: Path
) -> None:
    small_model.unlink()
    run = build_and_wait(opened, qtbot)
    assert run.status is Status.FAILED and run.error is not None and "There is no file" in run.error.message
    assert list(opened.visible_runs()) == [run] == Store().runs()


def test_runs_wait_their_turn_and_one_of_them_can_be_cancelled(opened: Session, qtbot: QtBot) -> None:
    opened.choose("Slow", options=LONG)
    first, second = opened.build(), opened.build()
    assert first is not None and second is not None
    assert list(opened.runs.jobs) == [first.id, second.id]
    assert opened.current is not None and opened.current.id == first.id
    qtbot.waitUntil(lambda: opened.runs.running == first.id, timeout=TIMEOUT_MS)
    opened.runs.cancel(first.id)
    qtbot.waitUntil(lambda: opened.runs.running == second.id, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: opened.current is not None and opened.current.id == second.id, timeout=TIMEOUT_MS)
    opened.cancel()
    qtbot.waitUntil(lambda: not opened.is_busy, timeout=TIMEOUT_MS)


def test_closing_while_a_run_works_ends_its_process(opened: Session, qtbot: QtBot) -> None:
    opened.choose("Slow", options=LONG)
    opened.build()
    qtbot.waitUntil(lambda: bool(jobs()), timeout=TIMEOUT_MS)
    opened.close()
    assert not children()


def test_runs_are_there_after_a_restart(opened: Session, qtbot: QtBot, small_model: Path) -> None:
    run = build_and_wait(opened, qtbot)
    opened.runs.rename(run.id, "the good one")
    again = Session(Store())
    try:
        again.open(str(small_model))
        qtbot.waitUntil(lambda: again.model is not None, timeout=TIMEOUT_MS)
        assert [known.label for known in again.visible_runs()] == ["the good one"]
        assert again.current is not None and again.engine is not None
        assert again.choices.backend == "null"
    finally:
        again.close()


def test_deleted_runs_are_gone_with_their_files(opened: Session, qtbot: QtBot) -> None:
    run = build_and_wait(opened, qtbot)
    folder = opened.runs.store.folder(run.id)
    opened.runs.delete([run.id])
    assert not folder.exists() and opened.current is None and opened.compared == () and opened.engine is None


def test_a_race_says_who_is_faster(opened: Session, qtbot: QtBot) -> None:
    opened.settings.set("race_seconds", 1.0)
    opened.choose("Slow", options={"latency_ms": "4"})
    slow = build_and_wait(opened, qtbot)
    opened.choose("Fast", options={"latency_ms": "1"})
    fast = build_and_wait(opened, qtbot)
    opened.set_compared([slow.id, fast.id])
    assert opened.races.is_possible
    assert opened.races.of(fast) is None and opened.races.racers == (slow.id, fast.id)
    with qtbot.waitSignal(opened.races.ended, timeout=TIMEOUT_MS) as ended:
        opened.races.start()
    raced = opened.races.of(fast)
    assert raced is not None and raced.entry.speedup > 2 and "faster" in raced.entry.verdict
    assert raced.race.rounds >= 8 and "interleaved" in raced.race.protocol and raced.race.machine["load"]
    assert not opened.runs.store.folder(ended.args[0].id).exists()  # its engines are of no more use


def test_a_race_that_is_cancelled_says_nothing_and_leaves_nothing(opened: Session, qtbot: QtBot) -> None:
    opened.settings.set("race_seconds", 600.0)
    runs = []
    for latency_ms in ("4", "1"):  # half a minute says by how much these differ; equals are decided in a second
        opened.choose("Latency", options={"latency_ms": latency_ms})
        runs.append(build_and_wait(opened, qtbot))
    opened.set_compared([run.id for run in runs])
    opened.races.start()
    job = next(iter(opened.runs.jobs))
    qtbot.waitUntil(lambda: opened.runs.live[job].progress.phase == "time", timeout=TIMEOUT_MS)
    opened.cancel()
    qtbot.waitUntil(lambda: not opened.is_busy, timeout=TIMEOUT_MS)
    assert opened.races.of(runs[1]) is None and opened.message is None and opened.races.is_possible
    assert not opened.runs.store.folder(job).exists()


def test_one_run_alone_does_not_race(opened: Session, qtbot: QtBot) -> None:
    build_and_wait(opened, qtbot)
    assert not opened.races.is_possible
    opened.races.start()
    assert opened.message is not None and "two" in opened.message.text


def test_a_sample_set_is_looked_into_and_a_missing_one_is_named(opened: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: opened.preview("random") is not None, timeout=TIMEOUT_MS)
    info = opened.preview("random")
    assert isinstance(info, SamplesInfo) and info.is_random and "1×3×8×8" in info.first[0]
    opened.choose("Missing", calibration="/there/is/none.npz")
    qtbot.waitUntil(lambda: isinstance(opened.preview("/there/is/none.npz"), WorkbenchError), timeout=TIMEOUT_MS)


def test_another_model_comes_with_nothing_of_the_one_before(opened: Session, qtbot: QtBot, tmp_path: Path) -> None:
    build_and_wait(opened, qtbot)
    opened.select_layers(["l0"])
    other = save_small_model(tmp_path / "other.onnx", blocks=1)
    seen: list[tuple[object, ...]] = []
    opened.model_changed.connect(
        lambda _model: seen.append((opened.current, opened.compared, bool(opened.selection), len(opened.links.nodes)))
    )
    with qtbot.waitSignal(opened.model_changed, timeout=TIMEOUT_MS):
        opened.open(str(other))
    assert seen == [(None, (), False, 3)]


def test_what_the_plan_asks_follows_its_rules_at_once(opened: Session) -> None:
    opened.choose_all(opened.choices.with_plan(default=Precision.INT8), "INT8")
    opened.choose_all(opened.choices.with_plan(rules=(Rule(Precision.FP32, op="Softmax"),)), "Rule")
    assert opened.asked["n0"] is Precision.INT8 and opened.asked["n4"] is Precision.FP32


@pytest.mark.parametrize("name", ["has_model", "has_run", "has_selection", "can_undo", "is_busy"])
def test_an_empty_session_can_do_nothing_of_this(session: Session, name: str) -> None:
    assert getattr(session, name) is False
