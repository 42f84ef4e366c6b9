"""Calibration in the window: an observation without a build, its findings and ranges, and a method by one click."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS, click
from workbench.core.calibration_report import CalibrationReport
from workbench.core.precision import CalibrationMethod, Precision
from workbench.views.calibration_panel import NO_SET, CalibrationPanel
from workbench.views.main_window import MainWindow


@pytest.fixture
def set_path(tmp_path: Path) -> Path:
    path, rng = tmp_path / "samples.npz", np.random.default_rng(0)
    x = rng.random((24, 3, 8, 8)).astype(np.float32)
    x[7] *= 40
    np.savez(path, x=x)
    return path


@pytest.fixture
def panel(window: MainWindow, set_path: Path) -> CalibrationPanel:
    window.session.choose("Set", calibration=str(set_path))
    window.session.undo.clear()
    found = window.bottom.calibration
    window.bottom.cells[2].show_page(found)
    return found


def observe(window: MainWindow, panel: CalibrationPanel, qtbot: QtBot) -> CalibrationReport:
    click(panel.observe)
    assert window.session.calibrations.is_observing
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    report = window.session.calibrations.report
    assert report is not None
    return report


def test_a_click_observes_without_a_build_and_shows_what_is_odd(
    window: MainWindow, panel: CalibrationPanel, qtbot: QtBot
) -> None:
    report = observe(window, panel, qtbot)
    assert [tensor.nodes for tensor in report.tensors] == [("n0",), ("n2",)]
    assert panel.table.rows.rowCount() == 2
    assert "Sample 7 reaches" in panel.lines[0].words.main
    assert panel.lines[0].words.tone == "bad"
    assert list(window.session.visible_runs()) == []
    assert not [path for path in window.session.runs.store.root.iterdir() if path.is_dir()]


def test_a_finding_and_a_row_select_what_they_speak_of(
    window: MainWindow, panel: CalibrationPanel, qtbot: QtBot
) -> None:
    observe(window, panel, qtbot)
    click(panel.lines[0])
    assert window.session.selection.nodes == {"n0"} or window.session.selection.nodes == {"n2"}
    panel.table.selectRow(1)
    assert window.session.selection.nodes == {"n2"}
    window.session.select_nodes(["n0"])
    assert [index.row() for index in panel.table.selectionModel().selectedRows()] == [0]


def test_a_method_is_one_click_one_undo_and_no_new_pass(
    window: MainWindow, panel: CalibrationPanel, qtbot: QtBot
) -> None:
    report = observe(window, panel, qtbot)
    window.session.undo.clear()
    click(panel.chips[CalibrationMethod.ENTROPY])
    assert window.session.choices.plan.calibration.method is CalibrationMethod.ENTROPY
    assert panel.chips[CalibrationMethod.ENTROPY].isChecked() and not panel.chips[CalibrationMethod.MSE].isChecked()
    assert window.session.calibrations.report is report and not window.session.is_busy
    assert "● entropy" in [column.title for column in panel.table.rows.content.columns]
    window.session.undo.undo()
    assert panel.chips[CalibrationMethod.MSE].isChecked()


def test_a_cancelled_observation_leaves_no_process_and_no_error(
    window: MainWindow, panel: CalibrationPanel, qtbot: QtBot
) -> None:
    click(panel.observe)
    assert not window.session.calibrations.can_observe
    click(panel.progress.cancel)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert window.session.message is None
    assert window.session.calibrations.report is None
    assert window.session.calibrations.can_observe


def test_without_a_set_there_is_nothing_to_press(window: MainWindow) -> None:
    window.session.choose("None", calibration="")
    window.bottom.cells[2].show_page(window.bottom.calibration)
    assert not window.bottom.calibration.observe.isEnabled()
    assert NO_SET in window.bottom.calibration.empty.text()
    assert not window.actions_by_id["calibrate"].isEnabled()


def test_a_set_that_cannot_be_read_is_told_in_a_sentence(
    window: MainWindow, panel: CalibrationPanel, qtbot: QtBot, set_path: Path
) -> None:
    set_path.write_bytes(b"not an archive")
    click(panel.observe)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert window.session.message is not None and "samples.npz" in window.session.message.text


def test_every_method_can_be_built_at_once(window: MainWindow, panel: CalibrationPanel, qtbot: QtBot) -> None:
    window.actions_by_id["methods"].trigger()
    runs = list(window.session.visible_runs())
    window.session.cancel()
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert {run.config.plan.calibration.method for run in runs} == set(CalibrationMethod)
    assert {run.config.plan.default for run in runs} == {Precision.INT8}
