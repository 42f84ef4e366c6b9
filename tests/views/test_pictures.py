"""The dialog that saves and copies pictures of a graph, by real clicks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from tests.views.driving import click
from workbench.views.main_window import MainWindow
from workbench.views.picture_dialog import PictureDialog


def opened(window: MainWindow) -> PictureDialog:
    window.actions_by_id["export_source"].trigger()
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, PictureDialog) and w.isVisible()]
    return dialog


def pick(combo: QComboBox, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def test_a_picture_is_saved_as_chosen_and_the_choice_remembered(window: MainWindow, tmp_path: Path) -> None:
    dialog = opened(window)
    assert not dialog.isModal() and not dialog.sharpness.isEnabled()
    pick(dialog.form, "png")
    pick(dialog.part, "view")
    pick(dialog.sharpness, "4")
    canvas = window.panes.source.canvas
    assert dialog.sharpness.isEnabled() and dialog.extent.words.main.startswith(f"{4 * canvas.width():,} ×")
    dialog.write(str(tmp_path / "view.png"))
    assert QImage(str(tmp_path / "view.png")).width() == 4 * canvas.width()
    assert "written" in window.banner.text.text() and not dialog.isVisible()
    again = opened(window)
    assert (again.form.currentData(), again.part.currentData(), again.times) == ("png", "view", 4.0)
    again.close()


def test_what_cannot_be_written_is_said_and_the_dialog_stays(window: MainWindow, tmp_path: Path) -> None:
    dialog = opened(window)
    dialog.write(str(tmp_path / "no folder" / "graph.svg"))
    assert "Cannot write" in window.banner.text.text() and dialog.isVisible()
    dialog.close()


def test_the_picture_is_copied_by_button_and_by_key(window: MainWindow) -> None:
    dialog = opened(window)
    QGuiApplication.clipboard().clear()
    click(dialog.copy)
    assert not QGuiApplication.clipboard().image().isNull()
    dialog.close()
    QGuiApplication.clipboard().clear()
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert not QGuiApplication.clipboard().image().isNull()
    assert "clipboard" in window.banner.text.text()
