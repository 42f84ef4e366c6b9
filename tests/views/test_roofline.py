"""Roofline, footprint and changes of shape in the window, with real events."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.roofs import CEILINGS
from tests.views.driving import TIMEOUT_MS, build, click
from workbench.charts.roofline import RooflineChart
from workbench.core.ceilings import Ceilings, CeilingsRequest
from workbench.core.graph import LayerKind
from workbench.pipeline.roofline import machine_name, threads_of
from workbench.store import CeilingBook
from workbench.views.main_window import MainWindow


def roofline(window: MainWindow) -> RooflineChart:
    window.bottom.show_titles(["Roofline"])
    return next(chart for chart in window.bottom.charts if isinstance(chart, RooflineChart))


def learn(window: MainWindow) -> Ceilings:
    """Ceilings as if this machine had been measured."""
    session = window.session
    assert session.current is not None
    known = replace(CEILINGS, machine=machine_name(), threads=threads_of(session.current))
    CeilingBook(session.runs.store.root).keep((known,))
    session.rooflines._known.clear()
    session.rooflines.changed.emit()
    return known


def place(chart: RooflineChart, index: int) -> QPoint:
    box = chart.plot.getPlotItem().getViewBox()
    x, y = chart._xy[index]
    return chart.plot.mapFromScene(box.mapViewToScene(QPointF(float(x), float(y))))


def test_a_dot_selects_its_layer_in_both_graphs(window: MainWindow, qtbot: QtBot) -> None:
    chart = roofline(window)
    window.session.choose("ONNX Runtime", backend="onnxruntime")
    build(window, qtbot)
    learn(window)
    qtbot.waitUntil(lambda: len(chart._points) > 1, timeout=TIMEOUT_MS)
    index = next(i for i, point in enumerate(chart._points) if point.work.flops)
    QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(chart, index))
    layers = window.session.selection.layers
    assert layers and window.session.selection.nodes
    assert all(window.session.links.layers[layer].kind is LayerKind.COMPUTE for layer in layers)


def test_an_unknown_machine_is_measured_when_asked_and_asked_again_when_that_was_ended(
    window: MainWindow, qtbot: QtBot
) -> None:
    chart = roofline(window)
    build(window, qtbot)
    qtbot.waitUntil(chart.measure.isVisible, timeout=TIMEOUT_MS)
    click(chart.measure)
    assert "ceilings" in window.session.runs.jobs.values() and window.session.rooflines.is_at_work
    assert not window.actions_by_id["ceilings"].isEnabled() and not chart.measure.isVisible()
    window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert chart.measure.isVisible() and window.actions_by_id["ceilings"].isEnabled()


def test_a_machine_is_measured_with_the_threads_that_were_found_for_a_run(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be asked for for ever."""
    session = window.session
    run = build(window, qtbot)
    assert run.build is not None
    monkeypatch.setattr(session, "current", replace(run, build=replace(run.build, tuned={"threads": "3"})))
    asked: list[CeilingsRequest] = []
    monkeypatch.setattr(session.runs, "start", lambda request, what: asked.append(request))
    session.rooflines.measure()
    assert {1, 3} <= set(asked[0].threads)


def test_every_build_is_a_row_of_the_footprint(window: MainWindow, qtbot: QtBot) -> None:
    window.bottom.show_titles(["Footprint"])
    page = window.bottom.footprint
    assert not page.table.isVisible()
    window.session.choose("ONNX Runtime", backend="onnxruntime")
    run = build(window, qtbot)
    qtbot.waitUntil(lambda: page.table.rows.rowCount() == 1, timeout=TIMEOUT_MS)
    assert run.build is not None and run.build.plan["pool"] <= run.build.plan["sum"]
    assert "first inference" in page.table.rows.csv() and page.table.isVisible()


def test_changes_of_shape_are_measured_kept_and_shown(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    session.choose("ONNX Runtime", backend="onnxruntime")
    session.settings.set("replan_seconds", 0.1)
    window.bottom.show_titles(["Shape changes"])
    page = window.bottom.shape_changes
    if session.replannings.reason:
        session.sweeps.set_axis(next(iter(session.sweeps.axes)), "1, 2")
    assert not session.replannings.reason, session.replannings.reason
    window.actions_by_id["replan"].trigger()
    assert session.replannings.is_at_work and not window.actions_by_id["replan"].isEnabled()
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
    result = session.replannings.result
    assert result is not None and result.error is None, session.message
    qtbot.waitUntil(lambda: page.table.rows.rowCount() == len(result.changes), timeout=TIMEOUT_MS)
    assert page.measure.isEnabled()
    session.choose("Basic", options={"graph_level": "basic"})
    assert session.replannings.result is None, "of another engine nothing is known"
    session.choose("All", options={})
    assert session.replannings.result == result
