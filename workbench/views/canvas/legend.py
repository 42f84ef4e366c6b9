"""The scale of the heat map, bottom left: from quiet to hot, with its ends."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QLinearGradient, QPainter

from workbench.views.canvas.fonts import face, metrics
from workbench.views.canvas.marks import number
from workbench.views.canvas.paint import Frame

WIDTH, HEIGHT = 84.0, 6.0
CHIP_HEIGHT, MARGIN, PADDING, GAP = 28.0, 10.0, 10.0, 8.0  # as high as the zoom controls, and as far from the edge
CONTROLS = 100.0  # what the zoom controls take


def paint_legend(painter: QPainter, frame: Frame) -> None:
    """A chip over the graph, like the zoom controls: nothing behind it shines through."""
    if not frame.marks.has_values:
        return
    low, high = number(frame.marks.low), f"{number(frame.marks.high)} {frame.marks.unit}".strip()
    width_low, width_high = (metrics(11, False).horizontalAdvance(text) for text in (low, high))
    width = 2 * PADDING + width_low + GAP + WIDTH + GAP + width_high
    if MARGIN + width + CONTROLS > frame.width:
        return  # no room beside the zoom controls
    chip = QRectF(MARGIN, frame.height - MARGIN - CHIP_HEIGHT, width, CHIP_HEIGHT)
    _paint_chip(painter, frame, chip)
    left, y = chip.left() + PADDING, chip.center().y()
    painter.setFont(face(11))
    painter.setPen(frame.palette.color("soft"))
    painter.drawText(QPointF(left, y + 4.0), low)
    scale = QRectF(left + width_low + GAP, y - HEIGHT / 2, WIDTH, HEIGHT)
    painter.drawText(QPointF(scale.right() + GAP, y + 4.0), high)
    _paint_scale(painter, frame, scale)


def _paint_chip(painter: QPainter, frame: Frame, chip: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(frame.palette.color("line"))
    painter.setBrush(frame.palette.color("panel"))
    painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


def _paint_scale(painter: QPainter, frame: Frame, area: QRectF) -> None:
    scale = QLinearGradient(area.topLeft(), area.topRight())
    heat = frame.palette.theme.heat
    for index, color in enumerate(heat):
        scale.setColorAt(index / (len(heat) - 1), QColor(color))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(frame.palette.border)
    painter.setBrush(scale)
    painter.drawRoundedRect(area, 3, 3)
