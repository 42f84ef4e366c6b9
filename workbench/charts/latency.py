"""Latency: every measured inference of the selected runs over time, live while one measures."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from workbench.charts.base import Chart, ChartData, Series
from workbench.charts.plot import Plot, elide, placeholder, plot_font, series_colors, why_empty
from workbench.core.theme import LIGHT, Theme

EMPTY = "Each inference of a timed run appears here as it is measured."
AXIS_PX = 40


class Latency(Chart):
    """One line per run against seconds of measuring, labelled at its end with its median."""

    title = "Latency"
    order = 20

    def __init__(self) -> None:
        super().__init__()
        self._data = ChartData()
        self.theme: Theme = LIGHT
        self.plot = Plot(self, mouse=True)
        self.plot.getPlotItem().setLabel("bottom", "")
        self.plot.getPlotItem().disableAutoRange()
        self.placeholder = placeholder(EMPTY, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        box.addWidget(self.placeholder)
        self._lines: list[pg.PlotDataItem] = []
        self._labels: list[pg.TextItem] = []
        self._drawn: tuple[str, ...] = ()
        self.set_data(self._data)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.plot.getPlotItem().showGrid(y=True, alpha=0.12)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self._drawn = ()
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        series = [one for one in data.series if len(one.latencies_ms)]
        self.plot.setVisible(bool(series))
        self.placeholder.setVisible(not series)
        self.placeholder.setText(why_empty(data, EMPTY))
        self._fit_items(series)
        colors = series_colors(series, self.theme)
        ends: list[float] = []
        for one, color, line in zip(series, colors, self._lines, strict=True):
            seconds = np.cumsum(one.latencies_ms) / 1000
            line.setData(seconds, one.latencies_ms)
            line.setPen(pg.mkPen(color, width=1.3))
            line.setZValue(-len(ends))  # the current run on top
            ends.append(float(seconds[-1]))
        if series:
            medians = [float(np.median(one.latencies_ms)) for one in series]
            labels = self._label_texts(series, medians)
            self._set_range(series, labels, max(ends))
            self._set_labels(medians, labels, colors, max(ends))
        self.subtitle_changed.emit(self._subtitle())

    def _fit_items(self, series: list[Series]) -> None:
        """As many lines and labels as there are runs."""
        while len(self._lines) > len(series):
            self.plot.removeItem(self._lines.pop())
            self.plot.removeItem(self._labels.pop())
        while len(self._lines) < len(series):
            line = pg.PlotDataItem(skipFiniteCheck=True, autoDownsample=True, downsampleMethod="peak")
            self.plot.addItem(line)
            self._lines.append(line)
            self._labels.append(self.plot.text(self.theme.soft, anchor=(0, 0.5)))

    def _label_texts(self, series: list[Series], medians: list[float]) -> list[str]:
        """Titles cut to a third of the plot, medians never."""
        room = self._plot_width() / 3
        titles = [elide(one.title, room, plot_font()) for one in series]
        return [f"{title}  {ms:.2f} ms" for title, ms in zip(titles, medians, strict=True)]

    def _plot_width(self) -> float:
        return max(120.0, self.width() - float(self.plot.getPlotItem().getAxis("left").width()) - 16)

    def _set_range(self, series: list[Series], labels: list[str], end: float) -> None:
        """Room at the right for the labels; while nothing changes but the size, the user's own zoom stays."""
        drawn = (*(one.run.id for one in series), *(str(one.is_live) for one in series), str(self.width()))
        if drawn == self._drawn and not any(one.is_live for one in series):
            return
        self._drawn = drawn
        metrics = QFontMetricsF(plot_font())
        room = max(metrics.horizontalAdvance(label) for label in labels) + 24
        width = max(1.5 * room, self._plot_width())
        top = max(_ceiling(one.latencies_ms) for one in series)
        self.plot.getPlotItem().setRange(xRange=(0, end * width / (width - room)), yRange=(0, top), padding=0)

    def _set_labels(self, medians: list[float], labels: list[str], colors: list[str], end: float) -> None:
        """At the right, by height, pushed apart where they would overlap."""
        top = self.plot.getPlotItem().viewRange()[1][1]
        gap = top * 17 / max(60, self.plot.height() - AXIS_PX)
        height = -0.4 * gap  # the lowest label stands on the axis
        for i in sorted(range(len(medians)), key=lambda i: medians[i]):
            height = max(height + gap, medians[i])
            self._labels[i].setText(labels[i], color=colors[i])
            self._labels[i].setPos(QPointF(end * 1.01, height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)

    def _subtitle(self) -> str:
        if not self._data.series:
            return ""
        first = self._data.series[0]
        if first.is_live:
            return f"live · {len(first.latencies_ms):,} inferences"
        stats = first.run.timing.stats if first.run.timing else None
        if stats is None:
            return first.run.timing.reason if first.run.timing else ""
        return f"p95 {stats.p95_ms:.2f} ms · {stats.noise} (CoV {stats.cov_percent:.1f} %)"

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["run", "iteration", "latency_ms"])
        for one in self._data.series:
            table.writerows([one.run.id, i, f"{ms:.6f}"] for i, ms in enumerate(one.latencies_ms))
        return out.getvalue()


def _ceiling(latencies_ms: NDArray[np.float64]) -> float:
    """Where the axis ends: above nearly all, but never so high that spikes flatten what is steady."""
    return 1.25 * min(float(np.quantile(latencies_ms, 0.99)), 3 * float(np.median(latencies_ms)))


CHART = Latency
