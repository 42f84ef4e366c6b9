"""Conditions in the window: beside the time, and as a text that opens with a click."""

from __future__ import annotations

import msgspec
from pytestqt.qtbot import QtBot

from tests.views.driving import build, click
from workbench.views.main_window import MainWindow
from workbench.views.text_dialog import TextDialog


def test_a_noisy_time_is_marked_and_its_conditions_open_with_a_click(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    run = window.session.current
    assert run is not None and run.timing is not None and run.timing.stats is not None
    cell = window.bottom.runs.table.runs.cell(0, 1)
    assert ("noisy" in cell.soft) is run.timing.stats.is_noisy and "protocol: warm-up" in cell.tip
    noisy = msgspec.structs.replace(run.timing.stats, cov_percent=9.0)
    timing = msgspec.structs.replace(run.timing, stats=noisy)
    window.session.runs.store.save(msgspec.structs.replace(run, timing=timing))
    window.session.runs.rename(run.id, "first")
    assert "noisy" in window.bottom.runs.table.runs.cell(0, 1).soft and window.status.machine.words.soft == "noisy"
    click(window.status.machine)
    dialog = next(iter(window.findChildren(TextDialog)))
    assert dialog.isVisible() and "latency varies by 9.0 % (CoV)" in dialog.text.toPlainText()
    dialog.close()
