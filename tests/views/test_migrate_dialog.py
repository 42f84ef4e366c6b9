"""The migration check in the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.views.driving import click
from workbench.core.precision import Precision
from workbench.views.main_window import MainWindow
from workbench.views.migrate_dialog import MigrateDialog


def opened(window: MainWindow) -> MigrateDialog:
    window.actions_by_id["migrate"].trigger()
    dialog = window.findChild(MigrateDialog)
    assert dialog is not None
    assert dialog.windowModality() is Qt.WindowModality.NonModal
    return dialog


def test_the_answer_follows_the_typing_and_its_plan_is_used(window: MainWindow) -> None:
    dialog = opened(window)
    assert not dialog.use.isEnabled()
    QTest.keyClicks(dialog.line, "trtexec --fp16")
    assert "names no --onnx" in dialog.answer.toPlainText()
    assert not dialog.copy.isEnabled()
    QTest.keyClicks(dialog.line, " --onnx=m.onnx")
    assert "--fp16: networks are strongly typed" in dialog.answer.toPlainText()
    click(dialog.copy)
    assert QGuiApplication.clipboard().text() == dialog.answer.toPlainText()
    click(dialog.use)
    assert window.session.choices.plan.default is Precision.FP16
    window.session.undo.undo()
    assert window.session.choices.plan.default is Precision.FP32
    dialog.close()


def test_without_a_model_it_answers_all_the_same(empty_window: MainWindow) -> None:
    dialog = opened(empty_window)
    dialog.line.setPlainText("trtexec --onnx=m.onnx --int8")
    assert "--int8" in dialog.answer.toPlainText()
    assert dialog.copy.isEnabled()
    assert not dialog.use.isEnabled()
    dialog.close()
