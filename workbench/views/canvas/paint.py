"""The picture: edges, boxes, texts, in device pixels, for the pane and for exports alike.

Levels of detail by zoom: below ROUND plain rectangles by colour class, below TEXT rounded ones without text, then ops,
and from NEAR on names or values, badges and the shapes on the edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, Qt

from workbench.views.canvas.camera import Camera
from workbench.views.canvas.fonts import face, metrics
from workbench.views.canvas.layout import curve
from workbench.views.canvas.marks import Marks
from workbench.views.canvas.palette import Palette
from workbench.views.canvas.scene import HEIGHT, Look, Scene

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUND, TEXT, NEAR = 0.26, 0.48, 0.74
SMOOTH = 0.1  # below it antialiasing only blurs
DOTS = 0.012  # below it every box is a dot
LINES = 0.004  # below it boxes are dots that touch each other
CURVES = ((0.4, 14), (0.12, 5), (0.0, 1))  # from a zoom on, a curve has so many straight pieces
RADIUS = 6.0
NOTE_HEIGHT, NOTE_ROOM = 28.0, 14.0


@dataclass(frozen=True)
class Frame:
    """Everything one picture is made of. `hover` and `current` are boxes, or -1, with open groups beside them."""

    scene: Scene
    marks: Marks
    palette: Palette
    camera: Camera
    width: float
    height: float
    hover: int = -1
    current: int = -1
    hover_group: int = -1
    current_group: str = ""

    @property
    def zoom(self) -> float:
        return self.camera.zoom

    @property
    def is_near(self) -> bool:
        """True where the small print can be read."""
        return self.zoom >= NEAR

    def window(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """What is seen, in world units: left, top, right, bottom; `margin` in device pixels."""
        left, top = self.camera.to_world(-margin, -margin)
        return left, top, *self.camera.to_world(self.width + margin, self.height + margin)

    def visible(self) -> Ints:
        left, top, right, bottom = self.window(16.0)
        placed, half = self.scene.placed, self.scene.widths / 2
        mask = (placed.x + half >= left) & (placed.x - half <= right)
        mask &= (placed.y + HEIGHT / 2 >= top) & (placed.y - HEIGHT / 2 <= bottom)
        return np.flatnonzero(mask)


T = TypeVar("T")


def _wrapped(table: Floats, kind: type[T]) -> T:
    """The array's memory as the first of an array of Qt values; the caller keeps `table` alive meanwhile."""
    return cast(T, shiboken6.wrapInstance(int(table.ctypes.data), cast(type[shiboken6.Object], kind)))


def draw_rects(painter: QPainter, rects: Floats) -> None:
    """(n, 4) x, y, width, height in one call: Qt reads the array as it lies."""
    if len(rects):
        table = np.ascontiguousarray(rects, dtype=np.float64)
        painter.drawRects(_wrapped(table, QRectF), len(table))


def draw_lines(painter: QPainter, lines: Floats) -> None:
    """(n, 4) x1, y1, x2, y2 in one call."""
    if len(lines):
        table = np.ascontiguousarray(lines, dtype=np.float64)
        painter.drawLines(_wrapped(table, QLineF), len(table))


def paint_edges(painter: QPainter, frame: Frame) -> None:
    if frame.zoom < LINES:
        return
    lines = frame.scene.placed.lines
    seen = _seen_runs(frame)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, frame.zoom >= SMOOTH)
    width = min(max(1.3 * frame.zoom**0.5, 0.7), 1.8)
    dim = frame.marks.dim
    if dim.any():
        segment = lines.segment[seen]
        target = lines.target[segment]
        quiet = dim[lines.owner[segment]] | ((target >= 0) & dim[np.maximum(target, 0)])
        _paint_runs(painter, frame, seen[quiet], QColor(frame.palette.theme.line), width)
        seen = seen[~quiet]
    _paint_runs(painter, frame, seen, frame.palette.edge, width)


def _seen_runs(frame: Frame) -> Ints:
    left, top, right, bottom = frame.window(4.0)
    runs = frame.scene.placed.lines.runs
    near = np.flatnonzero((runs[:, 3] >= top) & (runs[:, 1] <= bottom))
    mine = runs[near]
    inside = (np.maximum(mine[:, 0], mine[:, 2]) >= left) & (np.minimum(mine[:, 0], mine[:, 2]) <= right)
    return near[inside]


def _paint_runs(painter: QPainter, frame: Frame, runs: Ints, color: QColor, width: float) -> None:
    """Curves as fine as the zoom needs."""
    lines = frame.scene.placed.lines
    bent = lines.bent[runs]
    steps = next(steps for zoom, steps in CURVES if frame.zoom >= zoom)
    straight = lines.runs[runs[~bent]]
    _, top, _, bottom = frame.window(4.0)
    np.clip(straight[:, 1::2], top, bottom, out=straight[:, 1::2])  # Qt takes long over lines far beyond the window
    pieces = np.concatenate([straight, curve(lines.runs[runs[bent]], steps)])
    painter.setPen(_pen(color, width))
    draw_lines(painter, to_device(pieces, frame.camera))


def paint_highlight(painter: QPainter, frame: Frame, boxes: list[int], color: QColor, width: float) -> None:
    """The whole routes of the edges of these boxes."""
    scene, lines = frame.scene, frame.scene.placed.lines
    edges = np.flatnonzero(np.isin(scene.edges[:, 0], boxes) | np.isin(scene.edges[:, 1], boxes))
    seen = _seen_runs(frame)
    _paint_runs(painter, frame, seen[lines.way(edges)[lines.segment[seen]]], color, width)


def to_device(pieces: Floats, camera: Camera) -> Floats:
    """Vertical lines land on the middle of a pixel column, so that they are crisp."""
    moved = pieces * camera.zoom + np.asarray([camera.shift_x, camera.shift_y] * 2)
    upright = pieces[:, 0] == pieces[:, 2]
    moved[upright, 0] = moved[upright, 2] = np.floor(moved[upright, 0]) + 0.5
    return moved


def _pen(color: QColor, width: float) -> QPen:
    return QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap)  # round ones take 7 times as long


def rects_of(frame: Frame, boxes: Ints) -> Floats:
    """Device rectangles (n, 4), on whole pixels, never thinner than can be seen."""
    placed, camera = frame.scene.placed, frame.camera
    width = np.maximum(np.round(frame.scene.widths[boxes] * camera.zoom), 2.0)
    height = np.full(len(boxes), max(round(HEIGHT * camera.zoom), 1.0))
    x = np.round(placed.x[boxes] * camera.zoom + camera.shift_x - width / 2)
    y = np.round(placed.y[boxes] * camera.zoom + camera.shift_y - height / 2)
    return np.stack([x, y, width, height], axis=1)


def paint_boxes(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    rects = rects_of(frame, boxes)
    if frame.zoom < ROUND:
        _paint_plain(painter, frame, boxes, rects)
    else:
        _paint_round(painter, frame, boxes, rects)
    _paint_outlines(painter, frame, boxes, rects)


def _paint_plain(painter: QPainter, frame: Frame, boxes: Ints, rects: Floats) -> None:
    """One call for each colour class."""
    marks = frame.marks
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    classes = marks.fills.far[boxes].astype(np.int64) * 2 + marks.dim[boxes]
    if frame.zoom < DOTS:
        tops = _topmost(rects, classes)
        rects, classes = rects[tops], classes[tops]
    for kind in np.unique(classes).tolist():
        colors = marks.fills.dim_far_colors if kind % 2 else marks.fills.far_colors
        painter.setBrush(QBrush(colors[kind // 2]))
        draw_rects(painter, rects[classes == kind])


def _topmost(dots: Floats, classes: Ints) -> Ints:
    """Of the dots that start at the same pixel the one of the highest class, which would be drawn last."""
    pixels = (dots[:, 0].astype(np.int64) << 32) + dots[:, 1].astype(np.int64)
    order = np.lexsort((classes, pixels))
    is_last = np.append(pixels[order][1:] != pixels[order][:-1], True)
    return order[is_last]


def _paint_round(painter: QPainter, frame: Frame, boxes: Ints, rects: Floats) -> None:
    """With a border and a stripe from TEXT on; smaller boxes show the same colours as from afar."""
    marks, palette, zoom = frame.marks, frame.palette, frame.zoom
    is_near = zoom >= TEXT
    said = marks.fills
    fills = (said.colors, said.dim_colors) if is_near else (said.far_colors, said.dim_far_colors)
    classes = said.near if is_near else said.far
    borders = palette.border, QColor(palette.theme.line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for box, (x, y, width, height) in zip(boxes.tolist(), rects.tolist(), strict=True):
        is_dim = bool(marks.dim[box])
        is_pill = frame.scene.looks[box] == Look.PILL
        painter.setBrush(fills[is_dim][int(classes[box])])
        painter.setPen(borders[is_dim] if is_near and not is_pill else Qt.PenStyle.NoPen)
        radius = height / 2 if is_pill else RADIUS * zoom
        painter.drawRoundedRect(QRectF(x + 0.5, y + 0.5, width - 1, height - 1), radius, radius)
        stripe = marks.stripes.color(box)
        if stripe is not None and not is_dim:
            _paint_stripe(painter, stripe, zoom, x, y, height)


def _paint_stripe(painter: QPainter, color: QColor, zoom: float, x: float, y: float, height: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    bar = QRectF(x + 5 * zoom, y + 7 * zoom, max(3.5 * zoom, 2.0), height - 14 * zoom)
    painter.drawRoundedRect(bar, bar.width() / 2, bar.width() / 2)


def _paint_outlines(painter: QPainter, frame: Frame, boxes: Ints, rects: Floats) -> None:
    """Selected: accent, 2 px. Under the pointer, or with something selected inside: 1 px, the latter dashed."""
    marks, accent = frame.marks, frame.palette.color("accent")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    marked = marks.selected[boxes] | marks.holds[boxes]
    marked |= (boxes == frame.hover) | (boxes == frame.current)
    for at in np.flatnonzero(marked).tolist():
        box = int(boxes[at])
        is_selected = bool(marks.selected[box])
        width = 2.0 if is_selected else 1.2
        style = Qt.PenStyle.DashLine if marks.holds[box] and not is_selected else Qt.PenStyle.SolidLine
        painter.setPen(QPen(accent, width, style))
        x, y, w, h = rects[at].tolist()
        radius = h / 2 if frame.scene.looks[box] == Look.PILL else RADIUS * frame.zoom
        painter.drawRoundedRect(QRectF(x, y, w, h), radius, radius)


def paint_band(painter: QPainter, frame: Frame, band: QRectF | None) -> None:
    """The rectangle that is being drawn, in device pixels."""
    if band is not None:
        accent = frame.palette.color("accent")
        painter.setPen(accent)
        accent.setAlphaF(0.1)
        painter.setBrush(accent)
        painter.drawRect(band)


def paint_note(painter: QPainter, frame: Frame, text: str) -> None:
    """A few words over the picture, at its bottom."""
    width = metrics(12, False).horizontalAdvance(text) + 2 * NOTE_ROOM
    place = QRectF((frame.width - width) / 2, frame.height - NOTE_HEIGHT - NOTE_ROOM, width, NOTE_HEIGHT)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(frame.palette.color("line"))
    painter.setBrush(frame.palette.color("panel"))
    painter.drawRoundedRect(place, RADIUS, RADIUS)
    painter.setPen(frame.palette.color("text"))
    painter.setFont(face(12))
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)


def paint_touched(painter: QPainter, frame: Frame, touched: set[int]) -> None:
    """What a stroke of a painting tool has touched so far."""
    if not touched:
        return
    boxes = np.asarray(sorted(touched), dtype=np.int64)
    accent = frame.palette.color("accent")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(accent, 2.0))
    accent.setAlphaF(0.35)
    painter.setBrush(accent)
    for x, y, width, height in rects_of(frame, boxes).tolist():
        painter.drawRoundedRect(QRectF(x, y, width, height), RADIUS * frame.zoom, RADIUS * frame.zoom)
