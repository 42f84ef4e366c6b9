"""Real mouse events on the canvas, and what is drawn there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from workbench.views.canvas import GraphCanvas

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
FLOWN_TO = QPoint(254, 350)  # the middle of what the minimap leaves of the pane


def place_of(canvas: GraphCanvas, box_id: str) -> QPoint:
    box = canvas.scene.index[box_id]
    placed = canvas.scene.placed
    x, y = canvas.camera.to_device(float(placed.x[box]), float(placed.y[box]))
    return QPoint(round(x), round(y))


def wheel(canvas: QWidget, place: QPoint, steps: int) -> None:
    event = QWheelEvent(
        QPointF(place), QPointF(canvas.mapToGlobal(place)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def drag(
    canvas: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NONE
) -> None:
    QTest.mousePress(canvas, button, keys, start)
    for step in (0.5, 1.0):
        place = QPointF(start) + (QPointF(end) - QPointF(start)) * step
        where = QPointF(canvas.mapToGlobal(place.toPoint()))
        event = QMouseEvent(QEvent.Type.MouseMove, place, where, Qt.MouseButton.NoButton, button, keys)
        QApplication.sendEvent(canvas, event)
    QTest.mouseRelease(canvas, button, keys, end)


def hover(canvas: QWidget, place: QPoint) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(place), QPointF(canvas.mapToGlobal(place)),
        Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, NONE,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def pixels(canvas: QWidget) -> np.ndarray:
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.width(), 4).copy()


def color_at(canvas: QWidget, place: QPoint) -> str:
    return canvas.grab().toImage().pixelColor(place).name()
