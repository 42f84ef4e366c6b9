"""One picture from back to front; pane and exports share it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workbench.views.canvas.paint import RADIUS, Frame, Ints, paint_boxes, paint_edges, paint_highlight, rects_of
from workbench.views.canvas.paint_groups import paint_chevrons, paint_frames, paint_headers, paint_stacks
from workbench.views.canvas.paint_text import paint_small_print, paint_texts

RING = 3.0  # pixels between a box and the ring around it
HIGHLIGHT_MOST = 40  # edges of more selected layers than this are not lit: everything would be


def paint_picture(painter: QPainter, frame: Frame) -> None:
    """Edges, lit edges, shapes, boxes, writing."""
    boxes = frame.visible()
    paint_frames(painter, frame)
    paint_edges(painter, frame)
    _paint_lit(painter, frame)
    paint_stacks(painter, frame, boxes)
    paint_small_print(painter, frame, boxes)
    paint_headers(painter, frame)
    paint_boxes(painter, frame, boxes)
    paint_chevrons(painter, frame, boxes)
    paint_texts(painter, frame, boxes)
    _paint_found(painter, frame, boxes)


def _paint_found(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    """A ring around what a search found, a thick one around the one that it is at."""
    marks = frame.marks
    found = boxes[marks.found[boxes]]
    if not len(found):
        return
    at = frame.scene.homes.get(marks.saying.match, -1)
    color = QColor(frame.palette.theme.series[1])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for box, (x, y, width, height) in zip(found.tolist(), rects_of(frame, found).tolist(), strict=True):
        wide = 3.0 if box == at else 1.6
        painter.setPen(QPen(color, wide))
        radius = (RADIUS + RING) * frame.zoom
        ring = QRectF(x, y, width, height).adjusted(-RING, -RING, RING, RING)
        painter.drawRoundedRect(ring, radius, radius)


def _paint_lit(painter: QPainter, frame: Frame) -> None:
    accent = frame.palette.color("accent")
    selected = np.flatnonzero(frame.marks.selected).tolist()
    if 0 < len(selected) <= HIGHLIGHT_MOST:
        paint_highlight(painter, frame, selected, accent, 1.5)
    if frame.hover >= 0 and not frame.marks.selected[frame.hover]:
        soft = QColor(accent)
        soft.setAlphaF(0.6)
        paint_highlight(painter, frame, [frame.hover], soft, 1.5)
