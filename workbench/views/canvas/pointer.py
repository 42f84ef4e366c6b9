"""Mouse: wheel zooms, a drag pans, a click selects, Shift-drag draws a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from workbench.views.canvas import walk

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

ZOOM_PER_STEP = 1.18  # one notch of a wheel is 120 units
ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Pointer:
    def __init__(self, canvas: GraphCanvas) -> None:
        self._canvas = canvas
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._is_drag = False
        self._has_middle = False
        self._band_from: QPointF | None = None
        self.band: QRectF | None = None  # in device pixels, while it is drawn

    def wheel(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y() or event.pixelDelta().y()
        place = event.position()
        self._canvas.zoom_about(float(ZOOM_PER_STEP ** (delta / 120)), place.x(), place.y())
        event.accept()

    def press(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        self._canvas.stop_flight()
        self._pressed = self._last = event.position()
        self._is_drag = False
        self._has_middle = event.button() == Qt.MouseButton.MiddleButton
        is_band = not self._has_middle and bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._band_from = event.position() if is_band else None

    def move(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._pressed is None or not event.buttons():
            self._canvas.set_hover(place)
            return
        far = (place - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        self._is_drag = self._is_drag or far
        if not self._is_drag:
            return
        if self._band_from is not None:
            self.band = QRectF(self._band_from, place).normalized()
            self._canvas.update()
        else:
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._canvas.pan(place.x() - self._last.x(), place.y() - self._last.y())
        self._last = place

    def release(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        adds = bool(event.modifiers() & ADDING)
        if self.band is not None:
            self._canvas.select_band(self.band, adds=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif not self._is_drag and not self._has_middle:
            self._click(event.position(), adds)
        self._pressed = self._band_from = self.band = None
        self._canvas.unsetCursor()
        self._canvas.update()

    def double_click(self, event: QMouseEvent) -> None:
        box = self._box(event.position())
        if box >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._canvas.activate_box(box)

    def _click(self, place: QPointF, adds: bool) -> None:
        box = self._box(place)
        if box >= 0:
            self._canvas.select_box(box, adds=adds)
        elif not adds:
            self._canvas.clear_selection()

    def _box(self, place: QPointF) -> int:
        return self._canvas.box_under(place)


def band_boxes(canvas: GraphCanvas, band: QRectF) -> list[int]:
    """Boxes that a band in device pixels touches."""
    left, top = canvas.camera.to_world(band.left(), band.top())
    right, bottom = canvas.camera.to_world(band.right(), band.bottom())
    return walk.boxes_in(canvas.scene, left, top, right, bottom).tolist()
