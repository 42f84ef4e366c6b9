"""One picture from back to front; pane and exports share it."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QPainter

from workbench.views.canvas.paint import Frame, paint_boxes, paint_edges, paint_highlight
from workbench.views.canvas.paint_groups import paint_chevrons, paint_frames, paint_headers, paint_stacks
from workbench.views.canvas.paint_text import paint_small_print, paint_texts

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


def _paint_lit(painter: QPainter, frame: Frame) -> None:
    accent = frame.palette.color("accent")
    selected = np.flatnonzero(frame.marks.selected).tolist()
    if 0 < len(selected) <= HIGHLIGHT_MOST:
        paint_highlight(painter, frame, selected, accent, 1.5)
    if frame.hover >= 0 and not frame.marks.selected[frame.hover]:
        soft = QColor(accent)
        soft.setAlphaF(0.6)
        paint_highlight(painter, frame, [frame.hover], soft, 1.5)
