"""The legend, a strip below the graph: the scale with its ticks, the values in short, and what grey means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.core.theme import Theme
from workbench.views.canvas.fonts import face, metrics
from workbench.views.canvas.guard import guarded
from workbench.views.canvas.heat import Heat, Kinds, Range, Scale, told
from workbench.views.canvas.marks import Marks

HEIGHT = 38.0
MARGIN, GAP, SWATCH = 14.0, 16.0, 10.0
BAR_WIDE, BAR_LEAST, BAR_HIGH = 168.0, 90.0, 6.0
LEAST_CUT = 110.0  # px: a text that is cut to less says nothing
SIZE = 11  # px of all texts but those of the ticks
_RIGHT = Qt.TextElideMode.ElideRight


class Legend(QWidget):
    """Follows the marks it is given; nothing to say, no strip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: Marks | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_marks(self, marks: Marks) -> None:
        said = legend_text(marks)
        self._marks = marks
        self.setVisible(bool(said))
        if said != self.accessibleName():
            self.setAccessibleName(said)
            self.setToolTip(said)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, int(HEIGHT))

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._marks is not None:
            with QPainter(self) as painter:
                paint_legend(painter, QRectF(self.rect()), self._marks)


def legend_text(marks: Marks) -> str:
    """The whole legend in words; empty where there is nothing to explain."""
    overlay = marks.saying.overlay
    if isinstance(overlay, Heat) and marks.fills.range is not None:
        return ": ".join(filter(None, [overlay.title, ". ".join([summary(marks), *_grey(marks)])]))
    if isinstance(overlay, Kinds) and marks.fills.kinds:
        parts = [f"{count:,} {kind}" for kind, count in marks.fills.kinds.items()]
        return ": ".join(filter(None, [overlay.title, ", ".join([*parts, *_grey(marks)])]))
    return ""


def summary(marks: Marks) -> str:
    """`min 0.01 ms · median 0.02 ms · max 0.41 ms · 172 layers`."""
    overlay, leaves = marks.saying.overlay, marks.fills.leaves
    known = np.sort(leaves)[: len(leaves) - int(np.isnan(leaves).sum())]  # NaN is sorted to the end
    if not isinstance(overlay, Heat) or not len(known):
        return ""
    median = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    marked = (("min", known[0]), ("median", median), ("max", known[-1]))
    parts = [f"{name} {overlay.parts(float(value))[0]}" for name, value in marked]
    if overlay.total > 0:
        parts.append(f"sum {told(overlay.total, overlay.unit)}")
    return " · ".join(parts)


def _grey(marks: Marks) -> Iterator[str]:
    """What grey means, where there is some."""
    overlay = marks.saying.overlay
    if isinstance(overlay, Heat):
        count = int(np.isnan(marks.fills.leaves).sum())
    else:
        count = len(marks.scene.deep_leaves[0]) - sum(marks.fills.kinds.values())
    if count and overlay is not None:
        yield f"{count:,} {overlay.missing}"


class _Strip:
    """Writes from left to right as long as there is room."""

    def __init__(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        self.painter, self.theme, self.area = painter, theme, area
        self.x = area.left() + MARGIN
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    @property
    def room(self) -> float:
        return self.area.right() - MARGIN - self.x

    def write(self, text: str, color: str, *, whole: bool = False, gap: float = GAP) -> bool:
        """False where it does not fit; `whole` False: it may be cut at the end."""
        font = metrics(SIZE, False)
        width = font.horizontalAdvance(text)
        if width > self.room:
            if whole or self.room < LEAST_CUT:
                return False
            text = font.elidedText(text, _RIGHT, self.room)
            width = self.room
        self.painter.setFont(face(SIZE))
        self.painter.setPen(QColor(color))
        self.painter.drawText(QPointF(self.x, self.area.center().y() + 4.0), text)
        self.x += width + gap
        return True

    def swatch(self, color: QColor, text: str) -> bool:
        """A square with its meaning, both or none."""
        if SWATCH + 5.0 + metrics(SIZE, False).horizontalAdvance(text) > self.room:
            return False
        self.painter.setPen(QColor(self.theme.line))
        self.painter.setBrush(color)
        self.painter.drawRoundedRect(QRectF(self.x, self.area.center().y() - SWATCH / 2, SWATCH, SWATCH), 3, 3)
        self.x += SWATCH + 5.0
        return self.write(text, self.theme.soft, whole=True)


def paint_legend(painter: QPainter, area: QRectF, marks: Marks) -> None:
    """Into a strip of HEIGHT; what does not fit is left out, the least important first."""
    theme, overlay = marks.palette.theme, marks.saying.overlay
    painter.fillRect(area, QColor(theme.panel))
    painter.fillRect(QRectF(area.left(), area.top(), area.width(), 1.0), QColor(theme.line))
    strip = _Strip(painter, area, theme)
    if isinstance(overlay, Heat) and marks.fills.range is not None:
        if strip.room > BAR_WIDE + 90:
            strip.write(overlay.title, theme.text)
        _paint_scale(strip, overlay, marks.fills.range, marks)
        plain = marks.palette.fills[0]
        for grey in _grey(marks):
            strip.swatch(plain, grey)
        strip.write(summary(marks), theme.soft)
    elif isinstance(overlay, Kinds):
        strip.write(overlay.title, theme.text, whole=True)
        for kind, count in marks.fills.kinds.items():
            strip.swatch(QColor(overlay.colors[kind]), f"{kind} {count:,}")
        for grey in _grey(marks):
            strip.swatch(marks.palette.fills[0], grey)


def _paint_scale(strip: _Strip, heat: Heat, reach: Range, marks: Marks) -> None:
    """A bar of the colours, ticks with their numbers below, a notch above at the median of the layers."""
    painter, theme = strip.painter, strip.theme
    wide = min(BAR_WIDE, max(strip.room - 24.0, BAR_LEAST))
    bar = QRectF(strip.x + 8.0, strip.area.center().y() - 9.0, wide, BAR_HIGH)
    painter.setPen(QColor(marks.palette.border))
    painter.setBrush(_ramp(bar, theme, reach))
    painter.drawRoundedRect(bar, 3, 3)
    _paint_ticks(strip, heat, reach, bar)
    known = marks.fills.leaves[~np.isnan(marks.fills.leaves)]
    if len(known) > 2:
        x = bar.left() + place(reach, float(np.median(known))) * bar.width()
        painter.setPen(QColor(theme.text))
        painter.setBrush(QColor(theme.text))
        top = bar.top() - 1.0
        painter.drawPolygon(QPolygonF([QPointF(x - 3, top - 4), QPointF(x + 3, top - 4), QPointF(x, top)]))
    strip.x = bar.right() + GAP + 8.0


def place(reach: Range, value: float) -> float:
    """0 left .. 1 right of a value on the bar, whose numbers grow to the right."""
    share = float(reach.shares(np.asarray([value]))[0])
    return 1.0 - share if reach.low_is_hot else share


def _paint_ticks(strip: _Strip, heat: Heat, reach: Range, bar: QRectF) -> None:
    painter, font, free = strip.painter, metrics(10, False), strip.area.left() + 2.0
    painter.setFont(face(10))
    painter.setPen(QColor(strip.theme.soft))
    for value, text in zip(reach.ticks(), tick_texts(heat, reach), strict=True):
        x = bar.left() + place(reach, value) * bar.width()
        width = font.horizontalAdvance(text)
        left = min(x - width / 2, strip.area.right() - width - 2.0)
        painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 3.0))
        if left >= free:
            painter.drawText(QPointF(left, bar.bottom() + 14.0), text)
            free = left + width + 6.0


def tick_texts(heat: Heat, reach: Range) -> list[str]:
    """The numbers of the ticks; a unit that all have stands behind the last only."""
    found = [heat.tick(value) for value in reach.ticks()]
    is_one = len({unit for number, unit in found if number != "0"}) == 1
    whole = [f"{number} {unit}".strip() for number, unit in found]
    return [*(number for number, _ in found[:-1]), *whole[-1:]] if is_one else whole


def _ramp(bar: QRectF, theme: Theme, reach: Range) -> QLinearGradient:
    scale = QLinearGradient(bar.topLeft(), bar.topRight())
    colors = theme.diverging if reach.scale is Scale.DIVERGING else theme.heat
    for index, color in enumerate(reversed(colors) if reach.low_is_hot else colors):
        scale.setColorAt(index / (len(colors) - 1), QColor(color))
    return scale
