"""The minimap, a column at the right: all boxes and open groups, what is selected and found, and the visible window.

Networks are tall: 1 to 60 is common. So both directions have a scale of their own, as in the overview of a text editor.
The column is opaque: what is not beside it is out of view, not under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from workbench.core.theme import LIGHT, Theme
from workbench.views.canvas.guard import guarded
from workbench.views.canvas.paint import draw_rects
from workbench.views.canvas.scene import HEIGHT
from workbench.views.canvas.surface import MAP_ROOM

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

Floats = NDArray[np.float64]

MOST_HIGH_SHARE = 0.72
MARGIN, INSET = 14.0, 4.0
BREADCRUMB = 26.0  # pixels at the top that the path of an open body takes
HANDLE = 10.0  # the window stays at least so high, to be caught
LEAST = np.asarray([6.0, 1.0])  # width and height of the smallest box
MARK = 2.5  # height of what is selected or found: it is to be seen


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
        """The column has the pane's height; the map in it is as high as the drawing's proportions ask for."""
        self.setGeometry(int(self._canvas.width() - MAP_ROOM), 0, int(MAP_ROOM), self._canvas.height())
        self.lower()  # the zoom buttons stand on it
        self.refresh()
        self.follow()

    def follow(self) -> None:
        """The camera moved. A graph that is seen whole needs no map, a narrow pane has no room for one."""
        window = self.window_area()
        is_whole = window.adjusted(-1, -1, 1, 1).contains(self._area())
        is_needed = self._canvas.scene.count > 1 and self._canvas.map_room() > 0 and not is_whole
        if self.isVisibleTo(self._canvas) != is_needed:
            self.setVisible(is_needed)
        self.update()

    def card(self) -> QRectF:
        """The map with its border."""
        placed = self._canvas.scene.placed
        wide, top = MAP_ROOM - 2 * MARGIN, MARGIN + (BREADCRUMB if self._canvas.path else 0.0)
        high = min(self.height() * MOST_HIGH_SHARE, max(placed.height / max(placed.width, 1.0) * wide, 28.0))
        return QRectF(MARGIN, top, wide, max(high, 2 * INSET + 1.0))

    def _area(self) -> QRectF:
        return self.card().adjusted(INSET, INSET, -INSET, -INSET)

    def _scales(self) -> tuple[float, float]:
        placed, area = self._canvas.scene.placed, self._area()
        return area.width() / max(placed.width, 1.0), area.height() / max(placed.height, 1.0)

    def window_area(self) -> QRectF:
        """What the pane shows, in the map's pixels (it may reach beyond the map)."""
        (sx, sy), area, canvas = self._scales(), self._area(), self._canvas
        left, top = canvas.camera.to_world(0, 0)
        right, bottom = canvas.camera.to_world(canvas.width(), canvas.height())
        return QRectF(area.left() + left * sx, area.top() + top * sy, (right - left) * sx, (bottom - top) * sy)

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self._theme.canvas))
            painter.fillRect(QRectF(0, 0, 1, self.height()), QColor(self._theme.line))
            painter.drawPixmap(0, 0, self._boxes())
            self._paint_window(painter)

    def _boxes(self) -> QPixmap:
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            with QPainter(self._picture) as painter:
                painter.setPen(QColor(self._theme.line))
                painter.drawRect(self.card().adjusted(0, 0, -1, -1))
                painter.setPen(Qt.PenStyle.NoPen)
                self._paint_groups(painter)
                self._paint_boxes(painter)
        return self._picture

    def _paint_groups(self, painter: QPainter) -> None:
        """The outermost open groups."""
        scene = self._canvas.scene
        frames = scene.placed.frames[scene.groups.depth == 0]
        ground = QColor(self._theme.soft)
        ground.setAlphaF(0.13)
        painter.setBrush(ground)
        draw_rects(painter, self._to_map(frames) - np.asarray([1.0, 0.0, -2.0, 0.0]))

    def _to_map(self, rects: Floats) -> Floats:
        """World rectangles (n, 4) on the map."""
        (sx, sy), area = self._scales(), self._area()
        return rects * np.asarray([sx, sy, sx, sy]) + np.asarray([area.left(), area.top(), 0.0, 0.0])

    def _paint_boxes(self, painter: QPainter) -> None:
        scene, marks = self._canvas.scene, self._canvas.marks
        fills, rects = marks.fills, self._rects()
        classes = fills.far.astype(np.int64) * 2 + marks.dim
        shown = _topmost(rects, classes)
        kinds = classes[shown]
        for kind in np.unique(kinds).tolist():
            painter.setBrush((fills.dim_far_colors if kind % 2 else fills.far_colors)[kind // 2])
            draw_rects(painter, rects[shown[kinds == kind]])
        for mask, color in ((marks.found, self._theme.series[1]), (marks.selected, self._theme.accent)):
            self._paint_marked(painter, rects[mask], color)
        if (at := scene.homes.get(marks.saying.match, -1)) >= 0:
            self._paint_marked(painter, rects[at : at + 1] + np.asarray([-2.0, -1.0, 4.0, 2.0]), self._theme.series[1])

    def _paint_marked(self, painter: QPainter, rects: Floats, color: str) -> None:
        grow = np.maximum(MARK - rects[:, 3], 0.0)
        painter.setBrush(QColor(color))
        draw_rects(painter, np.stack([rects[:, 0] - 1, rects[:, 1] - grow / 2, rects[:, 2] + 2, rects[:, 3] + grow], 1))

    def _rects(self) -> Floats:
        """Every box on the map, never too small to be seen."""
        scene = self._canvas.scene
        world = np.stack([scene.placed.x, scene.placed.y, scene.widths, np.full(scene.count, HEIGHT)], axis=1)
        rects = self._to_map(world)
        rects[:, 2:] = np.maximum(rects[:, 2:], LEAST)
        rects[:, 3] = np.minimum(rects[:, 3], 5.0)
        rects[:, :2] -= rects[:, 2:] / 2
        return rects

    def _paint_window(self, painter: QPainter) -> None:
        window = self._handle().intersected(self.card().adjusted(-2, -2, 2, 2))
        accent = QColor(self._theme.accent)
        painter.setPen(QPen(accent, 1.0))
        accent.setAlphaF(0.08)
        painter.setBrush(accent)
        painter.drawRect(window)

    def _handle(self) -> QRectF:
        window = self.window_area()
        grow = max(HANDLE - window.height(), 0.0) / 2
        return window.adjusted(0, -grow, 0, grow)

    @guarded()
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if event.button() != Qt.MouseButton.LeftButton or place.y() > self.card().bottom():
            return
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
        (sx, sy), area = self._scales(), self._area()
        middle = place - (self._grip or QPointF())
        x = min(max(middle.x(), area.left()), area.right())
        y = min(max(middle.y(), area.top()), area.bottom())
        self._canvas.centre_on((x - area.left()) / sx, (y - area.top()) / sy)


def _topmost(rects: Floats, classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """One box for each pixel where many lie on each other: that of the highest class, so that heat is not hidden."""
    pixels = np.round(rects[:, 1]).astype(np.int64) * 4096 + np.round(rects[:, 0]).astype(np.int64)
    hot_first = np.argsort(-classes, kind="stable")
    _, first = np.unique(pixels[hot_first], return_index=True)
    return hot_first[first]
