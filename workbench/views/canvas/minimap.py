"""The minimap, top right: all boxes on a narrow strip, and the visible window, which can be dragged.

Networks are tall: 1 to 60 is common. So both directions have a scale of their own, as in the overview of a text editor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from workbench.core.theme import LIGHT, Theme
from workbench.views.canvas.guard import guarded
from workbench.views.canvas.paint import draw_rects
from workbench.views.canvas.scene import HEIGHT

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

MOST_WIDE, LEAST_WIDE = 84.0, 44.0
MOST_HIGH_SHARE = 0.62
MARGIN, INSET = 12, 5.0
HANDLE = 10.0  # the window stays at least so high, to be caught


class Minimap(QWidget):
    def __init__(self, canvas: GraphCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._theme = LIGHT
        self._picture: QPixmap | None = None
        self._grip: QPointF | None = None
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName("Minimap")
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Colours or boxes changed."""
        self._picture = None
        self.update()

    def place(self) -> None:
        """Into its corner, as large as the drawing's proportions and the pane allow."""
        placed = self._canvas.scene.placed
        high = self._canvas.height() * MOST_HIGH_SHARE
        ratio = placed.width / max(placed.height, 1.0)
        wide = min(max(high * ratio, LEAST_WIDE), MOST_WIDE, self._canvas.width() * 0.28)
        high = min(high, max(placed.height / max(placed.width, 1.0) * wide, 28.0))
        self.resize(int(wide + 2 * INSET), int(high + 2 * INSET))
        self.move(self._canvas.width() - self.width() - MARGIN, MARGIN)
        self.refresh()
        self.follow()

    def follow(self) -> None:
        """The camera moved. A graph that is seen whole needs no map, a narrow pane has no room for one."""
        window = self.window_area()
        area = self._area()
        is_whole = window.adjusted(-1, -1, 1, 1).contains(area)
        is_needed = self._canvas.scene.count > 1 and self._canvas.map_room() > 0 and not is_whole
        if self.isVisibleTo(self._canvas) != is_needed:
            self.setVisible(is_needed)
        self.update()

    def _area(self) -> QRectF:
        return QRectF(INSET, INSET, self.width() - 2 * INSET, self.height() - 2 * INSET)

    def _scales(self) -> tuple[float, float]:
        placed, area = self._canvas.scene.placed, self._area()
        return area.width() / max(placed.width, 1.0), area.height() / max(placed.height, 1.0)

    def window_area(self) -> QRectF:
        """What the pane shows, in the map's pixels (it may reach beyond the map)."""
        sx, sy = self._scales()
        left, top = self._canvas.camera.to_world(0, 0)
        right, bottom = self._canvas.camera.to_world(self._canvas.width(), self._canvas.height())
        return QRectF(INSET + left * sx, INSET + top * sy, (right - left) * sx, (bottom - top) * sy)

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            ground = QColor(self._theme.canvas)
            ground.setAlphaF(0.9)
            painter.setPen(QColor(self._theme.line))
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.drawPixmap(0, 0, self._boxes())
            self._paint_window(painter)

    def _boxes(self) -> QPixmap:
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            with QPainter(self._picture) as painter:
                self._paint_boxes(painter)
        return self._picture

    def _paint_boxes(self, painter: QPainter) -> None:
        scene, marks = self._canvas.scene, self._canvas.marks
        sx, sy = self._scales()
        wide = np.maximum(scene.widths * sx, 6.0)
        high = min(max(HEIGHT * sy, 1.0), 5.0)
        x, y = scene.placed.x * sx + INSET - wide / 2, scene.placed.y * sy + INSET - high / 2
        rects = np.stack([x, y, wide, np.full(scene.count, high)], axis=1)
        painter.setPen(Qt.PenStyle.NoPen)
        fills = marks.fills
        classes = fills.far.astype(np.int64) * 2 + marks.dim
        for kind in np.unique(classes).tolist():
            painter.setBrush((fills.dim_far_colors if kind % 2 else fills.far_colors)[kind // 2])
            draw_rects(painter, rects[classes == kind])
        if marks.selected.any():
            painter.setBrush(QColor(self._theme.accent))
            draw_rects(painter, rects[marks.selected] + np.asarray([-1.0, -0.5, 2.0, 1.0]))

    def _paint_window(self, painter: QPainter) -> None:
        window = self._handle().intersected(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        accent = QColor(self._theme.accent)
        painter.setPen(QPen(accent, 1.2))
        accent.setAlphaF(0.08)
        painter.setBrush(accent)
        painter.drawRoundedRect(window, 2, 2)

    def _handle(self) -> QRectF:
        window = self.window_area()
        grow = max(HANDLE - window.height(), 0.0) / 2
        return window.adjusted(0, -grow, 0, grow)

    @guarded()
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        middle = self.window_area().center()
        self._grip = place - middle if self._handle().contains(place) else QPointF()
        self._go(place)

    @guarded()
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None and event.buttons():
            self._go(event.position())

    @guarded()
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    @guarded()
    def wheelEvent(self, event: QWheelEvent) -> None:
        self._canvas.pan(0.0, event.angleDelta().y() / 120 * 60)
        event.accept()

    def _go(self, place: QPointF) -> None:
        sx, sy = self._scales()
        middle = place - (self._grip or QPointF())
        self._canvas.centre_on((middle.x() - INSET) / sx, (middle.y() - INSET) / sy)
