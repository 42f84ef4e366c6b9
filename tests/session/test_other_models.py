"""Runs of other models than the open one: seen where the setting says so, never taken for runs of this one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.session.conftest import build_and_wait
from tests.session.models import open_here, save_small_model
from workbench.core.run import Run
from workbench.session.session import Session


@pytest.fixture
def foreign(opened: Session, qtbot: QtBot, tmp_path: Path) -> Run:
    """A run of the model that was open before; the table shows runs of all models."""
    run = build_and_wait(opened, qtbot)
    open_here(opened, save_small_model(tmp_path / "other.onnx", blocks=3))
    opened.choose("Null", backend="null")
    opened.settings.set("all_models", True)
    return run


def test_the_newest_run_of_another_model_is_neither_current_nor_baseline(opened: Session, foreign: Run) -> None:
    assert opened.model is not None
    open_here(opened, Path(opened.model.path))
    assert [run.id for run in opened.visible_runs()] == [foreign.id]
    assert opened.current is None and opened.baseline is None


def test_layers_of_another_model_are_not_linked_with_these_nodes(opened: Session, foreign: Run) -> None:
    opened.set_current(foreign.id)
    opened.select_nodes(["n0"])
    assert opened.current == foreign and opened.engine is None
    assert not opened.selection.layers and not opened.pair.candidates()


def test_runs_of_two_models_do_not_race(opened: Session, foreign: Run, qtbot: QtBot) -> None:
    own = build_and_wait(opened, qtbot)
    opened.set_compared([own.id, foreign.id])
    assert opened.races.racers == (own.id,) and not opened.races.is_possible


def test_a_current_run_that_is_deleted_gives_way_to_the_newest(opened: Session, qtbot: QtBot) -> None:
    first, second = build_and_wait(opened, qtbot), build_and_wait(opened, qtbot)
    assert opened.current == second
    opened.runs.delete([second.id])
    assert opened.current == first and opened.engine is not None and opened.compared == (first.id,)
    opened.runs.delete([first.id])
    assert opened.current is None and opened.compared == ()
