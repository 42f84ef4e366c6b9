"""Groups on the picture: open ones as shaded areas with a header, closed ones as boxes with a chevron and a stack."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from workbench.views.canvas.fonts import face, static_text
from workbench.views.canvas.paint import RADIUS, ROUND, TEXT, Frame, draw_rects, rects_of
from workbench.views.canvas.palette import mix
from workbench.views.canvas.scene import HEADER, Floats, Ints

LABEL = (11, False)
OUTSIDE = 60.0  # px
SHADES = 5  # deeper groups look like the deepest of these
STACK = (5.0, 2.5)  # how far the sheets of a repeated group stand out above it, the hindmost first
CHEVRON = 4.0  # half its size
LEFT = 10.0  # from a border to the chevron
LABEL_LEFT = 22.0
LABEL_LEAST = 26.0  # px of height from which a group seen from afar says its name
IN_HEADER = 0.36  # from this zoom on the header has room for it
FAR_WIDTH, FAR_MOST = 160.0, 60  # px of a name from afar, and how many are written
GAP = 12.0


def shade(frame: Frame, depth: int) -> QColor:
    """The ground of an open group."""
    theme = frame.palette.theme
    return mix(theme.canvas, theme.soft, 0.045 + 0.035 * min(depth, SHADES))


def seen_groups(frame: Frame) -> Ints:
    """Open groups in the window that are a pixel high, outer ones first."""
    left, top, right, bottom = frame.window(2.0)
    x, y, width, height = frame.scene.placed.frames.T
    mask = (x <= right) & (x + width >= left) & (y <= bottom) & (y + height >= top) & (height * frame.zoom >= 1.0)
    return np.flatnonzero(mask)


def paint_frames(painter: QPainter, frame: Frame) -> None:
    """The grounds of open groups."""
    groups = seen_groups(frame)
    if not len(groups):
        return
    depth = np.minimum(frame.scene.groups.depth[groups], SHADES)
    rects = _clipped(frame, frame.scene.placed.frames[groups])
    is_round = frame.zoom >= ROUND
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, is_round)
    line = QPen(frame.palette.color("line"), 1.0)
    for level in np.unique(depth).tolist():
        painter.setBrush(QBrush(shade(frame, level)))
        painter.setPen(line if is_round else Qt.PenStyle.NoPen)
        mine = rects[depth == level]
        if not is_round:
            draw_rects(painter, mine)
            continue
        for x, y, width, height in np.round(mine).tolist():
            radius = (RADIUS + 2) * frame.zoom
            painter.drawRoundedRect(QRectF(x + 0.5, y + 0.5, width, height), radius, radius)


def _clipped(frame: Frame, frames: Floats) -> Floats:
    """In device pixels; what lies far outside is cut off: Qt takes long over it."""
    low, high = frames[:, :2] * frame.zoom, (frames[:, :2] + frames[:, 2:]) * frame.zoom
    shift = np.asarray([frame.camera.shift_x, frame.camera.shift_y])
    most = np.asarray([frame.width, frame.height]) + OUTSIDE
    low, high = np.clip(low + shift, -OUTSIDE, most), np.clip(high + shift, -OUTSIDE, most)
    return np.concatenate([low, high - low], axis=1)


def paint_headers(painter: QPainter, frame: Frame) -> None:
    """Chevrons, names and counts; from afar only names, where there is room."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    groups = seen_groups(frame)
    taken = _largest_seen(frame, groups) if frame.zoom < IN_HEADER else []
    for group in groups.tolist():
        is_marked = group == frame.hover_group or frame.scene.groups.ids[group] == frame.current_group
        if is_marked:
            _paint_mark(painter, frame, group)
        if frame.zoom >= TEXT:
            _paint_header(painter, frame, group)
        elif len(taken) < FAR_MOST:
            _paint_far(painter, frame, group, taken)


def _rect(frame: Frame, group: int) -> QRectF:
    x, y, width, height = frame.scene.placed.frames[group].tolist()
    left, top = frame.camera.to_device(x, y)
    return QRectF(left, top, width * frame.zoom, height * frame.zoom)


def _paint_mark(painter: QPainter, frame: Frame, group: int) -> None:
    is_current = frame.scene.groups.ids[group] == frame.current_group
    painter.setPen(QPen(frame.palette.color("accent"), 2.0 if is_current else 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = (RADIUS + 2) * frame.zoom
    painter.drawRoundedRect(_rect(frame, group).adjusted(0.5, 0.5, 0.5, 0.5), radius, radius)


def _paint_header(painter: QPainter, frame: Frame, group: int) -> None:
    """In world units; the name stays in sight while any of the header is."""
    groups, zoom = frame.scene.groups, frame.zoom
    x, y, width, _ = frame.scene.placed.frames[group].tolist()
    title, title_width, high = static_text(groups.titles[group], LABEL, max(width - LABEL_LEFT - GAP, 20.0))
    seen_left = frame.camera.to_world(0.0, 0.0)[0]
    left = min(max(x, seen_left), x + width - LABEL_LEFT - title_width - GAP)
    ground = shade(frame, int(groups.depth[group]))
    painter.save()
    painter.translate(frame.camera.shift_x, frame.camera.shift_y)
    painter.scale(zoom, zoom)
    middle = y + HEADER / 2
    painter.setFont(face(*LABEL))
    painter.fillRect(QRectF(left + LEFT - 6, middle - 8, LABEL_LEFT - LEFT + title_width + 10, 16), ground)
    paint_chevron(painter, frame.palette.color("soft"), left + LEFT + 2, middle, is_open=True)
    painter.setPen(frame.palette.color("text" if group == frame.hover_group else "soft"))
    painter.drawStaticText(QPointF(left + LABEL_LEFT, middle - high / 2), title)
    count, count_width, high = static_text(groups.sizes[group], LABEL, 120.0)
    right = x + width - GAP
    if right - count_width > x + width / 2 + GAP and right - count_width > left + LABEL_LEFT + title_width + GAP:
        painter.fillRect(QRectF(right - count_width - 2, middle - 8, count_width + 4, 16), ground)
        painter.setPen(frame.palette.color("faint"))
        painter.drawStaticText(QPointF(right - count_width, middle - high / 2), count)
    painter.restore()


def _paint_far(painter: QPainter, frame: Frame, group: int, taken: list[QRectF]) -> None:
    """The name at the size of the screen: in the header while that is high enough, then left of the group."""
    rect = _rect(frame, group)
    if rect.height() < LABEL_LEAST:
        return
    text, width, high = static_text(frame.scene.groups.titles[group], LABEL, FAR_WIDTH)
    if frame.zoom >= IN_HEADER:
        place = QRectF(max(rect.left(), 0.0) + 5, rect.top() + 1, width, high)
    else:
        place = QRectF(rect.left() - width - 8, max(rect.top(), 0.0) + 2, width, high)
    around = place.adjusted(-3, 0, 3, 0)
    is_inside = frame.zoom < IN_HEADER or place.right() < rect.right()
    if is_inside and not any(around.intersects(other) for other in taken):
        taken.append(around)
        painter.setFont(face(*LABEL))
        painter.setPen(frame.palette.color("soft"))
        painter.drawStaticText(place.topLeft(), text)


def _largest_seen(frame: Frame, groups: Ints) -> list[QRectF]:
    """Where names of groups cannot stand: on the groups that have none around them."""
    outer = [group for group in groups.tolist() if frame.scene.groups.depth[group] == 0]
    return [_rect(frame, group) for group in outer]


def paint_stacks(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    """Behind the boxes of repeated groups: they are many."""
    found = [box for box in boxes.tolist() if box in frame.scene.stacked]
    if not found or frame.zoom < ROUND:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(frame.palette.border, 1.0))
    painter.setBrush(QBrush(mix(frame.palette.theme.panel, frame.palette.theme.soft, 0.1)))
    for x, y, width, height in rects_of(frame, np.asarray(found, dtype=np.int64)).tolist():
        for step in STACK:
            inset = step * frame.zoom
            sheet = QRectF(x + inset + 0.5, y - inset + 0.5, width - 2 * inset - 1, height - 1)
            painter.drawRoundedRect(sheet, RADIUS * frame.zoom, RADIUS * frame.zoom)


def paint_chevrons(painter: QPainter, frame: Frame, boxes: Ints) -> None:
    """At the left of closed groups: they can be opened."""
    if frame.zoom < TEXT:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.translate(frame.camera.shift_x, frame.camera.shift_y)
    painter.scale(frame.zoom, frame.zoom)
    placed, color = frame.scene.placed, frame.palette.color("soft")
    for box in boxes.tolist():
        if box in frame.scene.closed:
            left = float(placed.x[box] - frame.scene.widths[box] / 2)
            paint_chevron(painter, color, left + LEFT + 5, float(placed.y[box]), is_open=False)
    painter.restore()


def paint_chevron(painter: QPainter, color: QColor, x: float, y: float, *, is_open: bool) -> None:
    a, b = CHEVRON, CHEVRON * 0.55
    points = [(-a, -b), (a, -b), (0, b)] if is_open else [(-b, -a), (b, 0), (-b, a)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(x + dx, y + dy) for dx, dy in points]))
