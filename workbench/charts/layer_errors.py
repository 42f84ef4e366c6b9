"""Errors of layers: what each introduces and inherits in execution order, the worst by name, live as they arrive."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from workbench.charts.base import Chart, ChartData
from workbench.charts.plot import Plot, placeholder
from workbench.charts.rows import Bar, Figure, RowChart
from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures, TensorError
from workbench.core.theme import LIGHT, Theme

EMPTY = "Build in a precision below FP32: the error of each layer appears here, sample by sample."
PLAIN = "This run has no errors of layers: none were asked for, or the plan is FP32 everywhere."
FLOOR = 1e-5
"""Per cent; smaller errors (140 dB) are float32's own and are not drawn."""
WIDE_PX = 560
DOT_PX = 5
LEGEND_PX = 96
OP_LETTERS = 8
Pair = tuple[CheckedTensor, LayerFigures]


def decibels(error: TensorError) -> str:
    """`23.4 dB`; `exact` where the bits are equal, `NaN, inf` where values are lost."""
    if error.is_broken:
        return ", ".join(word for count, word in ((error.nan, "NaN"), (error.inf, "inf")) if count)
    if abs(error.sqnr_db) >= 200:
        return "exact" if error.sqnr_db > 0 else "no match"
    return f"{error.sqnr_db:.1f} dB"


class Curves(Plot):
    """Error against place in execution order, on a logarithmic axis of per cent of the signal."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, mouse=True)
        item = self.getPlotItem()
        item.disableAutoRange()
        item.getAxis("left").setTicks([[(d, f"{10.0**d:g} %") for d in range(-5, 3)]])
        self.inherited = pg.PlotDataItem(skipFiniteCheck=True, connect="finite")
        self.introduced = pg.ScatterPlotItem(size=DOT_PX, pen=None)
        self.broken = pg.ScatterPlotItem(size=11, symbol="x", pen=None)
        self._legend = [self.text(LIGHT.soft, anchor=(1, 0)) for _ in range(2)]
        self.here = pg.ScatterPlotItem(size=10, brush=None)
        for drawn in (self.inherited, self.introduced, self.here, self.broken):
            self.addItem(drawn)

    def draw(self, pairs: list[Pair], chosen: list[int], places: int) -> None:
        """`chosen` are places in `pairs` that are selected; `places` is how long the axis is."""
        inherited = _logs([figures.inherited for _, figures in pairs])
        introduced = _logs([figures.introduced for _, figures in pairs])
        x = np.arange(len(pairs), dtype=np.float64)
        theme = self.theme
        self.inherited.setData(x, inherited, pen=pg.mkPen(theme.faint, width=1.3))
        good = np.isfinite(introduced)
        self.introduced.setData(x[good], introduced[good], brush=pg.mkBrush(theme.accent))
        broken = [i for i, (_, figures) in enumerate(pairs) if figures.introduced.is_broken]
        self.broken.setData(x[broken], np.full(len(broken), 2.0), brush=pg.mkBrush(theme.bad))
        marked = [i for i in chosen if good[i]]
        self.here.setData(x[marked], introduced[marked], pen=pg.mkPen(theme.text, width=1.5))
        seen = np.concatenate([inherited[np.isfinite(inherited)], introduced[good], [0.0]])
        low = max(math.log10(FLOOR), math.floor(float(seen.min())))
        self.getPlotItem().setRange(xRange=(-1, max(places, 2)), yRange=(low, 3.0), padding=0)
        self._draw_legend(max(places, 2))

    def _draw_legend(self, right: float) -> None:
        words = (("— inherited", self.theme.soft), ("● introduced", self.theme.accent))
        for i, (item, (text, color)) in enumerate(zip(self._legend, words, strict=True)):
            item.setText(text, color=color)
            item.setPos(QPointF(right - i * right * LEGEND_PX / max(1, self.width()), 3.0))


def _logs(errors: list[TensorError]) -> NDArray[np.float64]:
    """log10 of per cent; NaN where there is nothing to draw."""
    percent = np.array([error.relative_percent for error in errors], dtype=np.float64)
    return np.where(percent >= FLOOR, np.log10(np.maximum(percent, FLOOR)), np.nan)


class Worst(RowChart):
    """The layers that introduce most, by name."""

    def __init__(self, parent: QWidget) -> None:
        self.pairs: list[Pair] = []
        self._selected: frozenset[str] = frozenset()
        super().__init__(parent)
        self.axis.most = 190

    def show_pairs(self, pairs: list[Pair], selected: frozenset[str]) -> None:
        self.pairs, self._selected = pairs, selected
        shown = pairs[: self.capacity()]
        names = [_row_name(tensor) for tensor, _ in shown]
        bars, figures = [], []
        for row, (tensor, found) in enumerate(shown):
            size = max(0.0, 3.0 + math.log10(max(found.introduced.relative_percent, 1e-3)))
            color = self.theme.bad if found.introduced.is_broken else self.theme.accent
            bars.append(Bar(row, 0, size, color))
            is_chosen = not selected.isdisjoint(tensor.nodes)
            tone = self.theme.bad if found.introduced.is_broken else self.theme.soft
            figures.append(Figure(row, size, decibels(found.introduced), self.theme.text if is_chosen else tone))
        self.draw(names, bars, figures)

    def row_clicked(self, row: int) -> None:
        parent = self.parentWidget()
        if isinstance(parent, Chart):
            parent.nodes_clicked.emit(self.pairs[row][0].nodes)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_pairs(self.pairs, self._selected)


class LayerErrorsChart(Chart):
    """Dots: introduced. Line: inherited. A click on either selects the nodes of the layer everywhere."""

    title = "Layer errors"
    order = 25

    def __init__(self) -> None:
        super().__init__()
        self._data = ChartData()
        self._pairs: list[Pair] = []
        self.theme: Theme = LIGHT
        self.curves = Curves(self)
        self.worst = Worst(self)
        self.placeholder = placeholder(EMPTY, self)
        self.curves.scene().sigMouseClicked.connect(self._clicked)
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        for widget, stretch in ((self.curves, 5), (self.worst, 6), (self.placeholder, 0)):
            self._box.addWidget(widget, stretch)
        self.set_data(self._data)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.curves.set_theme(theme)
        self.curves.getPlotItem().showGrid(y=True, alpha=0.12)
        self.worst.set_theme(theme)
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        errors = data.series[0].errors if data.series else None
        self._pairs = list(errors.known()) if errors else []
        for widget in (self.curves, self.worst):
            widget.setVisible(bool(self._pairs))
        self.placeholder.setVisible(not self._pairs)
        self.placeholder.setText((errors.reason if errors else "") or (PLAIN if data.series else EMPTY))
        if errors and self._pairs:
            chosen = [i for i, (tensor, _) in enumerate(self._pairs) if not data.nodes.isdisjoint(tensor.nodes)]
            self.curves.draw(self._pairs, chosen, len(errors.tensors))
            self.worst.show_pairs(errors.worst(), data.nodes)
        self.subtitle_changed.emit(_subtitle(errors) if errors else "")

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        where = self.curves.getPlotItem().getViewBox().mapSceneToView(event.scenePos())
        self.click_at(where)

    def click_at(self, where: QPointF) -> None:
        """Selects the layer whose place is nearest."""
        place = round(where.x())
        if 0 <= place < len(self._pairs):
            self.nodes_clicked.emit(self._pairs[place][0].nodes)

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        kinds = ("introduced", "inherited", "total")
        figures = [f"{kind}_{what}" for kind in kinds for what in ("sqnr_db", "cosine", "max_abs", "nan", "inf")]
        table.writerow(["node", "nodes", "op", "name", "tensor", "samples", *figures])
        for tensor, found in self._pairs:
            row = [tensor.node, "+".join(tensor.nodes), tensor.op, tensor.title, tensor.name, found.samples]
            for error in (found.introduced, found.inherited, found.total):
                row += [f"{error.sqnr_db:.4f}", f"{error.cosine:.9f}", f"{error.max_abs:.6g}", error.nan, error.inf]
            table.writerow(row)
        return out.getvalue()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_wide = self.width() >= WIDE_PX
        way = QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom
        self._box.setDirection(way)
        self.set_data(self._data)


def _row_name(tensor: CheckedTensor) -> str:
    """Operator and path. Exporters name a node after both: what is told apart by the path alone shall be seen."""
    path = (tensor.title or tensor.name).removesuffix(f"/{tensor.op}")
    op = tensor.op if len(tensor.op) <= OP_LETTERS else f"{tensor.op[: OP_LETTERS - 1]}…"
    return f"{op}  {path}"


def _subtitle(errors: LayerErrors) -> str:
    broken = len(errors.broken())
    parts = [
        f"{broken} layers give NaN or infinity" if broken > 1 else "a layer gives NaN or infinity" if broken else "",
        f"{errors.samples} of {errors.asked} samples",
    ]
    return " · ".join(part for part in parts if part)


CHART = LayerErrorsChart
