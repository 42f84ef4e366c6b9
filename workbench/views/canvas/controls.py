"""Zoom in, zoom out and fit: three small buttons, bottom right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QWidget

from workbench.core.theme import LIGHT, Theme
from workbench.views.canvas.guard import guarded

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

SIDE = 24
STEP = 1.35

Strokes = list[tuple[tuple[float, float], ...]]  # polylines on a 24 x 24 grid
MINUS: Strokes = [((8, 12), (16, 12))]
PLUS: Strokes = [*MINUS, ((12, 8), (12, 16))]
FIT: Strokes = [
    ((8, 10.5), (8, 8), (10.5, 8)),
    ((13.5, 8), (16, 8), (16, 10.5)),
    ((16, 13.5), (16, 16), (13.5, 16)),
    ((10.5, 16), (8, 16), (8, 13.5)),
]


class _Button(QAbstractButton):
    def __init__(self, strokes: Strokes, text: str, act: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._strokes = strokes
        self.theme = LIGHT
        self.setFixedSize(SIDE, SIDE)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.clicked.connect(act)

    def sizeHint(self) -> QSize:
        return QSize(SIDE, SIDE)

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            if self.underMouse():
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self.theme.accent_ground))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 4, 4)
            painter.setPen(QPen(QColor(self.theme.text if self.underMouse() else self.theme.soft), 1.3))
            for stroke in self._strokes:
                painter.drawPolyline([QPointF(x + 0.5, y + 0.5) for x, y in stroke])


class ZoomControls(QWidget):
    def __init__(self, canvas: GraphCanvas) -> None:
        super().__init__(canvas)
        self._theme = LIGHT
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(0)
        self.buttons = [
            _Button(MINUS, "Zoom out (−)", lambda: canvas.zoom_by(1 / STEP), self),
            _Button(PLUS, "Zoom in (+)", lambda: canvas.zoom_by(STEP), self),
            _Button(FIT, "Fit the whole graph (F)", canvas.fit, self),
        ]
        for button in self.buttons:
            row.addWidget(button)
        self.setFixedSize(SIDE * len(self.buttons) + 4, SIDE + 4)
        self.setCursor(Qt.CursorShape.ArrowCursor)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for button in self.buttons:
            button.theme = theme
        self.update()

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.setPen(QColor(self._theme.line))
            painter.setBrush(QColor(self._theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
