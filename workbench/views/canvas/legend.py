"""The scale of the heat map, bottom left: from quiet to hot, with its ends."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QLinearGradient, QPainter

from workbench.views.canvas.fonts import face, metrics
from workbench.views.canvas.marks import number
from workbench.views.canvas.paint import Frame

WIDTH, HEIGHT, MARGIN = 84.0, 6.0, 14.0


def paint_legend(painter: QPainter, frame: Frame) -> None:
    if not frame.marks.has_values:
        return
    low, high = number(frame.marks.low), f"{number(frame.marks.high)} {frame.marks.unit}".strip()
    width_low, width_high = (metrics(11, False).horizontalAdvance(text) for text in (low, high))
    y = frame.height - MARGIN - 12.0
    ground = QColor(frame.palette.theme.canvas)
    ground.setAlphaF(0.96)
    painter.fillRect(QRectF(MARGIN - 6, y - 11, width_low + WIDTH + width_high + 28, 24), ground)
    painter.setFont(face(11))
    painter.setPen(frame.palette.color("soft"))
    painter.drawText(QPointF(MARGIN, y + 4.5), low)
    left = MARGIN + width_low + 8
    painter.drawText(QPointF(left + WIDTH + 8, y + 4.5), high)
    _paint_scale(painter, frame, QRectF(left, y - HEIGHT / 2, WIDTH, HEIGHT))


def _paint_scale(painter: QPainter, frame: Frame, area: QRectF) -> None:
    scale = QLinearGradient(area.topLeft(), area.topRight())
    heat = frame.palette.theme.heat
    for index, color in enumerate(heat):
        scale.setColorAt(index / (len(heat) - 1), QColor(color))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(frame.palette.border)
    painter.setBrush(scale)
    painter.drawRoundedRect(area, 3, 3)
