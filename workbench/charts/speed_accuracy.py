"""Speed and accuracy of every plan that a search has measured: the front, what it dominates, and the limit to drag."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from workbench.charts.base import Chart, ChartData
from workbench.charts.plot import Plot, placeholder, plain_tip
from workbench.core.search import SQNR, Limit, LimitKind, Measured, Point, Search
from workbench.core.theme import LIGHT, Theme

EMPTY = "Search the best plan (Ctrl+Shift+B): every plan that is built and measured appears here, live."
NEAR_PX = 14
TALL_PX, WIDE_PX = 220, 300
"""From which size on there is room for words at the axis and at the limit."""
SMALLEST, LARGEST = 7.0, 15.0
"""Pixels of a marker, by the engine's size."""
MARGIN = 0.12
_HEAD = "plan title ms speedup low high metric value loss loss_low loss_high sqnr_db n size_bytes front measured why"
LEAST_SPAN = 0.1
"""Of the upright axis, in its unit."""
BELOW = 0.6
"""How far below the front, in its own height, a plan is still drawn in its place; others stand at the edge."""


class Place:
    """Where a measured point stands: ms to the right; upwards the metric less that of FP32 on the same samples, in
    points or per cent, or decibels where there is no metric. With its 95 % intervals."""

    def __init__(self, search: Search, point: Point, seen: Measured) -> None:
        self.point, self.seen = point, seen
        quality, speed = seen.quality, seen.speed
        self.x, self.y = search.ms(speed.ratio), quality.worth
        self.left, self.right = search.ms(speed.high), search.ms(speed.low)
        self.bottom, self.top = -quality.loss_high, -quality.loss_low
        if quality.loss is None:
            ends = sorted(-end if quality.is_error else end for end in (quality.low, quality.high))
            self.bottom, self.top = ends


class Field(Plot):
    """The plot: a click chooses the nearest point, the limit is dragged."""

    pressed = Signal(object)  # QPointF of the widget

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(event.position())
        super().mousePressEvent(event)


class SpeedAccuracy(Chart):
    """Time is counted from one FP32 (its median over the speed-up), so that points of different hours compare."""

    title = "Speed–accuracy"
    order = 45

    def __init__(self) -> None:
        super().__init__()
        self._data = ChartData()
        self._places: list[Place] = []
        self.theme: Theme = LIGHT
        self.plot = Field(self)
        self.plot.pressed.connect(self._clicked)
        self.plot.setMouseTracking(True)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        self.plot.getPlotItem().disableAutoRange()
        self.placeholder = placeholder(EMPTY, self)
        self._add_items()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        box.addWidget(self.placeholder)
        self.set_data(self._data)

    def _add_items(self) -> None:
        self.bars = pg.ErrorBarItem(x=[0.0], y=[0.0], beam=0)
        self.line = pg.PlotDataItem(skipFiniteCheck=True)
        self.links = pg.PlotDataItem(connect="pairs", skipFiniteCheck=True)
        self.ring, self.dots = pg.ScatterPlotItem(), pg.ScatterPlotItem()
        for item in (self.bars, self.line, self.links, self.ring, self.dots):
            self.plot.addItem(item, ignoreBounds=True)
        self.limit = pg.InfiniteLine(movable=True, angle=0)
        self.limit.sigPositionChangeFinished.connect(self._limit_moved)
        self.plot.addItem(self.limit, ignoreBounds=True)
        self.limit_words = self.plot.text(self.theme.soft, anchor=(1, 1))
        self.labels = {name: self.plot.text(self.theme.text, anchor=(0, 1)) for name in ("best", "knee", "FP32")}

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.plot.getPlotItem().showGrid(x=True, y=True, alpha=0.12)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        search = data.search
        measured = search.measured if search is not None else ()
        self._places = [Place(search, p, p.seen) for p in measured if search is not None and p.seen is not None]
        self.plot.setVisible(bool(self._places))
        self.placeholder.setVisible(not self._places)
        if search is not None and self._places:
            self._name_axes()
            self._set_range(search)
            self._draw(search)
        self.subtitle_changed.emit(self._subtitle())

    def _name_axes(self) -> None:
        quality = self._places[0].seen.quality
        unit = "dB" if quality.metric == SQNR else ""
        if quality.loss is not None:
            unit = f"against FP32, {'points' if quality.is_share else '%'}"
        item = self.plot.getPlotItem()
        item.setLabel("bottom", "ms an inference", color=self.theme.soft)
        item.setLabel("left", f"{quality.metric} {unit}".strip(), color=self.theme.soft)
        item.getAxis("left").showLabel(self.height() >= TALL_PX)

    def _set_range(self, search: Search) -> None:
        """Room for the front, FP32 and the limit; what is far worse than all of these would flatten them."""
        front = {point.id for point in search.front} | {0}
        ys = [place.y for place in self._places if place.point.id in front]
        at = limit_at(search)
        if at is not None and not search.limit.is_of_time:
            ys.append(at)
        low, high = min(ys), max(ys)
        span = max(high - low, LEAST_SPAN)
        near = [place.y for place in self._places if low - BELOW * span <= place.y <= high + BELOW * span]
        low, high = min(near + ys), max(near + ys)
        span = max(high - low, LEAST_SPAN)
        xs = [place.x for place in self._places] + ([at] if at is not None and search.limit.is_of_time else [])
        left, right = min(xs), max(xs)
        wide = max(right - left, 0.1 * right)
        self.plot.getPlotItem().setRange(
            xRange=(max(0.0, left - MARGIN * wide), right + MARGIN * wide),
            yRange=(low - MARGIN * span, high + 1.6 * MARGIN * span),
            padding=0,
        )

    def _draw(self, search: Search) -> None:
        theme, (low, high) = self.theme, self.plot.getPlotItem().viewRange()[1]
        front = {point.id for point in search.front}
        sizes = self._sizes()
        behind_first = sorted(self._places, key=lambda place: place.point.id in front)
        spots = [self._spot(place, place.point.id in front, sizes[place.point.id], low, high) for place in behind_first]
        self.dots.setData(spots)
        known = [place for place in self._places if place.point.id in front and low <= place.y <= high]
        self.bars.setData(
            x=_array(place.x for place in known),
            y=_array(place.y for place in known),
            left=_array(place.x - place.left for place in known),
            right=_array(place.right - place.x for place in known),
            bottom=_array(place.y - place.bottom for place in known),
            top=_array(place.top - place.y for place in known),
            pen=pg.mkPen(theme.faint, width=1),
        )
        known.sort(key=lambda place: place.x)
        self.line.setData([place.x for place in known], [place.y for place in known])
        self.line.setPen(pg.mkPen(theme.accent, width=1.6))
        self._draw_chosen(low, high)
        self._draw_limit(search)
        self._draw_labels(search, low, high)

    def _spot(self, place: Place, is_front: bool, size: float, low: float, high: float) -> dict[str, Any]:
        theme, point = self.theme, place.point
        is_far = not low <= place.y <= high
        color = theme.accent if is_front else theme.faint
        again = point.again is not None
        return {
            "pos": (place.x, min(max(place.y, low), high)),
            "size": size,
            "symbol": ("t" if place.y < low else "t1") if is_far else "s" if point.id == 0 else "o",
            "brush": pg.mkBrush(color if again or not is_front else theme.panel),
            "pen": pg.mkPen(color, width=1.5),
            "data": point.id,
        }

    def _sizes(self) -> dict[int, float]:
        """The area of a marker goes with the engine's size."""
        most = max((place.point.size_bytes for place in self._places), default=0) or 1
        return {
            place.point.id: max(SMALLEST, LARGEST * math.sqrt((place.point.size_bytes or most) / most))
            for place in self._places
        }

    def _draw_chosen(self, low: float, high: float) -> None:
        """A ring around the chosen point, and lines to what it would be without one of its decisions."""
        places = {place.point.id: (place.x, min(max(place.y, low), high)) for place in self._places}
        at = places.get(self._data.point) if self._data.point is not None else None
        pen = pg.mkPen(self.theme.text, width=1.5)
        self.ring.setData([{"pos": at, "size": 22, "brush": pg.mkBrush(None), "pen": pen}] if at else [])
        ends = [end for other in self._data.without if at and other in places for end in (at, places[other])]
        self.links.setData([x for x, _ in ends], [y for _, y in ends])
        self.links.setPen(pg.mkPen(self.theme.soft, width=1, style=Qt.PenStyle.DashLine))

    def _draw_limit(self, search: Search) -> None:
        at, theme = limit_at(search), self.theme
        self.limit.setVisible(at is not None)
        self.limit_words.setVisible(at is not None)
        if at is None:
            return
        is_upright = search.limit.is_of_time
        if not self.limit.moving:
            self.limit.setAngle(90 if is_upright else 0)
            self.limit.setPos(at)
        self.limit.setPen(pg.mkPen(theme.bad, width=1.4, style=Qt.PenStyle.DashLine))
        self.limit.setHoverPen(pg.mkPen(theme.bad, width=3))
        (_, right), (_, high) = self.plot.getPlotItem().viewRange()
        self.limit_words.setText(search.limit.words if self.width() >= WIDE_PX else "limit", color=theme.bad)
        self.limit_words.setAnchor((0, 0) if is_upright else (1, 0))  # below, where the front is not
        self.limit_words.setPos(QPointF(at, high) if is_upright else QPointF(right, at))

    def _draw_labels(self, search: Search, low: float, high: float) -> None:
        points = {"best": search.best, "knee": search.knee, "FP32": search.points[0]}
        named: set[int] = set()  # one name a point
        (left, right), _ = self.plot.getPlotItem().viewRange()
        for name, label in self.labels.items():
            point = points[name]
            point = None if point is None or point.id in named else point
            named |= {point.id} if point is not None else set()
            place = next((p for p in self._places if point is not None and p.point.id == point.id), None)
            label.setVisible(place is not None)
            if place is not None:
                label.setText(name, color=self.theme.text if name == "best" else self.theme.soft)
                room = (place.x - left) / (right - left) * self.plot.getPlotItem().getViewBox().width()
                fits = room > 1.2 * label.boundingRect().width()  # at the left, as the front goes up to the right
                label.setAnchor((1.2, 1.0) if fits else (0.0, 1.2))
                label.setPos(QPointF(place.x, min(max(place.y, low), high)))

    # the mouse

    def _nearest(self, at: QPointF) -> Place | None:
        """At a place of the plot's widget; None where nothing is near."""
        box = self.plot.getPlotItem().getViewBox()
        low, high = self.plot.getPlotItem().viewRange()[1]
        best, found = float(NEAR_PX), None
        for place in self._places:
            there = box.mapViewToScene(QPointF(place.x, min(max(place.y, low), high)))
            distance = math.hypot(there.x() - at.x(), there.y() - at.y())
            if distance < best:
                best, found = distance, place
        return found

    def _clicked(self, at: QPointF) -> None:
        if (place := self._nearest(at)) is not None:
            self.point_clicked.emit(place.point.id)

    def _hovered(self, at: QPointF) -> None:
        place, search = self._nearest(at), self._data.search
        self.plot.setToolTip(plain_tip(point_tip(place)) if place is not None and search is not None else "")

    def _limit_moved(self) -> None:
        search = self._data.search
        if search is not None and (limit := limit_from(search, float(self.limit.value()))) is not None:
            self.limit_moved.emit(limit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)

    def _subtitle(self) -> str:
        search = self._data.search
        if search is None or not self._places:
            return ""
        again, count = sum(point.again is not None for point in search.points), len(search.points)
        plans = "1 plan" if count == 1 else f"{count} plans"
        return f"{plans} · {len(search.front)} on the front · filled: measured twice ({again})"

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(_HEAD.split())
        search = self._data.search
        front = {point.id for point in search.front} if search is not None else set()
        for place in self._places:
            point, q, s = place.point, place.seen.quality, place.seen.speed
            figures = [f"{place.x:.6f}", f"{s.ratio:.4f}", f"{s.low:.4f}", f"{s.high:.4f}", q.metric, q.value]
            lost = ["", "", ""] if q.loss is None else [q.loss, q.loss_low, q.loss_high]
            state = [point.id in front, 2 if point.again is not None else 1, point.why]
            table.writerow([point.id, point.title, *figures, *lost, q.sqnr_db, q.n, point.size_bytes, *state])
        return out.getvalue()


def limit_at(search: Search) -> float | None:
    """Where the limit stands on its axis; None where the axis has no place for it."""
    limit, first = search.limit, search.points[0].seen if search.points else None
    if first is None:
        return None
    quality = first.quality
    match limit.kind:
        case LimitKind.TIME:
            return limit.value
        case LimitKind.SPEEDUP:
            return search.ms(limit.value)
        case LimitKind.SQNR:
            return limit.value if quality.metric == SQNR else None
    return None if quality.loss is None else -limit.value


def limit_from(search: Search, at: float) -> Limit | None:
    """The limit of the same kind whose line stands there."""
    limit, first = search.limit, search.points[0].seen
    if first is None:
        return None
    quality = first.quality
    match limit.kind:
        case LimitKind.TIME:
            return Limit(limit.kind, _rounded(max(at, 1e-4)))
        case LimitKind.SPEEDUP:
            return Limit(limit.kind, _rounded(search.baseline_ms / max(at, 1e-6)))
        case LimitKind.SQNR:
            return Limit(limit.kind, _rounded(max(at, 0.0)))
    return None if quality.loss is None else Limit(limit.kind, _rounded(max(-at, 0.0)))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def point_tip(place: Place) -> str:
    """All that is known of a point."""
    point, quality, speed = place.point, place.seen.quality, place.seen.speed
    lines = [
        f"plan {point.id}: {point.title}",
        f"{place.x:.3f} ms, {speed.ratio:.2f}× FP32 ({speed.low:.2f} to {speed.high:.2f}, {speed.rounds} rounds)",
        f"{quality.metric} {quality.words} (n = {quality.n}), {quality.sqnr_db:.1f} dB",
    ]
    if quality.loss is not None:
        lines.append(f"lost {quality.loss:+.2f} ({quality.loss_low:+.2f} to {quality.loss_high:+.2f})")
    if point.size_bytes:
        lines.append(f"{point.size_bytes / 2**20:.2f} MiB")
    return "\n".join([*lines, f"tried: {point.why}"])


def _array(values: Iterable[float]) -> NDArray[np.float64]:
    return np.fromiter(values, dtype=np.float64)


CHART = SpeedAccuracy
