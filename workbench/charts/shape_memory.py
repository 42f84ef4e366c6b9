"""How the memory of activations grows with the largest value of a dimension: measured builds, and the estimate."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from workbench.charts.plot import Plot
from workbench.core.profile_memory import ProfileMemory
from workbench.core.theme import Theme

MIB = 2**20


class ShapeMemoryPlot(Plot):
    """MiB over the largest value: what was measured as a line with points, the estimate dashed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: tuple[ProfileMemory, ...] = ()
        self._measured = self.plot([], [], symbol="o", symbolSize=6)
        self._estimate = self.plot([], [])
        self._words = [self.text("#000000", (0.5, 1.2)) for _ in range(2)]

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        color = theme.series[0]
        self._measured.setPen(pg.mkPen(color, width=2))
        self._measured.setSymbolBrush(color)
        self._measured.setSymbolPen(None)
        self._estimate.setPen(pg.mkPen(theme.faint, width=1.5, style=Qt.PenStyle.DashLine))
        for words, tone in zip(self._words, (color, theme.soft), strict=True):
            words.setColor(tone)

    def set_found(self, found: Sequence[ProfileMemory], dim: str) -> None:
        """In ascending order of the dimension; of one build nothing is drawn yet."""
        self._found = tuple(found)
        x = [one.most for one in found]
        self._measured.setData(x, [one.activations_bytes / MIB for one in found])
        self._estimate.setData(x, [one.estimate_bytes / MIB for one in found])
        item = self.getPlotItem()
        item.getAxis("bottom").setTicks([[(value, str(value)) for value in x]])
        item.setLabel("bottom", f"{dim} up to", color=self.theme.soft)
        item.setLabel("left", "activations, MiB", color=self.theme.soft)
        if not found:
            return
        top = max(max(one.activations_bytes, one.estimate_bytes) for one in found) / MIB
        spread = (x[-1] - x[0]) or 1
        item.setRange(xRange=(x[0] - 0.04 * spread, x[-1] + 0.1 * spread), yRange=(0, top * 1.25 or 1), padding=0)
        last = found[-1]
        for words, title, size in zip(
            self._words, ("measured", "ESTIMATE"), (last.activations_bytes, last.estimate_bytes), strict=True
        ):
            words.setText(title)
            words.setPos(last.most, size / MIB)
