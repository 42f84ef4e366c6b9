"""The build theatre in the window: phases as they go, the log that can be searched, the queue that can be ordered."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.session.models import LONG
from tests.views.driving import TIMEOUT_MS, click
from workbench.core.events import LogLine
from workbench.core.run import Run, Status
from workbench.core.stages import Stage
from workbench.views.log_view import LogView
from workbench.views.main_window import MainWindow
from workbench.views.stage_list import StageList
from workbench.views.widgets import Line


def begin(window: MainWindow, options: dict[str, str] | None = None) -> Run:
    window.session.choose("Options", options=options or {})
    run = window.session.build()
    assert run is not None
    return run


def until_building(window: MainWindow, qtbot: QtBot, run: Run) -> None:
    live = window.session.runs.live[run.id]
    qtbot.waitUntil(lambda: live.at == ("build", "waiting"), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: live.rss_bytes > 0, timeout=TIMEOUT_MS)


def show(window: MainWindow) -> None:
    window.actions_by_id["panel_Build"].trigger()


def test_a_build_is_seen_phase_within_phase_with_its_memory_until_it_is_cancelled(
    window: MainWindow, qtbot: QtBot
) -> None:
    show(window)
    run = begin(window, LONG)
    until_building(window, qtbot, run)
    for view in (window.bottom.build, window.panes.stage):
        assert view.isVisible()
        view.refresh()
        assert [stage.path for stage in view.stages.list.stages][-2:] == [("build",), ("build", "waiting")]
        assert "MiB" in view.head.facts.words.main
        assert view.head.title.words.soft == "Building"
    click(window.panes.stage.head.cancel)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    cancelled = window.session.runs.get(run.id)
    assert cancelled is not None
    assert cancelled.status is Status.CANCELLED
    assert not window.panes.stage.isVisible()
    assert not window.bottom.build.head.cancel.isVisible()
    ended = window.session.runs.stages(run.id)
    assert ended[-1].path == ("build", "waiting")
    assert window.session.runs.stages(run.id) == ended, "the clock of what was killed stands"


def test_a_finished_run_says_where_its_time_went(window: MainWindow, qtbot: QtBot) -> None:
    show(window)
    run = begin(window, {"delay_s": "0.2"})
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    window.bottom.build.refresh()
    stages = {stage.path: stage.seconds for stage in window.bottom.build.stages.list.stages}
    assert stages["build", "waiting"] >= 0.2
    assert stages["build",] >= stages["build", "waiting"]
    assert {("open",), ("plan",), ("time",), ("accuracy",)} <= set(stages)
    assert window.bottom.build.head.title.words.soft == "Done"
    assert window.session.theatre.job == run.id


def test_a_reused_engine_is_told_in_the_theatre_and_the_inspector(window: MainWindow, qtbot: QtBot) -> None:
    show(window)
    for _ in range(2):
        second = begin(window, {"keep": "on"})
        qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert "reused" in window.bottom.build.head.title.words.soft
    assert any("reused" in line.words.soft for line in window.inspector.findChildren(Line))
    third = window.session.theatre.build_anew()
    assert third is not None
    assert window.session.theatre.scene().expected is not None
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert "reused" in window.session.theatre.scene(second.id).headline
    anew = window.session.runs.get(third.id)
    assert anew is not None
    assert anew.build is not None
    assert anew.build.reused is None


def test_jobs_that_wait_are_moved_and_taken_out_by_their_buttons(window: MainWindow, qtbot: QtBot) -> None:
    show(window)
    running, second, third = (begin(window, LONG) for _ in range(3))
    until_building(window, qtbot, running)
    queue = window.bottom.build.queue
    window.bottom.build.refresh()
    assert list(queue._rows) == [running.id, second.id, third.id]
    assert not queue._rows[running.id].up.isVisible()
    assert not queue._rows[second.id].up.isEnabled()
    click(queue._rows[third.id].up)
    assert window.session.runs.waiting == (third.id, second.id)
    window.bottom.build.refresh()
    click(queue._rows[second.id].out)
    qtbot.waitUntil(lambda: second.id not in window.session.runs.jobs, timeout=TIMEOUT_MS)
    taken = window.session.runs.get(second.id)
    assert taken is not None
    assert taken.status is Status.CANCELLED
    assert window.session.runs.running == running.id
    click(queue._rows[third.id].line)
    assert window.session.theatre.job == third.id
    assert window.bottom.build.head.title.words.soft == "Waiting in the queue"
    window.session.cancel()
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)


def test_the_stage_goes_along_to_a_job_that_begins_but_not_away_from_one_that_runs(
    window: MainWindow, qtbot: QtBot
) -> None:
    first = begin(window)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    second = begin(window, LONG)
    until_building(window, qtbot, second)
    assert window.session.theatre.job == second.id
    window.session.set_current(first.id)  # a look at another run stays there
    window.session.runs.ticked.emit(frozenset())
    assert window.session.theatre.job == first.id
    window.session.cancel()
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)


def log_of(window: MainWindow) -> LogView:
    """The log of a finished run, with lines of every level."""
    run = window.session.current
    assert run is not None
    live = window.session.runs.live[run.id]
    live.log.clear()
    for level in ("debug", "info", "warning", "error"):
        live.log.append(LogLine(run.id, f"{level} of <b>this</b>", level))
    show(window)
    window.bottom.build.refresh()
    return window.bottom.build.log


def test_the_log_is_filtered_by_level_and_by_words(window: MainWindow, qtbot: QtBot) -> None:
    begin(window)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    log = log_of(window)
    assert len(log.text.toPlainText().splitlines()) == 4
    assert "<b>this</b>" in log.text.toPlainText()
    log.level.setCurrentText("warnings")
    assert log.text.toPlainText().split()[::3] == ["warning", "error"]
    QTest.keyClicks(log.search, "THIS err")
    assert log.text.toPlainText() == "error of <b>this</b>"
    assert log.count.words.main == "1 of 4 lines"
    log.copy()
    assert QGuiApplication.clipboard().text() == "error of <b>this</b>"
    QTest.keyClicks(log.search, "x")
    assert log.text.placeholderText() == "No line is like that."


def test_the_head_of_the_log_is_seen_whole_in_the_smallest_window(window: MainWindow, qtbot: QtBot) -> None:
    log = window.bottom.build.log
    begin(window)
    show(window)
    window.resize(window.minimumSize())
    qtbot.waitUntil(lambda: 0 < log.search.geometry().right() < log.width(), timeout=TIMEOUT_MS)
    assert log.width() >= log.minimumSizeHint().width()


def test_phases_can_be_copied_and_are_named_by_path_in_a_tooltip(qtbot: QtBot) -> None:
    stages = StageList()
    qtbot.addWidget(stages)
    inner = ("build", "optimizing the graph")
    stages.set_stages((Stage(("build",), 0.5, 2.0), Stage(inner, 1.0, 1.25)), inner)
    assert stages.text() == "Building\t2.00 s\n  Optimizing the graph\t1.25 s"
    assert stages.accessibleDescription() == stages.text()
    assert stages.height() > 30
    stages.resize(200, stages.height())
    assert not stages.grab().isNull()
    assert stages.focusPolicy() == Qt.FocusPolicy.NoFocus
