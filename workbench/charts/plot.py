"""The plot all charts are drawn on: pyqtgraph in our colours and fonts, without its menus and buttons."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QWidget

from workbench.charts.base import Series
from workbench.core.theme import LIGHT, Theme

FONT_PX = 12
LABEL_GAP = 36  # pyqtgraph silently drops tick labels that leave less room than this in their axis


def plot_font() -> QFont:
    """Figures in a chart: the interface's face, small, with digits of one width."""
    font = QFont("Inter")
    font.setPixelSize(FONT_PX)
    return font


def series_colors(series: Sequence[Series], theme: Theme) -> list[str]:
    """One colour per run: its precision's where that tells them apart, else the theme's series in order."""
    plans = [one.run.config.plan.default for one in series]
    if len(set(plans)) == len(plans):
        return [theme.precision[plan] for plan in plans]
    return [theme.series[i % len(theme.series)] for i in range(len(series))]


def elide(text: str, width: float, font: QFont) -> str:
    """`text` cut in the middle to `width` pixels."""
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, width)


class NameAxis(pg.AxisItem):
    """A left axis of names, one per row 0, 1, 2 ..., elided in the middle."""

    def __init__(self, width: int = 216) -> None:
        super().__init__("left")
        self.names: list[str] = []
        self.setStyle(tickLength=0, tickTextOffset=8, tickFont=plot_font())
        self.setWidth(width)

    def set_names(self, names: Sequence[str]) -> None:
        if list(names) != self.names:
            self.names = list(names)
            self.setTicks([list(enumerate(self._elided()))])

    def _elided(self) -> list[str]:
        font, room = plot_font(), self.width() - LABEL_GAP
        return [elide(name, room, font) for name in self.names]


class Plot(pg.PlotWidget):
    """A plot of ours: hairlines, no menu, no auto-scale button, wheel and drag only where asked for."""

    def __init__(self, parent: QWidget | None = None, *, axis: pg.AxisItem | None = None, mouse: bool = False) -> None:
        super().__init__(parent, axisItems={"left": axis} if axis else None)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=mouse, y=False)
        item.getViewBox().setDefaultPadding(0)
        item.setContentsMargins(4, 4, 8, 2)
        for side in ("left", "bottom"):
            item.getAxis(side).setStyle(tickLength=0, tickFont=plot_font())
        self.setFrameShape(self.Shape.NoFrame)
        self.theme = LIGHT
        if not mouse:
            self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation, False)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.soft))

    def text(self, color: str, anchor: tuple[float, float] = (0, 0.5)) -> pg.TextItem:
        """A text item of ours, added to the plot. Only plain text may be set on it: names come from strangers."""
        item = pg.TextItem("", color=color, anchor=anchor)
        item.setFont(plot_font())
        self.addItem(item, ignoreBounds=True)
        return item
