"""Tuning in the window: searched with the real ONNX Runtime, kept, and used by the next build."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS, build, choose, click
from workbench.core.json import write_json
from workbench.core.run import Run
from workbench.core.titles import run_title
from workbench.core.tuning import Trial, Tuning
from workbench.views.main_window import MainWindow


def tuned_page(window: MainWindow) -> None:
    cell = window.bottom.cells[2]
    click(next(tab for tab in cell.tabs if tab.text() == "Tuning"))


def test_options_are_searched_kept_and_built_with(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    session.settings.set("tune_seconds", 6.0)
    session.choose("ONNX Runtime", backend="onnxruntime", evaluation="random")
    assert not window.actions_by_id["tune"].isEnabled()
    run = build(window, qtbot)
    tuned_page(window)
    assert window.actions_by_id["tune"].isEnabled() and not window.bottom.tuning.table.isVisible()
    live: list[int] = []

    def look() -> None:
        if session.tunings.is_at_work and session.tunings.trials:
            live.append(window.bottom.tuning.table.rows.rowCount())

    session.tunings.changed.connect(look)
    window.actions_by_id["tune"].trigger()
    assert not window.actions_by_id["tune"].isEnabled()
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
    assert live and all(rows > 0 for rows in live)  # trials were seen before the end
    found = session.runs.store.tuning(run.id)
    assert found is not None and found.error is None and session.tunings.result == found
    assert session.message is not None and not session.message.is_error
    assert window.bottom.tuning.table.rows.rowCount() == len(found.trials)
    click(window.bottom.tuning.tuned)
    assert session.choices.tuned and "tuned" in window.top.backend.words().main
    again = build(window, qtbot)
    assert again.config.tuned and run_title(again).endswith("tuned") and again.build is not None
    assert again.build.tuned == found.best
    assert "tuned" in window.inspector.texts()


def test_a_backend_without_such_options_says_so(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    window.actions_by_id["tune"].trigger()
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    message = window.session.message
    assert message is not None and "no options that change its speed" in message.text
    assert window.session.tunings.is_possible and window.session.tunings.result is None


def test_a_search_that_is_cancelled_is_no_result(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    session.settings.set("tune_seconds", 600.0)
    session.choose("ONNX Runtime", backend="onnxruntime", evaluation="random")
    run = build(window, qtbot)
    window.actions_by_id["tune"].trigger()
    qtbot.waitUntil(lambda: session.tunings.trials != (), timeout=TIMEOUT_MS)
    click(window.top.cancel)
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
    assert session.runs.store.tuning(run.id) is None and session.message is None
    assert session.tunings.is_possible and session.tunings.trials == ()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_table_says_what_was_tried_and_why_some_were_out(window: MainWindow, qtbot: QtBot, theme: str) -> None:
    window.session.settings.set("theme", theme)
    run: Run = build(window, qtbot)
    trials = (
        Trial({"threads": "1"}, 1.31, 1.28, 1.34, 16),
        Trial({"execution": "parallel"}, 0.7, 0.6, 0.8, 4),
        Trial({"graph_level": "basic"}, reason="computes something else (12 dB from the default's outputs)"),
    )
    write_json(
        window.session.runs.store.folder(run.id) / "tuning.json",
        Tuning("t", run.id, "key", {"threads": "1"}, 1.3, 1.28, 1.34, "threads=1: faster by 24 %", trials),
    )
    window.session.tunings._known = ("", None)
    tuned_page(window)
    table = window.bottom.tuning.table
    assert table.rows.index(0, 0).data() == "threads=1 tuned" and table.rows.index(0, 1).data() == "1.31× ±0.03"
    assert table.rows.index(2, 1).data() == "out" and "something else" in table.rows.index(2, 3).data()
    assert window.bottom.tuning.sentence.words.main == "threads=1: faster by 24 %"


def test_the_switch_is_undone_by_a_key(window: MainWindow, qtbot: QtBot) -> None:
    choose(window.top.backend, "Tuned options", qtbot)
    assert window.session.choices.tuned and window.session.choices.config().tuned
    QTest.keySequence(window, "Ctrl+Z")
    assert not window.session.choices.tuned
