"""All layers of the current run in the order they run, a bar each: where in the engine the time goes."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QVBoxLayout

from workbench.charts.base import Chart, ChartData, Series
from workbench.charts.layer_groups import layer_color, layer_title
from workbench.charts.plot import Plot, placeholder, plain_tip, why_empty
from workbench.core.theme import LIGHT, Theme

EMPTY = "Build a model: every layer of its engine appears here in the order it runs."


class AllLayers(Chart):
    """Bars in their precision's colour. A click selects the layer everywhere; the wheel looks nearer."""

    title = "All layers"
    order = 60

    def __init__(self) -> None:
        super().__init__()
        self._data = ChartData()
        self.theme: Theme = LIGHT
        self.plot = Plot(self, mouse=True)
        item = self.plot.getPlotItem()
        item.disableAutoRange()
        item.setLabel("left", "ms")
        self.placeholder = placeholder(EMPTY, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        box.addWidget(self.placeholder)
        self._bars: dict[str, pg.BarGraphItem] = {}
        self._ranged: tuple[str, int] = ("", 0)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        self.set_data(self._data)

    @property
    def _series(self) -> Series | None:
        series = self._data.series[0] if self._data.series else None
        return series if series is not None and len(series.layer_ms) and float(series.layer_ms.sum()) else None

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.plot.getPlotItem().showGrid(y=True, alpha=0.12)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        series = self._series
        self.plot.setVisible(series is not None)
        self.placeholder.setVisible(series is None)
        self.placeholder.setText(why_empty(data, EMPTY))
        self._set_bars(series)
        if series is not None:
            self._set_range(series)
        words = f"{len(series.layers)} layers, in the order they run" if series is not None else ""
        self.subtitle_changed.emit(words)

    def _set_bars(self, series: Series | None) -> None:
        """One item per colour."""
        places: dict[str, list[int]] = {}
        for index, layer in enumerate(series.layers if series is not None else ()):
            is_selected = layer.id in self._data.selected
            color = self.theme.accent if is_selected else layer_color(layer, self.theme)
            places.setdefault(color, []).append(index)
        for color in set(self._bars) - set(places):
            self.plot.removeItem(self._bars.pop(color))
        for color, at in places.items():
            if color not in self._bars:
                self._bars[color] = pg.BarGraphItem(x=[], height=[], width=0.9, brush=pg.mkBrush(color), pen=None)
                self.plot.addItem(self._bars[color])
            assert series is not None
            self._bars[color].setOpts(x=np.asarray(at, dtype=np.float64), height=series.layer_ms[at], width=0.9)

    def _set_range(self, series: Series) -> None:
        """All of a run when it is first seen; the user's own zoom stays while the times change."""
        shown = (series.run.id, len(series.layers))
        item = self.plot.getPlotItem()
        item.setRange(yRange=(0, 1.08 * float(series.layer_ms.max())), padding=0)
        if shown != self._ranged:
            self._ranged = shown
            item.setRange(xRange=(-0.5, len(series.layers) - 0.5), padding=0)
            item.setLimits(xMin=-0.5, xMax=len(series.layers) - 0.5)

    def layer_at(self, place: QPointF) -> int | None:
        """The layer above whose place on the axis the mouse stands, in the scene's pixels."""
        series = self._series
        if series is None:
            return None
        at = round(self.plot.getPlotItem().getViewBox().mapSceneToView(place).x())
        return at if 0 <= at < len(series.layers) else None

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        at, series = self.layer_at(event.scenePos()), self._series
        if at is not None and series is not None:
            self.layer_clicked.emit(series.layers[at].id)

    def _hovered(self, place: QPointF) -> None:
        at, series = self.layer_at(place), self._series
        text = ""
        if at is not None and series is not None:
            share = 100 * float(series.layer_ms[at]) / float(series.layer_ms.sum())
            text = f"{at + 1}. {layer_title(series.layers[at])}\n{series.layer_ms[at]:.4f} ms, {share:.1f} %"
        self.plot.setToolTip(plain_tip(text))

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["order", "layer", "name", "mean_ms"])
        if (series := self._series) is not None:
            for index, layer in enumerate(series.layers):
                table.writerow([index + 1, layer.id, layer.name, f"{series.layer_ms[index]:.6f}"])
        return out.getvalue()


CHART = AllLayers
