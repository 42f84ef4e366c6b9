"""What the disk refuses is told, and leaves the window as it was; an edit that is taken back leaves nothing to undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.session.conftest import TIMEOUT_MS, build_and_wait
from tests.session.models import LONG
from workbench.core.errors import WorkbenchError
from workbench.session.session import Session
from workbench.session.settings import Settings


def test_settings_hold_until_the_end_where_the_disk_takes_none(tmp_path: Path, qapp: object) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = Settings(tmp_path / "file" / "settings.json")
    settings.set("theme", "dark")
    assert settings.get("theme") == "dark"


def test_of_several_runs_those_that_can_be_deleted_are_gone(
    opened: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = build_and_wait(opened, qtbot), build_and_wait(opened, qtbot)
    delete, told = opened.runs.store.delete, []

    def refuse(run_id: str) -> None:
        if run_id == first.id:
            raise WorkbenchError("Read-only file system.")
        delete(run_id)

    monkeypatch.setattr(opened.runs.store, "delete", refuse)
    opened.runs.failed.connect(told.append)
    opened.runs.delete([first.id, second.id])
    assert [run.id for run in opened.runs] == [first.id] and opened.current == first
    assert [error.message for error in told] == ["Read-only file system."]


def test_what_is_typed_and_taken_back_is_no_step_to_undo(opened: Session) -> None:
    before, choices = opened.undo.count(), opened.choices
    for threads in (1, 12, 1, 0):
        opened.choose("Threads", "threads", threads=threads)
    assert opened.choices == choices and opened.undo.count() == before and opened.undo.undoText() == "Null"
    opened.choose("Threads", "threads", threads=3)
    opened.undo.undo()
    assert opened.choices == choices


def test_a_run_at_work_is_not_named_since_its_process_would_write_over_it(opened: Session, qtbot: QtBot) -> None:
    opened.choose("Long", options=LONG)
    run = opened.build()
    assert run is not None
    with pytest.raises(WorkbenchError, match="still at work"):
        opened.runs.rename(run.id, "mine")
    opened.cancel()
    qtbot.waitUntil(lambda: not opened.is_busy, timeout=TIMEOUT_MS)
    opened.runs.rename(run.id, "mine")
    assert opened.runs.titles.of(opened.runs.store.load(run.id)) == "mine"
