"""Throughput against latency: every point of a sweep, the front, and a limit of latency that can be dragged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.charts.plot import Plot, placeholder, plain_tip
from workbench.charts.sweep_data import SweepData, rate_words, swept_words
from workbench.core.sweep import Swept, front
from workbench.core.theme import LIGHT, Theme

ROOM = 1.16  # beyond the last point
NEAR_PX = 12
EMPTY = "Throughput against latency, as points are measured."


class SweepFront(QWidget):
    """The quicker the more to the left, the more samples a second the higher."""

    limit_moved = Signal(float)  # ms; 0 where it was dragged beyond everything
    point_clicked = Signal(object)  # Point

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._data = SweepData()
        self._timed: list[Swept] = []
        self.plot = Plot(self)
        item = self.plot.getPlotItem()
        item.disableAutoRange()
        self._bars = pg.ErrorBarItem(x=[0.0], y=[0.0], beam=0)
        self._line = pg.PlotDataItem(skipFiniteCheck=True)
        self._dots = pg.ScatterPlotItem()
        for part in (self._bars, self._line, self._dots):
            self.plot.addItem(part, ignoreBounds=True)
        self.limit = pg.InfiniteLine(movable=True, angle=90)
        self.limit.setToolTip("Drag: the best throughput within this latency is marked")
        self.limit.sigPositionChangeFinished.connect(self._moved)
        self.plot.addItem(self.limit, ignoreBounds=True)
        self._best = self.plot.text(self.theme.text, anchor=(0.5, 1.1))
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        self.placeholder = placeholder(EMPTY, self)
        box.addWidget(self.placeholder)
        self.set_theme(self.theme)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        item = self.plot.getPlotItem()
        item.showGrid(x=True, y=True, alpha=0.12)
        item.setLabel("bottom", "median latency, ms", color=theme.soft)
        item.setLabel("left", "samples/s", color=theme.soft)
        self.limit.setPen(pg.mkPen(theme.accent, width=1.5, style=Qt.PenStyle.DashLine))
        self.limit.setHoverPen(pg.mkPen(theme.accent, width=3))
        self.set_data(self._data)

    def set_data(self, data: SweepData) -> None:
        self._data = data
        self._timed = [one for one in data.found if one.throughput is not None]
        xs = np.asarray([one.median_ms for one in self._timed])
        ys = np.asarray([one.samples_per_second for one in self._timed])
        lows, highs = (np.asarray([one.interval[side] for one in self._timed]) for side in (0, 1))
        self.plot.setVisible(bool(self._timed))
        self.placeholder.setVisible(not self._timed)
        if not self._timed:
            return
        right = ROOM * float(xs.max())
        self.plot.getPlotItem().setRange(xRange=(0, right), yRange=(0, ROOM * float(highs.max())), padding=0)
        self._bars.setData(x=xs, y=ys, top=highs - ys, bottom=ys - lows, pen=pg.mkPen(self.theme.faint))
        edge = front(self._timed)
        self._line.setData([one.median_ms for one in edge], [one.samples_per_second for one in edge])
        self._line.setPen(pg.mkPen(self.theme.soft, width=1.2))
        self._dots.setData([self._dot(one) for one in self._timed])
        self.limit.blockSignals(True)
        self.limit.setPos(min(data.limit_ms or right, right))
        self.limit.blockSignals(False)
        self._mark_best()

    def _dot(self, one: Swept) -> dict[str, Any]:
        data = self._data
        is_best, is_chosen = one == data.best, one.point == data.chosen
        is_out = data.limit_ms > 0 and one.median_ms > data.limit_ms
        color = self.theme.accent if is_chosen else self.theme.good if is_best else self.theme.soft
        return {
            "pos": (one.median_ms, one.samples_per_second),
            "size": 15 if is_best else 9,
            "symbol": "star" if is_best else "o",
            "pen": pg.mkPen(color),
            "brush": pg.mkBrush(None if is_out else color),
        }

    def _mark_best(self) -> None:
        best = self._data.best
        self._best.setVisible(best is not None)
        if best is not None:
            is_left = best.median_ms < 0.5 * max(one.median_ms for one in self._timed)
            self._best.setAnchor((-0.12, 0.5) if is_left else (1.12, 0.5))
            self._best.setText(f"{rate_words(best.samples_per_second)}/s", color=self.theme.text)
            self._best.setPos(QPointF(best.median_ms, best.samples_per_second))

    def _moved(self) -> None:
        """To the right of everything is no limit."""
        at, right = float(self.limit.value()), max((one.median_ms for one in self._timed), default=0.0)
        self.limit_moved.emit(0.0 if at > right else max(0.0, at))

    def nearest(self, place: QPointF) -> Swept | None:
        """The point under the mouse, in the scene's pixels."""
        view = self.plot.getPlotItem().getViewBox()
        near = [
            (float(np.hypot(p.x() - place.x(), p.y() - place.y())), index)
            for index, one in enumerate(self._timed)
            for p in [view.mapViewToScene(QPointF(one.median_ms, one.samples_per_second))]
        ]
        distance, index = min(near, default=(NEAR_PX + 1.0, 0))
        return self._timed[index] if distance <= NEAR_PX else None

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        one = self.nearest(event.scenePos())
        if one is not None:
            self.point_clicked.emit(one.point)

    def _hovered(self, place: QPointF) -> None:
        one = self.nearest(place)
        self.plot.setToolTip(plain_tip(swept_words(one, self._data.price)) if one is not None else "")
