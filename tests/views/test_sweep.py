"""Sweeps in the window: real points of the null backend, the limit, the cost, and what is kept."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from tests.views.driving import LEFT, NONE, TIMEOUT_MS, click
from workbench.session.sweep_text import sweep_csv
from workbench.views.main_window import MainWindow
from workbench.views.sweep_panel import SweepPanel


@pytest.fixture
def panel(window: MainWindow, qtbot: QtBot) -> SweepPanel:
    """The page as it is first seen, with short points of a fast engine."""
    window.session.settings.set("sweep_seconds", 0.1)
    window.session.choose("Quick", options={"latency_ms": "0.2"})
    cell = window.bottom.cells[2]
    cell.show_page(window.bottom.sweep)
    qtbot.waitUntil(window.bottom.sweep.isVisible)
    return window.bottom.sweep


def write(field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def measured(panel: SweepPanel, window: MainWindow, qtbot: QtBot) -> None:
    for name, text in (("batch", "1, 4"), ("threads", "1"), ("streams", "1, 2")):
        write(panel.fields[name], text)
    click(panel.start)
    qtbot.waitUntil(lambda: len(window.session.sweeps.found) == 4 and not window.session.is_busy, timeout=TIMEOUT_MS)


def test_the_time_it_will_take_is_told_before_the_start(panel: SweepPanel, window: MainWindow) -> None:
    write(panel.fields["batch"], "1, 2, 4")
    write(panel.fields["threads"], "1")
    write(panel.fields["streams"], "")
    assert panel.sentence.words.main.startswith("3 points; about")
    write(panel.fields["batch"], "many")
    assert "not counts" in panel.sentence.words.main and not panel.start.isEnabled()
    write(panel.fields["batch"], "1")
    assert panel.sentence.words.main.startswith("1 point; about") and panel.start.isEnabled()


def test_a_grid_is_measured_shown_and_known_ever_after(panel: SweepPanel, window: MainWindow, qtbot: QtBot) -> None:
    sweeps = window.session.sweeps
    measured(panel, window, qtbot)
    assert [(one.point.batch, one.point.streams) for one in sweeps.found] == [(1, 1), (1, 2), (4, 1), (4, 2)]
    assert all(one.throughput is not None for one in sweeps.found)
    assert panel.sentence.words.main == "4 points, all measured" and not panel.start.isEnabled()
    assert not list(window.session.runs), "points are no rows of the history"
    write(panel.fields["batch"], "")  # the usual batch is 1: the same sizes in another grid
    assert len(sweeps.found) == 2 and all(panel._data().of(point) is not None for point in sweeps.points)
    write(panel.fields["batch"], "1, 4, 8")
    assert "4 known" in panel.sentence.words.main and panel.start.text() == "Go on"


def test_the_limit_says_which_point_is_the_best_and_the_price_what_it_costs(
    panel: SweepPanel, window: MainWindow, qtbot: QtBot
) -> None:
    sweeps = window.session.sweeps
    measured(panel, window, qtbot)
    assert sweeps.best is not None and panel.verdict.words.main.startswith("★")
    assert "protocol: each point" in panel.verdict.words.tip and "cpu: " in panel.verdict.words.tip
    assert ("noisy" in panel.verdict.words.main) is sweeps.best.is_noisy
    quickest = min(one.median_ms for one in sweeps.found)
    panel.front.limit.setValue(quickest)
    panel.front.limit.sigPositionChangeFinished.emit(panel.front.limit)  # as the mouse's release does
    assert sweeps.limit_ms == pytest.approx(quickest)
    assert sweeps.best is not None and sweeps.best.median_ms == quickest
    panel.limit.setFocus()
    panel.limit.selectAll()
    QTest.keyClicks(panel.limit, "0.001")
    QTest.keyClick(panel.limit, Qt.Key.Key_Return)
    assert sweeps.best is None and "No point" in panel.verdict.words.main
    sweeps.set_limit_ms(0)
    sweeps.set_price_per_hour(3.6)
    assert "a million" in panel.verdict.words.main
    assert window.session.settings.get("sweep")["price_per_hour"] == 3.6
    table = sweep_csv(sweeps).splitlines()
    assert table[0].startswith("batch,threads,streams,median_ms") and len(table) == 5
    panel.menu.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == sweep_csv(sweeps)


def test_a_click_chooses_a_point_and_a_double_click_builds_there(
    panel: SweepPanel, window: MainWindow, qtbot: QtBot
) -> None:
    measured(panel, window, qtbot)
    place = panel.grid.cell_rect(1, 1).center().toPoint()
    assert "batch 4, 1 thread, 2 streams" in panel.grid.tip_at(panel.grid.cell_rect(1, 1).center())
    assert not panel.build.isEnabled()
    QTest.mouseClick(panel.grid, LEFT, NONE, place)
    assert panel.build.isEnabled()
    QTest.mouseClick(panel.grid, LEFT, NONE, QPoint(2, panel.grid.height() - 1))  # beside the cells: nothing
    QTest.mouseDClick(panel.grid, LEFT, NONE, place)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    run = window.session.current
    assert run is not None and run.config.streams == 2 and run.config.shapes["x"][0] == 4
    assert run.timing is not None and run.timing.throughput is not None and run.timing.throughput.streams == 2


def test_a_sweep_that_is_stopped_keeps_what_it_has(panel: SweepPanel, window: MainWindow, qtbot: QtBot) -> None:
    sweeps = window.session.sweeps
    window.session.settings.set("sweep_seconds", 2.0)
    write(panel.fields["batch"], "1, 2, 3, 4, 5, 6, 7, 8")
    click(panel.start)
    qtbot.waitUntil(lambda: len(sweeps.found) > 0, timeout=TIMEOUT_MS)
    assert panel.start.text() == "Stop"
    click(panel.start)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert 0 < len(sweeps.found) < len(sweeps.points)
    assert window.session.message is None and panel.start.text() == "Go on"
