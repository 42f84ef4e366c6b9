"""Culprits in the window: found by a real search, chosen in both graphs, exempted with a click, undone by a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.pipeline import breaking
from tests.views.driving import CONTROL, LEFT, NONE, TIMEOUT_MS, click
from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan
from workbench.session.selection import Side
from workbench.views.culprits_panel import CulpritsPanel
from workbench.views.main_window import MainWindow


@pytest.fixture
def broken(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Iterator[CulpritsPanel]:
    """A model with an outlier channel is open, its plan INT8."""
    model = breaking.broken_model(tmp_path / "broken.onnx", overflow=False, layers=6)
    samples = str(breaking.samples(tmp_path / "samples.npz"))
    session = window.session
    session.open(str(model))
    qtbot.waitUntil(lambda: session.model is not None and session.model.path == str(model), timeout=TIMEOUT_MS)
    session.choose("sets", calibration=samples, evaluation=samples, plan=breaking.INT8, backend="openvino")
    session.undo.clear()
    panel = window.bottom.culprits
    yield panel


def show(window: MainWindow) -> None:
    window.bottom._show(window.bottom.cells[2], window.bottom.culprits)


def find(window: MainWindow, qtbot: QtBot) -> None:
    """By its key; until the search is over."""
    QTest.keySequence(window, "Ctrl+Shift+F")
    assert window.session.culprits.is_at_work
    qtbot.waitUntil(lambda: not window.session.culprits.is_at_work, timeout=TIMEOUT_MS)


def titles(panel: CulpritsPanel) -> list[str]:
    rows = panel.table.rows
    return [str(rows.index(row, 0).data()) for row in range(rows.rowCount())]


def test_the_outlier_is_named_first_and_a_click_exempts_it_and_restores_the_accuracy(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot
) -> None:
    session = window.session
    find(window, qtbot)
    assert broken.isVisible() and titles(broken)[0] == f"{breaking.OUTLIER} exempt"
    found = session.culprits.found
    assert found is not None and found.proposal is not None and found.plan is not None and session.model is not None
    outlier = {layer.id for layer in session.model.graph.walk() if layer.name == breaking.OUTLIER}
    assert set(found.proposal.nodes) == outlier
    assert broken.exempt.text() == "Exempt 1" and broken.lines[0].words.main.startswith(
        f"Exempting {breaking.OUTLIER}: "
    )
    click(broken.exempt)
    assert {node for node, precision in session.asked.items() if precision is Precision.FP32} == outlier
    assert "measured" in session.undo.undoText() and not broken.exempt.isEnabled()
    exempted = found.proposal.evaluation
    assert exempted.sqnr_db > found.plan.sqnr_db + 12
    QTest.keySequence(window, "Ctrl+Z")
    assert session.choices.plan == breaking.INT8 and broken.exempt.isEnabled()
    assert "measured" in session.culprits.effect(found.proposal.nodes)
    session.plan.set_calibration("ranges", method=CalibrationMethod.PERCENTILE)
    assert not session.culprits.effect(found.proposal.nodes), "of another plan"


def test_a_row_selects_its_node_in_the_graph_and_is_what_would_be_exempted(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot
) -> None:
    find(window, qtbot)
    table, session = broken.table, window.session
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualRect(table.rows.index(1, 0)).center())
    assert session.selection.nodes == table.rows.links([1])
    QTest.mouseClick(table.viewport(), LEFT, CONTROL, table.visualRect(table.rows.index(2, 0)).center())
    assert session.selection.nodes == table.rows.links([1, 2]) and broken.exempt.text() == "Exempt 2"
    QTest.keyClick(table, Qt.Key.Key_C, CONTROL)
    assert breaking.OUTLIER in QGuiApplication.clipboard().text()


def test_the_budget_is_told_before_it_is_spent_and_what_is_missing_too(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot
) -> None:
    show(window)
    assert broken.go.isEnabled() and "6 layers in low precision: at most 16 plans" in broken.plan_line.text()
    window.session.choose("plain", plan=PrecisionPlan())
    assert not broken.go.isEnabled() and "no layer in a low precision" in broken.plan_line.text()
    assert not window.actions_by_id["culprits"].isEnabled()


def test_a_search_that_is_cancelled_leaves_what_it_found_and_goes_on_from_there(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot
) -> None:
    session = window.session
    show(window)
    click(broken.go)
    qtbot.waitUntil(lambda: bool(session.culprits.found and session.culprits.found.layers), timeout=TIMEOUT_MS)
    session.culprits.cancel()
    qtbot.waitUntil(lambda: not session.culprits.is_at_work, timeout=TIMEOUT_MS)
    found = session.culprits.found
    assert found is not None and found.plan is not None and found.evaluations > 0
    find(window, qtbot)
    again = session.culprits.found
    assert again is not None and again.error is None and again.evaluations >= found.evaluations


def test_the_graph_is_coloured_by_what_each_layer_costs(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot
) -> None:
    assert window.session.culprits.sqnr_db == {}
    find(window, qtbot)
    values = window.session.culprits.sqnr_db
    found = window.session.culprits.found
    assert found is not None and len(values) == 6
    assert min(values, key=lambda node: values[node]) in found.layers[0].nodes
    pane = window.panes.source
    pane.overlays.menu.aboutToShow.emit()  # fills it
    next(action for action in pane.overlays.menu.actions() if action.text() == "sensitivity").trigger()
    assert pane.overlays.current == "sensitivity"
    painted = pane.overlays.kind.source
    assert painted is not None
    heat = painted(window.panes.laid.facts(Side.SOURCE))
    assert heat is not None and dict(heat.values) == values


def test_another_model_has_no_culprits_yet(
    window: MainWindow, broken: CulpritsPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    find(window, qtbot)
    other = breaking.broken_model(tmp_path / "other.onnx", outlier=False, layers=3)
    window.session.open(str(other))
    session = window.session
    qtbot.waitUntil(lambda: session.model is not None and session.model.path == str(other), timeout=TIMEOUT_MS)
    assert window.session.culprits.found is None and not broken.table.isVisible()
