"""Mouse: wheel zooms, a drag pans, a click selects, Shift-drag draws a band; a tool in hand paints instead."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from workbench.views.canvas import walk

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

ZOOM_PER_STEP = 1.18  # one notch of a wheel is 120 units
ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
ALONE = Qt.KeyboardModifier.AltModifier  # with it a double click is about one group, not about all alike
BRUSH_STEP = 6.0  # pixels between the points at which a quick stroke is sampled


class Tool(StrEnum):
    """What the left button does."""

    SELECT = "select"
    BRUSH = "brush"
    RECTANGLE = "rectangle"


class Pointer:
    """`band` is in device pixels while it is drawn; `stroke` has the boxes that a painting tool has touched."""

    def __init__(self, canvas: GraphCanvas) -> None:
        self._canvas = canvas
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._is_drag = False
        self._has_middle = False
        self._band_from: QPointF | None = None
        self._is_painting = False
        self.tool = Tool.SELECT
        self.band: QRectF | None = None
        self.stroke: set[int] = set()

    def set_tool(self, tool: Tool) -> None:
        """A stroke under way is dropped."""
        self.tool = tool
        self._let_go()

    def cursor(self, is_on_box: bool) -> Qt.CursorShape:
        if self.tool is not Tool.SELECT:
            return Qt.CursorShape.CrossCursor
        return Qt.CursorShape.PointingHandCursor if is_on_box else Qt.CursorShape.ArrowCursor

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
        self._is_painting = self.tool is not Tool.SELECT and not self._has_middle
        if self._is_painting:
            self._touch_first(event.position())
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_band = self.tool is Tool.RECTANGLE if self._is_painting else has_shift and not self._has_middle
        self._band_from = event.position() if is_band else None

    def move(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._pressed is None or not event.buttons():
            self._canvas.set_hover(place)
            return
        far = (place - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        self._is_drag = self._is_drag or far
        if self._is_painting and self._band_from is None:
            self._touch(place)
        elif self._is_drag and self._band_from is not None:
            self._stretch(QRectF(self._band_from, place).normalized())
        elif self._is_drag:
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._canvas.pan(place.x() - self._last.x(), place.y() - self._last.y())
        self._last = place

    def release(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        has_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self._is_painting:
            self._canvas.paint_boxes(sorted(self.stroke))
        elif self.band is not None:
            self._canvas.select_band(self.band, adds=has_control)
        elif not self._is_drag and not self._has_middle:
            self._click(event.position(), bool(event.modifiers() & ADDING))
        self._let_go()

    def double_click(self, event: QMouseEvent) -> None:
        if self.tool is not Tool.SELECT:
            self.press(event)
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position()
        box, header = self._box(place), self._canvas.header_under(place)
        alone = bool(event.modifiers() & ALONE)
        if box >= 0:
            self._canvas.activate_box(box, alone=alone)
        elif header >= 0:
            self._canvas.toggle_group(self._canvas.scene.groups.ids[header], alone=alone, place=place)

    def _let_go(self) -> None:
        self._pressed = self._band_from = self.band = None
        self._is_painting, self.stroke = False, set()
        self._canvas.setCursor(self.cursor(is_on_box=False))
        self._canvas.update()

    def _touch_first(self, place: QPointF) -> None:
        """A stroke that starts on the header of an open group paints all inside."""
        self._touch(place)
        header = self._canvas.header_under(place)
        if not self.stroke and header >= 0:
            groups = self._canvas.scene.groups
            self.stroke = set(range(int(groups.first[header]), int(groups.last[header])))

    def _touch(self, place: QPointF) -> None:
        """Every box between the last point of the stroke and this one."""
        way = place - self._last
        steps = max(int(way.manhattanLength() / BRUSH_STEP), 1)
        boxes = {self._box(self._last + way * (step / steps)) for step in range(steps + 1)}
        self.stroke |= boxes - {-1}
        self._canvas.update()

    def _stretch(self, band: QRectF) -> None:
        self.band = band
        if self._is_painting:
            self.stroke = set(band_boxes(self._canvas, band))
        self._canvas.update()

    def _click(self, place: QPointF, adds: bool) -> None:
        box = self._box(place)
        header = self._canvas.header_under(place)
        if box >= 0:
            self._canvas.select_box(box, adds=adds)
        elif header >= 0:
            self._canvas.select_group(header, adds=adds)
        elif not adds:
            self._canvas.clear_selection()

    def _box(self, place: QPointF) -> int:
        return self._canvas.box_under(place)


def band_boxes(canvas: GraphCanvas, band: QRectF) -> list[int]:
    """Boxes that a band in device pixels touches."""
    left, top = canvas.camera.to_world(band.left(), band.top())
    right, bottom = canvas.camera.to_world(band.right(), band.bottom())
    return walk.boxes_in(canvas.scene, left, top, right, bottom).tolist()
