"""Layer times: the slowest layers of the current run, or groups of layers, live while it measures; how each spreads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout

from workbench.charts.base import ChartData, Series
from workbench.charts.layer_groups import Group, GroupBy, groups, layer_color, layer_title
from workbench.charts.plot import why_empty
from workbench.charts.rows import Bar, Figure, RowChart

SPARK_PX, SPARK_POINTS, SPARK_HEIGHT = 56, 48, 0.6
WIDE_PX = 430
"""From this width on p95 and sparkline have room."""
MOST_SHARE = 0.8

__all__ = ["CHART", "LayerTimes", "layer_title"]


class LayerTimes(RowChart):
    """Where an engine tells single inferences, bars are medians, a thin bar leads to the 95th percentile, and a line
    at the right shows the newest; else bars are means. A click selects the layers everywhere."""

    title = "Layer times"
    order = 10
    empty = "Build a model: the time of each layer appears here while it is measured."

    def __init__(self) -> None:
        self._data = ChartData()
        self._shown: list[Group] = []
        self.by = GroupBy.LAYER
        super().__init__()
        self.chooser = QPushButton()
        self.chooser.setProperty("kind", "ghost")
        self.chooser.setToolTip("What a row is: a layer, or all layers of an operation, block, precision or kind")
        menu = QMenu(self.chooser)
        for by in GroupBy:
            menu.addAction(f"By {by.value}").triggered.connect(partial(self.set_by, by))
        self.chooser.setMenu(menu)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 8, 0)
        head.addStretch(1)
        head.addWidget(self.chooser)
        box = self.layout()
        assert isinstance(box, QVBoxLayout)
        box.insertLayout(0, head)
        self._sparks = pg.PlotCurveItem(connect="finite", skipFiniteCheck=True)
        self.plot.addItem(self._sparks, ignoreBounds=True)
        self.set_by(self.by)

    def set_by(self, by: GroupBy, _checked: bool = False) -> None:
        """Other rows."""
        self.by = by
        self.chooser.setText(f"by {by.value} ▾")
        self.set_data(self._data)

    def capacity(self) -> int:
        return max(2, super().capacity() - 1)  # the chooser's row

    def set_data(self, data: ChartData) -> None:
        self._data = data
        series = data.series[0] if data.series else None
        is_empty = series is None or not len(series.layer_ms) or not float(series.layer_ms.sum())
        self.chooser.setVisible(not is_empty)
        if series is None or is_empty:
            self._shown = []
            self.placeholder.setText(why_empty(data, self.empty))
            self.draw([], [], [])
            self._draw_sparks()
            self.subtitle_changed.emit("")
            return
        self._draw_series(series)

    def _draw_series(self, series: Series) -> None:
        found = groups(series, self.by)
        self._shown = found[: self.capacity()]
        total = float(series.layer_ms.sum())
        bars, figures = [], []
        for row, group in enumerate(self._shown):
            own = self._bars_of(row, group, series)
            bars += own
            color = self.theme.accent if self._is_selected(group, series) else self.theme.soft
            figures.append(Figure(row, max(bar.end for bar in own), self._words(group, total), color))
        self.draw([group.title for group in self._shown], bars, figures, live=series.is_live)
        self._draw_sparks()
        self.subtitle_changed.emit(self._subtitle(series, found, total))

    def _bars_of(self, row: int, group: Group, series: Series) -> list[Bar]:
        first = series.layers[group.members[0]]
        several = {series.layers[index].precision for index in group.members}
        color = layer_color(first, self.theme) if len(several) == 1 else self.theme.soft
        found = [Bar(row, 0.0, group.ms, self.theme.accent if self._is_selected(group, series) else color)]
        if (median := group.median_ms) is not None and (p95 := group.p95_ms) is not None and self._is_wide:
            found.append(Bar(row, median, p95, self.theme.text, is_thin=True))
        return found

    def _words(self, group: Group, total: float) -> str:
        p95 = f"  p95 {group.p95_ms:.3f}" if group.p95_ms is not None and self._is_wide else ""
        return f"{group.ms:.3f} ms  {100 * group.ms / total:.1f} %{p95}"

    @property
    def _is_wide(self) -> bool:
        return self.width() >= WIDE_PX

    def _is_selected(self, group: Group, series: Series) -> bool:
        return any(series.layers[index].id in self._data.selected for index in group.members)

    # the line of each row's newest times

    def extra_px(self) -> float:
        has_any = self._is_wide and any(len(group.times) for group in self._shown)
        return SPARK_PX + 32.0 if has_any else 0.0

    def _draw_sparks(self) -> None:
        """One item for all rows: pieces parted by NaN."""
        (low, high), _ = self.plot.getPlotItem().viewRange()
        width = max(1.0, self.width() - self.axis.taken)
        right, span = high - 4 * (high - low) / width, SPARK_PX * (high - low) / width
        xs, ys = [np.empty(0)], [np.empty(0)]
        for row, group in enumerate(self._shown if self.extra_px() else []):
            times = group.times[-SPARK_POINTS:]
            if len(times) > 1:
                ceiling = max(float(np.percentile(times, 98)), 1e-12)
                floor = min(float(times.min()), 0.8 * ceiling)
                heights = np.clip((times - floor) / (ceiling - floor), 0.0, 1.0)
                xs += [np.linspace(right - span, right, len(times)), np.array([np.nan])]
                ys += [row + SPARK_HEIGHT * (0.5 - heights), np.array([np.nan])]
        self._sparks.setData(np.concatenate(xs), np.concatenate(ys))
        self._sparks.setPen(pg.mkPen(self.theme.faint, width=1.0))

    # words

    def _subtitle(self, series: Series, found: Sequence[Group], total: float) -> str:
        what = "live · " if series.is_live else ""
        count = len(series.layers) if self.by is GroupBy.LAYER else len(found)
        noun = "layers" if self.by is GroupBy.LAYER else "groups"
        stats = series.run.timing.stats if series.run.timing is not None else None
        whole = f" of {stats.median_ms:.2f} ({100 * total / stats.median_ms:.0f} %)" if stats is not None else ""
        hot = f"{_hot(found, total)} take {MOST_SHARE:.0%} · " if len(found) > 4 else ""
        rows = f"{len(self._shown)} of {count} {noun}"
        return f"{what}{series.iterations:,} iterations · {rows} · {hot}sum {total:.2f} ms{whole}"

    def row_tip(self, row: int) -> str:
        group, series = self._shown[row], self._data.series[0]
        lines = [group.title, f"{group.ms:.4f} ms in {len(group.members)} layer{'s' * (len(group.members) > 1)}"]
        if group.median_ms is not None and group.p95_ms is not None:
            spread = f"median {group.median_ms:.4f}, p95 {group.p95_ms:.4f}, most {float(group.times.max()):.4f} ms"
            lines.append(f"{spread} of {len(group.times)} inferences")
        else:
            lines.append("this engine tells means only: no single inferences of a layer")
        if len(group.members) > 1:
            largest = sorted(group.members, key=lambda index: -series.layer_ms[index])[:6]
            lines += [f"{series.layer_ms[index]:.4f} ms  {layer_title(series.layers[index])}" for index in largest]
        return "\n".join(lines)

    def row_clicked(self, row: int) -> None:
        if self._data.series and row < len(self._shown):
            layers = self._data.series[0].layers
            ids = tuple(layers[index].id for index in self._shown[row].members)
            if len(ids) == 1:
                self.layer_clicked.emit(ids[0])
            else:
                self.layers_clicked.emit(ids)

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["layer", "op", "name", "precision", "kind", "tactic", "ms", "median_ms", "p95_ms", "block"])
        for series in self._data.series[:1]:
            single = {group.members[0]: group for group in groups(series, GroupBy.LAYER)}
            for index, (layer, ms) in enumerate(zip(series.layers, series.layer_ms, strict=False)):
                precision = layer.precision.value if layer.precision else ""
                group = single.get(index)
                spread = [_cell(group.median_ms), _cell(group.p95_ms)] if group is not None else ["", ""]
                row = [layer.id, layer.op, layer.name, precision, layer.kind.value, layer.tactic, f"{ms:.6f}"]
                table.writerow([*row, *spread, series.blocks.get(layer.id, "")])
        return out.getvalue()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)


def _hot(found: Sequence[Group], total: float) -> int:
    """How many of the largest make up four fifths of the time."""
    shares = np.cumsum([group.ms for group in found]) / total
    return int(np.searchsorted(shares, MOST_SHARE)) + 1


def _cell(value: float | None) -> str:
    return f"{value:.6f}" if value is not None else ""


CHART = LayerTimes
