"""Layer times: the slowest layers of the current run as bars in their precision's colour, live while it measures."""

from __future__ import annotations

import csv
import io

import numpy as np
from PySide6.QtGui import QResizeEvent

from workbench.charts.base import ChartData, Series
from workbench.charts.plot import why_empty
from workbench.charts.rows import Bar, Figure, RowChart
from workbench.core.graph import Layer, LayerKind


def layer_title(layer: Layer) -> str:
    """What a person calls a layer: the operations in it, and its name where it has one."""
    return f"{layer.heading}  {layer.name}" if layer.name and layer.name != layer.op else layer.heading


class LayerTimes(RowChart):
    """Top layers by mean time. A click selects the layer everywhere."""

    title = "Layer times"
    order = 10
    empty = "Build a model: the time of each layer appears here while it is measured."

    def __init__(self) -> None:
        self._data = ChartData()
        self._shown: list[int] = []
        super().__init__()

    def set_data(self, data: ChartData) -> None:
        self._data = data
        series = data.series[0] if data.series else None
        if series is None or not len(series.layer_ms) or not float(series.layer_ms.sum()):
            self._shown = []
            self.placeholder.setText(why_empty(data, self.empty))
            self.draw([], [], [])
            self.subtitle_changed.emit("")
            return
        self._draw_series(series)

    def _draw_series(self, series: Series) -> None:
        count = min(self.capacity(), len(series.layer_ms))
        order = np.argsort(-series.layer_ms, kind="stable")[:count]
        self._shown = [int(i) for i in order if series.layer_ms[i] > 0]
        total = float(series.layer_ms.sum())
        bars, figures = [], []
        for row, i in enumerate(self._shown):
            layer, ms = series.layers[i], float(series.layer_ms[i])
            bars.append(Bar(row, 0.0, ms, self._color(layer)))
            text = f"{ms:.3f} ms  {100 * ms / total:.1f} %"
            is_selected = layer.id in self._data.selected
            figures.append(Figure(row, ms, text, self.theme.accent if is_selected else self.theme.soft))
        names = [layer_title(series.layers[i]) for i in self._shown]
        self.draw(names, bars, figures, live=series.is_live)
        self.subtitle_changed.emit(self._subtitle(series, total))

    def _subtitle(self, series: Series, total: float) -> str:
        what = "live · " if series.is_live else ""
        shown = f"{len(self._shown)} of {len(series.layers)} layers"
        return f"{what}{series.iterations:,} iterations · {shown} · sum {total:.2f} ms"

    def _color(self, layer: Layer) -> str:
        if layer.id in self._data.selected:
            return self.theme.accent
        if layer.kind is LayerKind.REFORMAT or layer.precision is None:
            return self.theme.faint
        return self.theme.precision[layer.precision]

    def row_clicked(self, row: int) -> None:
        if self._data.series and row < len(self._shown):
            self.layer_clicked.emit(self._data.series[0].layers[self._shown[row]].id)

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["layer", "op", "name", "precision", "kind", "tactic", "mean_ms"])
        for series in self._data.series[:1]:
            for layer, ms in zip(series.layers, series.layer_ms, strict=False):
                precision = layer.precision.value if layer.precision else ""
                row = [layer.id, layer.op, layer.name, precision, layer.kind.value, layer.tactic, f"{ms:.6f}"]
                table.writerow(row)
        return out.getvalue()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)


CHART = LayerTimes
