"""The writing on the picture: ops, names or values, badges, and the shapes on the edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QTransform

from workbench.views.canvas.fonts import NAME, OP, SMALL, face, static_text
from workbench.views.canvas.paint import TEXT, Frame
from workbench.views.canvas.scene import DIM_MOST, HEIGHT, Look, shape_text

Ints = NDArray[np.int64]

LIFT = 6.5  # the op moves up by this much when a second line appears
BADGE_GAP = 2.0
ALL_SHAPES = 1.3


class Writer:
    """Draws cached texts in world units under the camera's transform."""

    def __init__(self, painter: QPainter, frame: Frame) -> None:
        self._painter = painter
        camera = frame.camera
        painter.setTransform(QTransform(camera.zoom, 0, 0, camera.zoom, camera.shift_x, camera.shift_y), True)

    def write(
        self, text: str, kind: tuple[int, bool], color: QColor, x: float, y: float, width: float, align: float
    ) -> tuple[float, float, float, float]:
        """Centred on height y; align 0 starts at x, 0.5 is centred on it, 1 ends there. Returns its rectangle."""
        prepared, w, h = static_text(text, kind, width)
        self._painter.setFont(face(*kind))
        self._painter.setPen(color)
        left, top = x - w * align, y - h / 2
        self._painter.drawStaticText(QPointF(left, top), prepared)
        return left, top, w, h


def paint_texts(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    if frame.zoom < TEXT:
        return
    painter.save()
    writer = Writer(painter, frame)
    for box in boxes.tolist():
        _paint_box_text(writer, frame, box)
    if frame.nearness > 0:
        _paint_badges(writer, frame, boxes)
    painter.restore()


def _paint_box_text(writer: Writer, frame: Frame, box: int) -> None:
    scene, theme = frame.scene, frame.palette.theme
    x, y = float(scene.placed.x[box]), float(scene.placed.y[box])
    room = float(scene.widths[box]) - 18.0
    is_dim = bool(frame.marks.dim[box])
    value = frame.marks.value_text(box)
    second = value or scene.names[box]
    lift = LIFT * frame.nearness if second else 0.0
    writer.write(scene.titles[box], OP, QColor(theme.faint if is_dim else theme.text), x, y - lift, room, 0.5)
    if second and frame.nearness > 0:
        color = QColor(theme.faint if is_dim else theme.text if value else theme.soft)
        color.setAlphaF(frame.nearness * (0.75 if value else 0.9))
        writer.write(second, SMALL if value else NAME, color, x, y + LIFT + 2.0, room, 0.5)


def _paint_badges(writer: Writer, frame: Frame, boxes: Ints) -> None:
    color = QColor(frame.palette.theme.soft)
    color.setAlphaF(frame.nearness)
    badges, placed = frame.marks.badges, frame.scene.placed
    for box in boxes.tolist():
        if box in badges:
            right = float(placed.x[box] + frame.scene.widths[box] / 2) - 2.0
            above = float(placed.y[box]) - HEIGHT / 2 - BADGE_GAP - 6.0
            writer.write(badges[box], SMALL, color, right, above, float(frame.scene.widths[box]) * 1.4, 1.0)


def paint_edge_labels(painter: QPainter, frame: Frame) -> None:
    """The shape of each tensor beside the line that leaves its producer, where there is room."""
    if frame.nearness <= 0:
        return
    painter.save()
    writer = Writer(painter, frame)
    color, ground = QColor(frame.palette.theme.faint), QColor(frame.palette.theme.canvas)
    color.setAlphaF(frame.nearness)
    ground.setAlphaF(0.85 * frame.nearness)
    for text, x, y in _labels(frame):
        left, top, width, height = x + 5.0, y - 5.5, *static_text(text, NAME, 150.0)[1:]
        painter.fillRect(QRectF(left - 1.5, top, width + 3.0, height), ground)
        writer.write(text, NAME, color, left, y, 150.0, 0.0)
    painter.restore()


def _labels(frame: Frame) -> list[tuple[str, float, float]]:
    """(text, x, y) of one label for each tensor. Below ALL_SHAPES only where the shape is not that of what came in."""
    scene = frame.scene
    lines = scene.placed.lines
    left, top, right, bottom = frame.window(60.0)
    seen = (lines.exit_x >= left) & (lines.exit_x <= right) & (lines.exit_y >= top) & (lines.exit_y <= bottom)
    straight = np.abs(lines.exit_x - scene.placed.x[scene.edges[:, 0]]).round()
    taken: set[tuple[int, object]] = set()
    found = []
    for edge in sorted(np.flatnonzero(seen).tolist(), key=lambda edge: (straight[edge], edge)):
        source, tensor = int(scene.edges[edge, 0]), scene.edge_tensors[edge][0]
        place = source, round(float(lines.exit_x[edge]) / 24)
        text = shape_text(scene.tensors.get(tensor), DIM_MOST)
        if not text or taken & {(source, tensor), place} or scene.looks[source] == Look.PILL:
            continue
        taken |= {(source, tensor), place}
        if frame.zoom >= ALL_SHAPES or text != scene.incoming.get(source):
            found.append((text, float(lines.exit_x[edge]), float(lines.exit_y[edge]) + 9.5))
    return found
