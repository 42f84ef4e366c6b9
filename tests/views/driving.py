"""Real mouse and key events for the tests of the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.session.conftest import TIMEOUT_MS
from workbench.core.run import Run
from workbench.views.canvas import GraphCanvas
from workbench.views.controls import DropButton
from workbench.views.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())


def click_node(canvas: GraphCanvas, node: str) -> None:
    """A click on the box of this id, where the canvas draws it."""
    box = canvas.scene.index[node]
    placed = canvas.scene.placed
    x, y = canvas.camera.to_device(float(placed.x[box]), float(placed.y[box]))
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(round(x), round(y)))


def click_row(window: MainWindow, row: int, keys: Qt.KeyboardModifier = NONE) -> None:
    table = window.bottom.runs.table
    place = table.visualRect(table.runs.index(row, 1)).center()
    QTest.mouseClick(table.viewport(), LEFT, keys, place)


def _urls(paths: list[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def hover(widget: QWidget, paths: list[Path]) -> bool:
    """Drags files over `widget`; True if it would take them."""
    data = _urls(paths)  # an event does not own its data
    enter = QDragEnterEvent(widget.rect().center(), Qt.DropAction.CopyAction, data, LEFT, NONE)
    QApplication.sendEvent(widget, enter)
    return enter.isAccepted()


def drop(widget: QWidget, paths: list[Path]) -> bool:
    """Drops files on `widget`; True if they were taken."""
    if not hover(widget, paths):
        return False
    place, data = QPointF(widget.rect().center()), _urls(paths)
    event = QDropEvent(place, Qt.DropAction.CopyAction, data, LEFT, NONE)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def choose(button: DropButton, text: str, qtbot: QtBot) -> None:
    """Picks the entry that starts with `text` from a button's menu, by keys."""
    menu = button.menu()
    assert isinstance(menu, QMenu)
    menu.popup(button.mapToGlobal(QPoint(0, button.height())))  # fills it
    entry = next(action for action in menu.actions() if action.text().startswith(text))
    assert entry.isEnabled(), entry.toolTip()
    menu.setActiveAction(entry)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    menu.hide()
    button.window().activateWindow()
    qtbot.waitUntil(lambda: button.window().isActiveWindow(), timeout=TIMEOUT_MS)


def build(window: MainWindow, qtbot: QtBot) -> Run:
    """A click on Build, and the run as it stands when all is over."""
    click(window.top.build)
    run = window.session.current
    assert run is not None
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    found = window.session.runs.get(run.id)
    assert found is not None
    return found
