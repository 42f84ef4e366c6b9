"""Export of the typed ONNX from the menu: a file that opens again, and a window that says so."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS
from workbench.core.precision import Precision
from workbench.model import open_model
from workbench.views.main_window import MainWindow


def exported(window: MainWindow, qtbot: QtBot, path: Path) -> str:
    """Through the action and its dialog, which is answered with `path`; what the window says in the end."""
    window.actions_by_id["export_typed"].trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog is not None and dialog.windowTitle() == "Export typed ONNX"
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: window.session.message is not None, timeout=TIMEOUT_MS)
    message = window.session.message
    assert message is not None
    return f"{message.text} {message.hint}".strip()


def test_a_plan_is_exported_by_a_job_and_the_window_says_where(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window.session
    session.choose_all(session.choices.with_plan(default=Precision.FP16), "FP16")
    said = exported(window, qtbot, tmp_path / "typed.onnx")
    assert said.startswith("typed.onnx is written: ") and "nodes are written in FP16" in said
    assert {spec.name for spec in open_model(tmp_path / "typed.onnx").inputs} == set(session.choices.shapes)
    assert not session.runs.jobs and not list(session.runs)


def test_what_stands_against_an_export_is_said(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    said = exported(window, qtbot, tmp_path / "missing" / "typed.onnx")
    assert "There is no folder" in said
