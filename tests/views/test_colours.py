"""Overlays in the window: chosen by chip, menu and key, remembered, live, readable at any width."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.views.driving import CONTROL, TIMEOUT_MS, build, click
from workbench.core.run import TimingConfig
from workbench.session.settings import Settings
from workbench.views.canvas.heat import Heat, Kinds
from workbench.views.main_window import MainWindow


def test_times_are_those_of_the_run_in_both_graphs(window: MainWindow, qtbot: QtBot) -> None:
    run = build(window, qtbot)
    assert run.timing is not None
    source, engine = window.panes.source.canvas.marks, window.panes.engine.canvas.marks
    shown = engine.saying.overlay
    assert isinstance(shown, Heat) and dict(shown.values) == run.timing.layers
    assert np.nansum(source.fills.leaves) <= sum(run.timing.layers.values()) + 1e-9
    assert window.panes.engine.legend.isVisible() and "median" in window.panes.engine.legend.accessibleName()


def test_colours_follow_a_run_that_measures(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    session, canvas = window.session, window.panes.engine.canvas
    scenes: set[int] = set()

    def look() -> None:
        if session.is_busy and np.nansum(canvas.marks.fills.leaves) > 0:
            scenes.add(id(canvas.scene))

    canvas.marks_changed.connect(look)
    shortest = TimingConfig(warmup_ms=0, warmup_iterations=0, live_seconds=0, seconds=0.001, min_iterations=1)
    monkeypatch.setattr("workbench.session.requests.TimingConfig", lambda seconds: shortest)
    session.choose("Slow", options={"latency_ms": "1000"})  # the layers are timed ten times, and told after each
    click(window.top.build)
    qtbot.waitUntil(lambda: session.is_busy, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not session.is_busy or bool(scenes), timeout=TIMEOUT_MS)
    session.cancel()
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
    assert scenes == {id(canvas.scene)}  # coloured while it measured, and not laid out anew


def test_a_choice_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    click(window.panes.source.overlays.chips["fate"])
    assert isinstance(window.panes.source.canvas.marks.saying.overlay, Kinds)
    assert Settings().get("overlays") == {"source": "fate", "engine": "time"}


def test_the_menu_opens_by_key_and_counts_flops(window: MainWindow, qtbot: QtBot) -> None:
    window.panes.source.canvas.setFocus()
    QTest.keyClick(window, Qt.Key.Key_L, CONTROL)
    menu = window.panes.source.overlays.menu
    assert menu.isVisible()
    entry = next(action for action in menu.actions() if action.text().startswith("FLOPs"))
    menu.setActiveAction(entry)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    marks = window.panes.source.canvas.marks
    assert window.panes.source.overlays.current == "flops" and not marks.has_values  # it is being counted
    qtbot.waitUntil(lambda: window.panes.source.canvas.marks.has_values, timeout=TIMEOUT_MS)
    costs = window.session.costs.get()
    assert set(costs) == {node.id for node in window.session.model.graph.walk()}  # type: ignore[union-attr]
    assert not window.session.costs.problem
    window.session.choose("Larger", shapes={"x": (4, 3, 8, 8)})
    qtbot.waitUntil(lambda: bool(window.session.costs.get()), timeout=TIMEOUT_MS)
    larger = window.session.costs.get()
    assert larger["n0"].flops == 4 * (costs["n0"].flops or 0) > 0


def test_the_heads_never_overflow(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    for width in (1080, 1300, 1800):
        window.resize(width, 760)
        QApplication.processEvents()
        for pane in window.panes.shown():
            shown = [
                pane.head,
                *(chip for chip in pane.overlays.chips.values() if chip.isVisible()),
                pane.overlays.more,
            ]
            spans = [(part.mapTo(pane, part.rect().topLeft()).x(), part.width()) for part in shown]
            assert all(x + wide <= after for (x, wide), (after, _) in pairwise(spans)), width
            assert spans[-1][0] + spans[-1][1] <= pane.width()
            assert pane.overlays.more.width() >= pane.overlays.more.sizeHint().width()


def test_tab_leads_from_one_graph_to_the_other(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    source, engine = window.panes.source.canvas, window.panes.engine.canvas
    source.setFocus()
    for _ in range(12):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is engine:
            break
    assert engine.hasFocus()
