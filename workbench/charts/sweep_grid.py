"""The heat grid of a sweep: sizes down, threads and streams across, the hotter the more samples a second."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.charts.plot import elide, plain_tip, plot_font
from workbench.charts.sweep_data import SweepData, rate_words, swept_words
from workbench.core.sweep import Point, Swept
from workbench.core.theme import LIGHT, Theme
from workbench.core.words import plural

HEAD_PX, GAP, MOST_ROW_PX, LEAST_ROW_PX = 22, 2, 44, 15
TALL_PX = 34
"""A cell from this height on says the latency below the throughput."""


class SweepGrid(QWidget):
    """A cell a point. What is over the limit steps back, the best within it is outlined."""

    point_clicked = Signal(object)  # Point
    point_opened = Signal(object)  # Point, by a double click

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._data = SweepData()
        self._rows: list[str] = []
        self._columns: list[str] = []
        self._cells: dict[tuple[int, int], Point] = {}
        self.setAccessibleName("Throughput over the grid")

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_data(self, data: SweepData) -> None:
        self._data = data
        self._rows = list(dict.fromkeys(_row(point) for point in data.points))
        self._columns = list(dict.fromkeys(_column(point) for point in data.points))
        rows, columns = ({name: i for i, name in enumerate(names)} for names in (self._rows, self._columns))
        self._cells = {(rows[_row(point)], columns[_column(point)]): point for point in data.points}
        self.setMinimumHeight(HEAD_PX + LEAST_ROW_PX * len(self._rows))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, HEAD_PX + MOST_ROW_PX * max(1, len(self._rows)))

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is painted."""
        left = self._left()
        width = (self.width() - left) / max(1, len(self._columns))
        height = self._row_px()
        return QRectF(left + column * width, HEAD_PX + row * height, width - GAP, height - GAP)

    def point_at(self, place: QPointF) -> Point | None:
        return next((p for at, p in self._cells.items() if self.cell_rect(*at).contains(place)), None)

    def _row_px(self) -> float:
        return min(float(MOST_ROW_PX), (self.height() - HEAD_PX) / max(1, len(self._rows)))

    def _left(self) -> float:
        metrics = QFontMetricsF(plot_font())
        widest = max((metrics.horizontalAdvance(name) for name in self._rows), default=0.0)
        return min(widest + 12, self.width() / 3)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(plot_font())
            self._paint_heads(painter)
            rates = [one.samples_per_second for one in self._data.found if one.throughput is not None]
            span = (min(rates), max(rates)) if rates else (0.0, 0.0)
            for at, point in self._cells.items():
                self._paint_cell(painter, self.cell_rect(*at), point, span)

    def _paint_heads(self, painter: QPainter) -> None:
        painter.setPen(QColor(self.theme.soft))
        left, font = self._left(), plot_font()
        for row, name in enumerate(self._rows):
            rect = self.cell_rect(row, 0)
            place = QRectF(0, rect.y(), left - 8, rect.height())
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, elide(name, left, font)
            )
        for column, name in enumerate(self._columns):
            rect = self.cell_rect(0, column)
            place = QRectF(rect.x(), 0, rect.width(), HEAD_PX)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignCenter, elide(self._fitting(name, rect.width()), rect.width(), font)
            )

    def _fitting(self, name: str, width: float) -> str:
        """The head of a column in full, else its two counts."""
        if QFontMetricsF(plot_font()).horizontalAdvance(name) <= width:
            return name
        return " × ".join("all" if part.startswith("all") else part.split()[0] for part in name.split(" × "))

    def _paint_cell(self, painter: QPainter, rect: QRectF, point: Point, span: tuple[float, float]) -> None:
        one, data = self._data.of(point), self._data
        is_out = one is not None and data.limit_ms > 0 and one.median_ms > data.limit_ms
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setOpacity(0.35 if is_out else 1.0)
        painter.setBrush(QColor(self._color(one, span)))
        painter.drawRoundedRect(rect, 3, 3)
        self._paint_words(painter, rect, one)
        painter.setOpacity(1.0)
        is_best, is_chosen = one is not None and one == data.best, point == data.chosen
        if is_best or is_chosen:
            painter.setPen(QPen(QColor(self.theme.accent if is_chosen else self.theme.text), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 3, 3)

    def _paint_words(self, painter: QPainter, rect: QRectF, one: Swept | None) -> None:
        if one is None:
            return
        if one.throughput is None:
            painter.setPen(QColor(self.theme.bad))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "—")
            return
        painter.setPen(QColor(self.theme.text))
        rate = f"{rate_words(one.samples_per_second)}/s"
        has_room = QFontMetricsF(plot_font()).horizontalAdvance(f"★ {rate}") <= rect.width()
        first = f"★ {rate}" if one == self._data.best and has_room else rate
        if rect.height() < TALL_PX:
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, elide(first, rect.width(), plot_font()))
            return
        half = rect.height() / 2
        upper, lower = rect.adjusted(0, 2, 0, -half), rect.adjusted(0, half - 2, 0, -2)
        painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, elide(first, rect.width(), plot_font()))
        painter.setPen(QColor(self.theme.soft))
        latency = f"{one.median_ms:.3g} ms{' noisy' * one.is_noisy}"
        painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, elide(latency, rect.width(), plot_font()))

    def _color(self, one: Swept | None, span: tuple[float, float]) -> str:
        if one is None or one.throughput is None:
            return self.theme.background
        low, high = (math.log(max(value, 1e-9)) for value in span)
        share = (math.log(max(one.samples_per_second, 1e-9)) - low) / (high - low) if high > low else 1.0
        return _between(self.theme.heat, share)

    # the mouse

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        point = self.point_at(event.position())
        if point is not None and event.button() == Qt.MouseButton.LeftButton:
            self.point_clicked.emit(point)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        point = self.point_at(event.position())
        if point is not None and event.button() == Qt.MouseButton.LeftButton:
            self.point_opened.emit(point)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.tip_at(QPointF(event.pos()))), self)
            return True
        return super().event(event)

    def tip_at(self, place: QPointF) -> str:
        point = self.point_at(place)
        if point is None:
            return ""
        one = self._data.of(point)
        known = swept_words(one, self._data.price) if one is not None else f"{point.words}\nnot measured yet"
        return f"{known}\nA double click builds a run of its own here."


def _row(point: Point) -> str:
    return ", ".join(f"{name} {value}" for name, value in point.dims.items()) or "as it is"


def _column(point: Point) -> str:
    """`2 threads × 1 stream`"""
    threads = plural(point.threads, "thread") if point.threads else "all cores"
    return f"{threads} × {plural(point.streams, 'stream')}"


def _between(ramp: tuple[str, ...], share: float) -> str:
    """The colour at `share` (0..1) of a ramp."""
    place = min(max(share, 0.0), 1.0) * (len(ramp) - 1)
    at = min(int(place), len(ramp) - 2)
    first, second, part = QColor(ramp[at]), QColor(ramp[at + 1]), place - at
    pairs = zip((first.red(), first.green(), first.blue()), (second.red(), second.green(), second.blue()), strict=True)
    return QColor(*(round(a + (b - a) * part) for a, b in pairs)).name()
