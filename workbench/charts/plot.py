"""The plot all charts are drawn on: pyqtgraph in our colours and fonts, without its menus and buttons."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF
from PySide6.QtWidgets import QLabel, QWidget

from workbench.charts.base import ChartData, Series
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT, Theme

FONT_PX = 12
SHADE = 0.45  # between the colours of two runs of one precision
LABEL_GAP = 36  # pyqtgraph silently drops tick labels that leave less room than this in their axis


def plot_font() -> QFont:
    """Figures in a chart: the interface's face, small, with digits of one width."""
    font = QFont("Inter")
    font.setPixelSize(FONT_PX)
    return font


def series_colors(series: Sequence[Series], theme: Theme) -> list[str]:
    """One colour per run: its precision's, the second run of a precision in a shade nearer to the text's, and so on."""
    seen: Counter[Precision] = Counter()
    colors = []
    for one in series:
        plan = one.run.config.plan.default
        colors.append(_mixed(theme.precision[plan], theme.text, min(0.8, SHADE * seen[plan])))
        seen[plan] += 1
    return colors


def _mixed(color: str, other: str, share: float) -> str:
    a, b = QColor(color), QColor(other)
    pairs = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(x + (y - x) * share) for x, y in pairs)).name()


def placeholder(text: str, parent: QWidget) -> QLabel:
    """A centred sentence in the place of an empty chart."""
    label = QLabel(text, parent)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def plain_tip(text: str) -> str:
    """For tooltips: `text` word for word, line for line. Qt would take a name like `<img …>` for HTML."""
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>") if text else ""


def why_empty(data: ChartData, otherwise: str) -> str:
    """Why there is nothing to draw of the current run, in its own words; `otherwise` where it says nothing."""
    if not data.series:
        return otherwise
    run = data.series[0].run
    if run.error is not None:
        return run.error.message
    return (run.timing.reason if run.timing else "") or otherwise


def elide(text: str, width: float, font: QFont) -> str:
    """`text` cut in the middle to `width` pixels."""
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, width)


class NameAxis(pg.AxisItem):
    """A left axis of names, one per row 0, 1, 2 ..., elided in the middle."""

    def __init__(self, width: int = 216) -> None:
        super().__init__("left")
        self.names: list[str] = []
        self.setStyle(tickLength=0, tickAlpha=0, tickTextOffset=8, tickFont=plot_font())
        self.most = self.taken = float(width)
        self.setWidth(width)

    def set_names(self, names: Sequence[str], room: float) -> None:
        """`room` is the width of names and bars; names take what they need (`taken`), at most `most` and half of it."""
        metrics = QFontMetricsF(plot_font())
        longest = max((metrics.horizontalAdvance(name) for name in names), default=0.0) + LABEL_GAP + 1
        width = max(min(longest, self.most, room / 2), LABEL_GAP)
        if list(names) != self.names or width != self.taken:
            self.names, self.taken = list(names), width
            self.setWidth(width)
            self.setTicks([list(enumerate(self._elided()))])

    def _elided(self) -> list[str]:
        font, room = plot_font(), self.taken - LABEL_GAP
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
            item.getAxis(side).enableAutoSIPrefix(False)  # no "(x0.001)" behind a unit
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
