"""The writing on the picture: ops, names or values, badges, and the shapes on the edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QTransform

from workbench.views.canvas.boxes import GROUP_ROOM
from workbench.views.canvas.fonts import NAME, OP, SMALL, face, metrics, static_text
from workbench.views.canvas.paint import TEXT, Frame
from workbench.views.canvas.paint_groups import STACK, shade
from workbench.views.canvas.scene import DIM_MOST, HEIGHT, Look, shape_text

Ints = NDArray[np.int64]
Kind = tuple[int, bool]  # px, is it monospaced

LIFT = 6.5  # the op moves up by this much when a second line appears
BADGE_GAP = 8.0
LABEL_MOST, LABEL_GAP = 150.0, 5.0
ROOM = 28.0  # of a box's width that texts leave free: the stripe stands there
ALL_SHAPES = 1.3


class Writer:
    """Draws cached texts in world units under the camera's transform. Small print hides the lines on its `ground`."""

    def __init__(self, painter: QPainter, frame: Frame) -> None:
        self._painter = painter
        camera = frame.camera
        painter.setTransform(QTransform(camera.zoom, 0, 0, camera.zoom, camera.shift_x, camera.shift_y), True)

    def write(
        self,
        text: str,
        kind: Kind,
        color: QColor,
        x: float,
        y: float,
        width: float,
        align: float,
        *,
        ground: QColor | None = None,
    ) -> None:
        """Centred on height y, elided to `width`; align 0 starts at x, 0.5 is centred on it, 1 ends there."""
        prepared, w, h = static_text(text, kind, width)
        left, top = x - w * align, y - h / 2
        if ground is not None:
            self._painter.fillRect(QRectF(left - 1.5, top + 1.0, w + 3.0, h - 2.0), ground)
        self._painter.setFont(face(*kind))
        self._painter.setPen(color)
        self._painter.drawStaticText(QPointF(left, top), prepared)


def paint_texts(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    """In the boxes."""
    if frame.zoom < TEXT:
        return
    painter.save()
    writer = Writer(painter, frame)
    for box in boxes.tolist():
        _paint_box_text(writer, frame, box)
    painter.restore()


def _paint_box_text(writer: Writer, frame: Frame, box: int) -> None:
    scene, theme = frame.scene, frame.palette.theme
    x, y = float(scene.placed.x[box]), float(scene.placed.y[box])
    room = float(scene.widths[box]) - ROOM - (GROUP_ROOM if box in scene.closed else 0.0)
    is_dim = bool(frame.marks.dim[box])
    value = _fitting(frame.marks.value_parts(box), room) if frame.is_near else ""
    second = (value or scene.names[box]) if frame.is_near else ""
    color = QColor(theme.faint if is_dim else theme.text)
    writer.write(scene.titles[box], OP, color, x, y - LIFT if second else y, room, 0.5)
    if second:
        color = QColor(theme.faint if is_dim else theme.text if value else theme.soft)
        color.setAlphaF(0.75 if value else 0.9)
        writer.write(second, SMALL if value else NAME, color, x, y + LIFT + 2.0, room, 0.5)


def _fitting(parts: tuple[str, ...], room: float) -> str:
    """Both parts where there is room, else the first: a number is never cut."""
    whole = " · ".join(parts)
    return whole if len(parts) < 2 or metrics(*SMALL).horizontalAdvance(whole) <= room else parts[0]


def paint_small_print(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    """Between the boxes: the shape beside each line that leaves its producer, and badges over right corners."""
    if not frame.is_near:
        return
    painter.save()
    writer = Writer(painter, frame)
    grounds = _Grounds(frame)
    faint, soft = frame.palette.color("faint"), frame.palette.color("soft")
    for text, x, y, align, box in _labels(frame):
        writer.write(text, NAME, faint, x, y, LABEL_MOST, align, ground=grounds.of(box))
    badges, placed, widths = frame.marks.badges, frame.scene.placed, frame.scene.widths
    for box in boxes.tolist():
        if box in badges:
            right = float(placed.x[box] + widths[box] / 2) - 2.0
            above = float(placed.y[box]) - HEIGHT / 2 - BADGE_GAP - (STACK[0] if box in frame.scene.stacked else 0.0)
            color = faint if frame.marks.dim[box] else soft
            writer.write(badges[box], SMALL, color, right, above, float(widths[box]), 1.0, ground=grounds.of(box))
    painter.restore()


class _Grounds:
    """What is behind the small print of a box: the canvas, or the open group that it is in."""

    def __init__(self, frame: Frame) -> None:
        self._canvas = frame.palette.color("canvas")
        self._frame = frame

    def of(self, box: int) -> QColor:
        group = int(self._frame.scene.inside[box])
        return shade(self._frame, int(self._frame.scene.groups.depth[group])) if group >= 0 else self._canvas


def _labels(frame: Frame) -> list[tuple[str, float, float, float, int]]:
    """(text, x, y, align, box it leaves) of one label for each tensor.

    Below ALL_SHAPES only where the shape is not that of what came in. Left of the line, as badges stand on the right;
    right of lines that leave to the left. Two labels of one box never stand on each other.
    """
    scene = frame.scene
    lines = scene.placed.lines
    left, top, right, bottom = frame.window(60.0)
    seen = (lines.exit_x >= left) & (lines.exit_x <= right) & (lines.exit_y >= top) & (lines.exit_y <= bottom)
    straight = np.abs(lines.exit_x - scene.placed.x[scene.edges[:, 0]]).round()
    told: set[tuple[int, str]] = set()
    spans: dict[int, list[tuple[float, float]]] = {}
    found = []
    for edge in sorted(np.flatnonzero(seen).tolist(), key=lambda edge: (straight[edge], edge)):
        source, tensor = int(scene.edges[edge, 0]), scene.edge_tensors[edge][0]
        text = shape_text(scene.tensors.get(tensor), DIM_MOST)
        if not text or (source, tensor) in told or scene.looks[source] == Look.PILL:
            continue
        told.add((source, tensor))
        if frame.zoom >= ALL_SHAPES or text != scene.incoming(source):
            x, y = float(lines.exit_x[edge]), float(lines.exit_y[edge]) + 9.5
            align = 1.0 if x > float(scene.placed.x[source]) - 1.0 else 0.0
            x += LABEL_GAP * (1.0 - 2.0 * align)
            width = static_text(text, NAME, LABEL_MOST)[1]
            span = (x - width * align - LABEL_GAP, x + width * (1.0 - align) + LABEL_GAP)
            if not any(span[0] < end and start < span[1] for start, end in spans.setdefault(source, [])):
                spans[source].append(span)
                found.append((text, x, y, align, source))
    return found
