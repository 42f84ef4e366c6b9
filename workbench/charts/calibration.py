"""Ranges: the histogram of a tensor that is calibrated, and where each method cuts it off."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.charts.base import Chart, ChartData
from workbench.charts.plot import Plot, placeholder, plot_font
from workbench.core.calibration_report import CalibrationReport, ChosenRange, TensorRange
from workbench.core.precision import CalibrationMethod
from workbench.core.theme import LIGHT, Theme

EMPTY = "Calibrate (Ctrl+K) or build in INT8: the values of each tensor appear here, and the range each method keeps."
TITLES = {
    CalibrationMethod.MAX: "max",
    CalibrationMethod.PERCENTILE: "percentile",
    CalibrationMethod.MSE: "MSE",
    CalibrationMethod.ENTROPY: "entropy",
}
_PLACES = {
    CalibrationMethod.MAX: 5,
    CalibrationMethod.PERCENTILE: 0,
    CalibrationMethod.MSE: 1,
    CalibrationMethod.ENTROPY: 3,
}
"""In the theme's colours of series: safe for the colour-blind side by side."""
FLOOR = math.log10(0.5)
PICKER_PX = 320
TICK_PX = 28  # between two figures of the axis
WIDE_PX = 620


class Values(Plot):
    """The histogram, with counts on a logarithmic axis, and a pair of lines for each method."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, mouse=True)
        item = self.getPlotItem()
        item.disableAutoRange()
        self._top = 1.0
        item.getViewBox().sigResized.connect(lambda _box: self._set_ticks())
        self.bars = pg.PlotCurveItem(fillLevel=FLOOR, skipFiniteCheck=True)
        self.addItem(self.bars)
        self.lines = {method: self._pair() for method in CalibrationMethod}

    def _pair(self) -> tuple[pg.InfiniteLine, pg.InfiniteLine]:
        pair = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)
        for line in pair:
            self.addItem(line, ignoreBounds=True)
        return pair

    def draw(self, tensor: TensorRange, method: CalibrationMethod, color: str) -> None:
        edges, logs = _curve(tensor)
        ends = [end for one in tensor.ranges for end in (one.low, one.high)]
        low, high = min(edges[0], *ends), max(edges[-1], *ends)
        self.bars.setData(edges, logs, stepMode="center", pen=pg.mkPen(None), brush=pg.mkBrush(color))
        for one in tensor.ranges:
            pen = pg.mkPen(method_color(one.method, self.theme), width=2.4 if one.method is method else 1.2)
            for line, place in zip(self.lines[one.method], (one.low, one.high), strict=True):
                line.setPen(pen)
                line.setPos(place)
                line.setZValue(2 if one.method is method else 1)
        margin = 0.02 * (high - low or 1.0)
        top = max(1.0, float(logs.max(initial=0.0)))
        item = self.getPlotItem()
        item.setRange(xRange=(low - margin, high + margin), yRange=(FLOOR, top * 1.06), padding=0)
        self._top = top
        self._set_ticks()

    def _set_ticks(self) -> None:
        step = max(1, math.ceil(self._top * TICK_PX / max(1, self.height())))
        ticks = [(d, _power(d)) for d in range(0, int(self._top) + 1, step)]
        self.getPlotItem().getAxis("left").setTicks([ticks])


class Ranges(Chart):
    """One tensor at a time: of the selected node, or picked from the list, or the next with the arrow keys."""

    title = "Ranges"
    order = 50

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self._data = ChartData()
        self._report: CalibrationReport | None = None
        self._followed: frozenset[str] = frozenset()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.picker = QComboBox()
        self.picker.setAccessibleName("Tensor")
        self.picker.setToolTip("Tensor; the arrow keys go to the next")
        self.picker.setMaximumWidth(PICKER_PX)
        self.picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.picker.setMinimumContentsLength(18)
        self.picker.activated.connect(self._picked)
        self.before, self.next = self._arrow("‹", -1), self._arrow("›", 1)
        self.legend = {method: _label() for method in CalibrationMethod}
        self.plot = Values(self)
        self.placeholder = placeholder(EMPTY, self)
        self._whole = QWidget()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._whole)
        box.addWidget(self.placeholder)
        self._lay_out()
        self.set_data(self._data)

    def _arrow(self, text: str, step: int) -> QPushButton:
        made = QPushButton(text)
        made.setFixedWidth(24)
        made.setProperty("kind", "ghost")
        name = "Next tensor" if step > 0 else "Tensor before"
        made.setAccessibleName(name)
        made.setToolTip(name)
        made.clicked.connect(lambda: self.step(step))
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        for part in (self.before, self.picker, self.next):
            head.addWidget(part)
        head.addStretch(1)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(0)
        self._place_legend()
        column = QVBoxLayout(self._whole)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.plot, 1)
        column.addLayout(self._grid)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        report = data.calibration
        if report is not self._report:
            self._report = report
            self._fill(report)
        self._follow(data.nodes)
        self._whole.setVisible(self.tensor is not None)
        self.placeholder.setVisible(self.tensor is None)
        if self.tensor is not None:
            self._draw(self.tensor)
        self.subtitle_changed.emit(self._subtitle())

    @property
    def tensor(self) -> TensorRange | None:
        """The one that is shown."""
        place = self.picker.currentIndex()
        return self._report.tensors[place] if self._report and 0 <= place < len(self._report.tensors) else None

    def _fill(self, report: CalibrationReport | None) -> None:
        shown = self.picker.currentText()
        self.picker.clear()
        self.picker.addItems([tensor.name for tensor in report.tensors] if report else [])
        self._followed = frozenset()
        self.picker.setCurrentIndex(max(0, self.picker.findText(shown)) if report and report.tensors else -1)

    def _follow(self, nodes: frozenset[str]) -> None:
        """The first tensor that a selected node reads, when the selection has changed; else what was picked stays."""
        if nodes == self._followed or self._report is None:
            return
        self._followed = nodes
        shown = self.tensor
        if shown is not None and nodes.intersection(shown.nodes):
            return
        for place, tensor in enumerate(self._report.tensors):
            if nodes.intersection(tensor.nodes):
                self.picker.setCurrentIndex(place)
                return

    def step(self, by: int) -> None:
        """To the next tensor in the order of the graph, and back; the graph follows."""
        if self.picker.count():
            self.picker.setCurrentIndex((self.picker.currentIndex() + by) % self.picker.count())
            self._picked()

    def _picked(self, _place: int = 0) -> None:
        if self.tensor is not None:
            self._draw(self.tensor)
            self.subtitle_changed.emit(self._subtitle())
            self._followed = frozenset(self.tensor.nodes)
            self.nodes_clicked.emit(self.tensor.nodes)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        if Qt.Key(event.key()) in steps:
            self.step(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _draw(self, tensor: TensorRange) -> None:
        self.plot.draw(tensor, self._data.method, self.theme.faint)
        self.picker.setToolTip(tensor.name)
        for one in tensor.ranges:
            color = method_color(one.method, self.theme)
            weight = "600" if one.method is self._data.method else "400"
            self.legend[one.method].setText(range_words(one))
            self.legend[one.method].setStyleSheet(f"color: {color}; font-weight: {weight};")

    def _subtitle(self) -> str:
        tensor = self.tensor
        if tensor is None or self._report is None:
            return ""
        dead = f" · {tensor.dead} of {tensor.channels} channels dead" if tensor.dead else ""
        return f"{tensor.form} · {_figure(tensor.low)} … {_figure(tensor.high)}{dead}"

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_legend()

    def _place_legend(self) -> None:
        """In one column where two would be cut."""
        columns = 2 if self.width() >= WIDE_PX else 1
        for place, label in enumerate(self.legend.values()):
            self._grid.addWidget(label, place // columns, place % columns)

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["tensor", "nodes", "form", "low", "high", "method", "from", "to", "clipped_percent", "sqnr_db"])
        for tensor in self._report.tensors if self._report else ():
            head = [tensor.name, " ".join(tensor.nodes), tensor.form, tensor.low, tensor.high]
            for one in tensor.ranges:
                table.writerow([*head, one.method.value, one.low, one.high, 100 * one.clipped, f"{one.sqnr_db:.2f}"])
        return out.getvalue()


def method_color(method: CalibrationMethod, theme: Theme) -> str:
    """Of the lines of a method."""
    return theme.series[_PLACES[method]]


def range_words(one: ChosenRange) -> str:
    """`MSE  −0.36 … 2.5   0.0038 % clipped   35 dB`."""
    clipped = "nothing clipped" if one.clipped <= 0 else f"{100 * one.clipped:.2g} % clipped"
    return f"{TITLES[one.method]}  {_figure(one.low)} … {_figure(one.high)}  {clipped}  {one.sqnr_db:.0f} dB"


def _curve(tensor: TensorRange) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the bins, and the logarithm of their counts; empty ones at the floor."""
    counts = np.asarray(tensor.counts, dtype=np.float64)
    high = tensor.high if tensor.high > tensor.low else tensor.low + 1.0
    edges = np.linspace(tensor.low, high, len(counts) + 1)
    return edges, np.where(counts > 0, np.log10(np.maximum(counts, 1.0)), FLOOR)


def _figure(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _power(exponent: int) -> str:
    return (
        f"10{str(exponent).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" if exponent > 1 else str(10**exponent)
    )


def _label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(plot_font())
    label.setMinimumWidth(40)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


CHART = Ranges
