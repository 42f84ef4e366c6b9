"""The roof of a roofline: what memory and caches bring, what each precision computes, and the axes in words."""

from __future__ import annotations

import math
from collections.abc import Collection

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt

from workbench.charts.plot import Plot
from workbench.core.ceilings import Ceilings
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT, Theme

ABOVE = 0.15  # decades above the bottom at least, for a label
BESIDE = 0.4  # decades beside the left edge, where layers stand that do no arithmetic
LABEL_PX = 16
WIDE_PX = 300  # a narrower plot leaves units to the axis, and bandwidths to where the lines begin
UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def log10(value: float) -> float:
    return math.log10(max(value, 1e-12))


def rate_words(value: float) -> str:
    """`1.2 T`, `399 G`"""
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), (1e6, "M"))
    return f"{value / size:.3g} {unit}"


class RoofLines:
    """Slopes are bandwidths (memory whole, caches dashed), level lines the peaks of the precisions that are shown."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._lines: list[pg.PlotDataItem] = []
        self._labels: list[pg.TextItem] = []
        self.theme: Theme = LIGHT
        item = plot.getPlotItem()
        item.getAxis("left").setWidth(46)
        item.getAxis("bottom").setHeight(30)
        item.setLabel("bottom", "FLOP a byte")
        item.showGrid(x=True, y=True, alpha=0.08)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme

    def draw(self, ceilings: Ceilings, precisions: Collection[Precision | None], left: float, right: float) -> None:
        """`left` and `right` are the ends of the x axis, as powers of ten."""
        for item in (*self._lines, *self._labels):
            self._plot.removeItem(item)
        self._lines, self._labels = [], []
        peaks = self._peaks(ceilings, precisions)
        top = log10(max(peaks, default=ceilings.peak(None) or 1.0))
        has_cache = ceilings.cache > 1.1 * ceilings.memory
        self._slope(ceilings.memory, "memory", left, top, below=has_cache)
        if has_cache:
            self._slope(ceilings.cache, "cache", left, top, is_dashed=True)
        self._levels(peaks, log10(max(ceilings.cache, ceilings.memory)), right)
        self._ticks(left, right)

    @property
    def _is_wide(self) -> bool:
        return bool(self._plot.getPlotItem().getViewBox().width() >= WIDE_PX)

    def _levels(self, peaks: dict[float, tuple[str, str]], bandwidth: float, right: float) -> None:
        """Each with its words before it, one under the other: nothing is faster than the roof, so there is room."""
        box = self._plot.getPlotItem().getViewBox()
        low, high = box.viewRange()[1]
        unit = "FLOP/s" if self._is_wide else ""
        step, at = LABEL_PX * (high - low) / max(box.height(), 1.0), math.inf
        for peak, (color, words) in sorted(peaks.items(), reverse=True):
            level = log10(peak)
            self._line([level - bandwidth, right], [level, level], color)
            at = min(level, at - step)
            self._label(f"{words}  {rate_words(peak)}{unit}", at - bandwidth, at, color, (1, 0.6))

    def _peaks(self, ceilings: Ceilings, precisions: Collection[Precision | None]) -> dict[float, tuple[str, str]]:
        """Peak -> its colour and what reaches it: precisions without arithmetic of their own share another's."""
        names: dict[float, list[Precision]] = {}
        for precision in sorted({p or Precision.FP32 for p in precisions}):
            if peak := ceilings.peak(precision):
                names.setdefault(peak, []).append(precision)
        return {
            peak: (self.theme.precision[found[0]], ", ".join(p.label for p in found)) for peak, found in names.items()
        }

    def _slope(
        self, bandwidth: float, words: str, left: float, top: float, *, below: bool = False, is_dashed: bool = False
    ) -> None:
        """The words run along the line, from where it is seen."""
        high, low = log10(bandwidth), self._plot.getPlotItem().viewRange()[1][0]
        self._line([left, top - high], [left + high, top], self.theme.soft, is_dashed=is_dashed)
        x = max(left + BESIDE, low + ABOVE - high)
        text = f"{words}  {rate_words(bandwidth)}B/s" if self._is_wide else words
        label = self._label(text, x, x + high, self.theme.soft, (0, 0 if below else 1))
        label.rotateAxis = pg.Point(1, 1)
        label.updateTransform(force=True)

    def _line(self, x: list[float], y: list[float], color: str, *, is_dashed: bool = False) -> None:
        style = Qt.PenStyle.DashLine if is_dashed else Qt.PenStyle.SolidLine
        line = pg.PlotDataItem(x, y, pen=pg.mkPen(color, width=1.5, style=style), skipFiniteCheck=True)
        self._plot.addItem(line)
        self._lines.append(line)

    def _label(self, text: str, x: float, y: float, color: str, anchor: tuple[float, float]) -> pg.TextItem:
        label = self._plot.text(color, anchor)
        label.setText(text, color=color)
        label.setZValue(3)  # above the lines, below the dots
        label.setPos(QPointF(x, y))
        self._labels.append(label)
        return label

    def _ticks(self, left: float, right: float) -> None:
        """Powers of ten, in words."""
        item = self._plot.getPlotItem()
        item.getAxis("bottom").setTicks([[(x, f"{10.0**x:g}") for x in range(math.ceil(left), math.floor(right) + 1)]])
        low, high = item.viewRange()[1]
        item.getAxis("left").setTicks(
            [[(y, rate_words(10.0**y).replace(" ", "")) for y in range(math.ceil(low), math.floor(high) + 1)]]
        )
