"""Roofline: each layer by the operations it does per byte and those it does per second, under the machine's roof."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout

from workbench.charts.base import Chart, ChartData
from workbench.charts.plot import Plot, placeholder, plain_tip
from workbench.charts.roofs import RoofLines, log10
from workbench.core.roofline import Bound, LayerPoint, Roofline
from workbench.core.theme import LIGHT, Theme

SMALLEST, LARGEST = 6.0, 34.0  # pixels across; the area is the share of time
EMPTY = "Build a model: its layers appear here under the roof of the machine."
NEAR_PX = 14.0
LABEL_PX = 30
DECADES = 5.0  # of the y axis, at most
LEFT_INTENSITY = 0.02  # operations a byte of the left edge at most: where layers stand that do no arithmetic
MIB = 2**20
COLUMNS = (
    *("layer", "name", "precision", "flops", "bytes_read", "bytes_written", "bytes_weights"),
    *("ms", "roof_ms", "share", "bound"),
)


class RooflineChart(Chart):
    """A dot a layer: colour by precision, area by time. Triangles at the left edge move data and compute nothing.

    A click selects the layer. Without times every dot is what the roof allows: an ESTIMATE, and said so.
    """

    title = "Roofline"
    order = 45
    measure_asked = Signal()
    gpu_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._data = ChartData()
        self._points: list[LayerPoint] = []
        self._xy = np.empty((0, 2))
        self.theme: Theme = LIGHT
        self._make_parts()
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        self.plot.getPlotItem().getViewBox().sigResized.connect(lambda _box: self.set_data(self._data))
        self.set_data(self._data)

    def _make_parts(self) -> None:
        self.plot = Plot(self)
        self.plot.getPlotItem().disableAutoRange()
        self.roofs = RoofLines(self.plot)
        self._dots: dict[tuple[str, str], pg.ScatterPlotItem] = {}
        self._ring = pg.ScatterPlotItem(pxMode=True)
        self._ring.setZValue(20)
        self.plot.addItem(self._ring)
        self.words = placeholder("", self)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.gpu = QComboBox(self)
        self.gpu.setAccessibleName("GPU whose datasheet is the roof")
        self.gpu.setToolTip("The engine was built for these GPUs; the roof is that of a datasheet: an ESTIMATE")
        self.gpu.textActivated.connect(self.gpu_chosen)
        self.placeholder = placeholder("", self)
        self.measure = QPushButton("Measure this machine", self)
        self.measure.clicked.connect(lambda: self.measure_asked.emit())
        head = QHBoxLayout()
        head.addWidget(self.words, 1)
        head.addWidget(self.gpu)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(head)
        box.addWidget(self.plot, 1)
        box.addWidget(self.placeholder, 1)
        box.addWidget(self.measure, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addSpacing(2)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.roofs.set_theme(theme)
        self.words.setStyleSheet(f"color: {theme.soft}; background: {theme.panel}; padding: 0 4px;")
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        found = data.roofline
        for part in (self.plot, self.words):
            part.setVisible(found is not None)
        self.placeholder.setVisible(found is None)
        self.placeholder.setText(data.no_roofline or EMPTY)
        self.measure.setVisible(found is None and data.can_measure)
        self._show_gpus(data)
        if found is None:
            self._points, self._xy = [], np.empty((0, 2))
            self.subtitle_changed.emit("")
            return
        self._draw(found)
        self.words.setText(sentence(found))
        self.words.setToolTip(plain_tip(_source(found)))
        self.subtitle_changed.emit(f"{'ESTIMATE · ' if found.ceilings.is_estimate else ''}{found.ceilings.title}")

    def _show_gpus(self, data: ChartData) -> None:
        self.gpu.setVisible(len(data.gpus) > 1)
        if [self.gpu.itemText(i) for i in range(self.gpu.count())] != list(data.gpus):
            self.gpu.clear()
            self.gpu.addItems(list(data.gpus))
        self.gpu.setCurrentText(data.gpu)

    # drawing

    def _draw(self, found: Roofline) -> None:
        drawn = [point for point in found.known if point.time_ms]
        moving = [point for point in drawn if not point.work.intensity]
        self._points = [*(point for point in drawn if point.work.intensity), *moving]
        peak = max((found.ceilings.peak(point.work.precision) for point in self._points), default=0.0)
        left, right = _span(self._points, peak / found.ceilings.memory)
        self._xy = np.asarray([_place(point, left) for point in self._points], dtype=np.float64).reshape(-1, 2)
        self._set_range(peak, left, right)
        self._set_dots(found)
        self._set_ring()
        self.roofs.draw(found.ceilings, {p.work.precision for p in self._points if p.work.intensity}, left, right)

    def _set_range(self, peak: float, left: float, right: float) -> None:
        top = log10(max(peak, 1.0))
        top += DECADES * LABEL_PX / max(100, self.plot.height() - LABEL_PX)  # room for what is written on the roof
        low = float(self._xy[:, 1].min()) - 0.3 if len(self._xy) else top - DECADES
        low = min(max(low, top - DECADES), top - 1.5)
        np.maximum(self._xy[:, 1], low + 0.1, out=self._xy[:, 1])  # what is far below stands at the bottom
        self.plot.getPlotItem().setRange(xRange=(left, right), yRange=(low, top), padding=0)

    def _set_dots(self, found: Roofline) -> None:
        """One item for each colour and shape: a brush for each dot is far slower."""
        total = sum(point.time_ms or 0.0 for point in self._points) or 1.0
        groups: dict[tuple[str, str], list[int]] = {}
        for i, point in enumerate(self._points):
            groups.setdefault((self._color(point), "o" if point.work.intensity else "t2"), []).append(i)
        for key in set(self._dots) - set(groups):
            self.plot.removeItem(self._dots.pop(key))
        for key, places in groups.items():
            dots = self._dots.get(key) or self._new_dots(*key)
            shares = [(self._points[i].time_ms or 0.0) / total for i in places]
            dots.setData(pos=self._xy[places], size=[_size(share) for share in shares])

    def _new_dots(self, color: str, symbol: str) -> pg.ScatterPlotItem:
        brush = pg.mkColor(color)
        brush.setAlpha(170)
        dots = pg.ScatterPlotItem(symbol=symbol, pxMode=True, pen=pg.mkPen(color, width=1.5), brush=pg.mkBrush(brush))
        dots.setZValue(5)
        self.plot.addItem(dots)
        self._dots[color, symbol] = dots
        return dots

    def _color(self, point: LayerPoint) -> str:
        if not point.work.intensity or point.work.precision is None:
            return self.theme.faint
        return self.theme.precision[point.work.precision]

    def _set_ring(self) -> None:
        chosen = [i for i, point in enumerate(self._points) if point.layer in self._data.selected]
        self._ring.setData(pos=self._xy[chosen], size=[LARGEST / 2 + 6] * len(chosen))
        self._ring.setBrush(pg.mkBrush(None))
        self._ring.setPen(pg.mkPen(self.theme.accent, width=2))

    # pointing

    def _nearest(self, place: QPointF) -> LayerPoint | None:
        """The dot under the pointer, the smaller of two, or one close by."""
        if not self._points:
            return None
        box = self.plot.getPlotItem().getViewBox()
        scene = [box.mapViewToScene(QPointF(x, y)) for x, y in self._xy]
        far = [math.hypot(dot.x() - place.x(), dot.y() - place.y()) for dot in scene]
        nearest = min(range(len(far)), key=far.__getitem__)
        return self._points[nearest] if far[nearest] <= NEAR_PX else None

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        point = self._nearest(event.scenePos())
        if point is not None:
            self.layer_clicked.emit(point.layer)

    def _hovered(self, place: QPointF) -> None:
        point = self._nearest(place)
        self.plot.setToolTip(plain_tip(point_words(point)) if point is not None else "")

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(COLUMNS)
        for point in self._data.roofline.points if self._data.roofline is not None else ():
            work = point.work
            done = work.flops, work.bytes_read, work.bytes_written, work.bytes_weights
            attained = point.ms, point.roof_ms, point.share, point.bound.value
            table.writerow([point.layer, point.name, work.precision or "", *done, *attained])
        return out.getvalue()


def sentence(found: Roofline) -> str:
    """What it says of the whole."""
    memory, compute = (f"{100 * found.time_share(bound):.0f} %" for bound in (Bound.MEMORY, Bound.COMPUTE))
    of_time = f"memory bound {memory} of the time, compute bound {compute}"
    if not found.is_timed:
        return f"ESTIMATE: {found.roof_ms:.3g} ms at best, were every layer at its roof; {of_time}."
    share = f"{100 * found.share:.0f} %" if found.share is not None else "an unknown share"
    roof = "its ESTIMATED roof" if found.ceilings.is_estimate else "its roof"
    return f"Attains {share} of {roof}; {of_time}."


def point_words(point: LayerPoint) -> str:
    """A layer in a few lines."""
    work, lines = point.work, [point.name or point.layer]
    if work.size_bytes is not None and work.flops is not None:
        weights = f", {work.bytes_weights / MIB:.3f} of them weights" if work.bytes_weights else ""
        lines.append(f"{work.flops / 1e6:,.2f} MFLOP on {work.size_bytes / MIB:.3f} MiB{weights}")
    if point.flops_per_s is not None and point.bytes_per_s is not None:
        lines.append(f"{point.flops_per_s / 1e9:,.1f} GFLOP/s, {point.bytes_per_s / 1e9:,.1f} GB/s")
    if point.roof_ms is not None:
        roof = f"at its roof {point.roof_ms:.4f} ms: {point.bound.value}"
        attained = f" ({100 * point.share:.0f} % of the roof)" if point.share is not None else ""
        lines.append(f"{point.ms:.4f} ms{attained}; {roof}" if point.ms else f"ESTIMATE, {roof}")
    return "\n".join(lines)


def _source(found: Roofline) -> str:
    ceilings = found.ceilings
    lines = [f"{ceilings.title}: {ceilings.source}", ceilings.warning]
    return "\n".join(line for line in lines if line)


def _span(points: Sequence[LayerPoint], ridge: float) -> tuple[float, float]:
    """Both ends of the x axis, as powers of ten of operations a byte: the ridge of the roof is seen."""
    known = [log10(intensity) for point in points if (intensity := point.work.intensity)]
    left = min([log10(LEFT_INTENSITY), *(x - 0.4 for x in known)])
    return left, max([2.5, log10(ridge) + 0.8, *(x + 0.5 for x in known)])


def _place(point: LayerPoint, left: float) -> tuple[float, float]:
    """Without arithmetic a layer stands at the left edge, as high as the bytes it moves: against memory's line."""
    if point.work.intensity and point.flops_per_s:
        return log10(point.work.intensity), log10(point.flops_per_s)
    edge = left + 0.08
    return edge, edge + log10(point.bytes_per_s or 1.0)


def _size(share: float) -> float:
    return SMALLEST + (LARGEST - SMALLEST) * math.sqrt(min(share, 1.0))


CHART = RooflineChart
