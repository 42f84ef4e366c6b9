"""Rows: what charts of named bars share. A name at the left, bars, and a figure behind each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.charts.base import Chart
from workbench.charts.plot import NameAxis, Plot, placeholder, plain_tip, plot_font
from workbench.core.theme import LIGHT, Theme

BAR = 0.58  # of a row
THIN = 0.12
ROW_PX = 25


@dataclass(frozen=True)
class Bar:
    """A bar from `start` to `end`, in the units of the x axis; a thin one lies on top and shows an interval."""

    row: int
    start: float
    end: float
    color: str
    is_thin: bool = False


@dataclass(frozen=True)
class Figure:
    """Text behind the bars of a row, at `x`."""

    row: int
    x: float
    text: str
    color: str


class RowChart(Chart):
    """Base of charts with one named row per thing. Subclasses `draw`; they may override `row_clicked` and `row_tip`."""

    empty = "Nothing to show yet."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.axis = NameAxis()
        self.plot = Plot(self, axis=self.axis)
        self.plot.getPlotItem().invertY(True)
        self.plot.getPlotItem().hideAxis("bottom")
        self.plot.getPlotItem().disableAutoRange()
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.plot.scene().sigMouseMoved.connect(self._hovered)
        self.placeholder = placeholder(self.empty, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        box.addWidget(self.placeholder)
        self._bars: dict[tuple[str, bool], pg.BarGraphItem] = {}
        self._figures: list[pg.TextItem] = []
        self._end = 0.0
        self._rows = 0
        self._room_px = 0.0
        self.draw([], [], [])

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.axis.setPen(pg.mkPen(None))
        self.placeholder.setStyleSheet(f"color: {theme.faint}; background: {theme.panel}; padding: 16px;")

    def capacity(self) -> int:
        """Rows that fit now."""
        return max(3, int((self.height() - 8) / ROW_PX))

    def draw(self, names: Sequence[str], bars: Iterable[Bar], figures: Sequence[Figure], *, live: bool = False) -> None:
        """Draws all rows anew. While `live`, the x axis only grows, so that bars do not jump."""
        bars = list(bars)
        self.plot.setVisible(bool(names))
        self.placeholder.setVisible(not names)
        self.axis.set_names(names, self.width())
        self._set_bars(bars)
        self._set_figures(figures)
        longest = max((bar.end for bar in bars), default=1.0) or 1.0
        fits = live and self._end / 2 < longest <= self._end
        self._end = self._end if fits else longest * (1.1 if live else 1.0)
        self._rows = len(names)
        metrics = QFontMetricsF(plot_font())
        self._room_px = (
            max((metrics.horizontalAdvance(figure.text) for figure in figures), default=0.0) + 16 + self.extra_px()
        )
        self._set_range()

    def _set_range(self) -> None:
        """The longest bar ends where the longest figure still fits behind it."""
        self.axis.set_names(self.axis.names, self.width())
        rows = max(self._rows, self.capacity())
        width = max(self._room_px + 40, self.width() - self.axis.taken)
        end = self._end * width / (width - self._room_px)
        self.plot.getPlotItem().setRange(xRange=(0, end), yRange=(-0.5, rows - 0.5), padding=0)

    def _set_bars(self, bars: list[Bar]) -> None:
        """One item per colour: a brush per bar is ten times slower."""
        kinds = {(bar.color, bar.is_thin) for bar in bars}
        for kind in set(self._bars) - kinds:
            self.plot.removeItem(self._bars.pop(kind))
        for kind in kinds:
            if kind not in self._bars:
                self._bars[kind] = pg.BarGraphItem(x0=[], x1=[], y=[], height=BAR, brush=pg.mkBrush(kind[0]), pen=None)
                self._bars[kind].setZValue(1 if kind[1] else 0)
                self.plot.addItem(self._bars[kind])
            mine = [bar for bar in bars if (bar.color, bar.is_thin) == kind]
            self._bars[kind].setOpts(
                x0=[bar.start for bar in mine],
                x1=[bar.end for bar in mine],
                y=[float(bar.row) for bar in mine],
                height=THIN if kind[1] else BAR,
            )

    def _set_figures(self, figures: Sequence[Figure]) -> None:
        while len(self._figures) < len(figures):
            self._figures.append(self.plot.text(self.theme.soft))
        for item, figure in zip(self._figures, figures, strict=False):
            item.setText(figure.text, color=figure.color)
            item.setPos(QPointF(figure.x, figure.row))
            item.setVisible(True)
        for item in self._figures[len(figures) :]:
            item.setVisible(False)

    def extra_px(self) -> float:
        """Room behind the figures that a subclass draws in."""
        return 0.0

    def row_clicked(self, row: int) -> None:
        """A row was clicked. Nothing by default."""

    def row_tip(self, row: int) -> str:
        """What hovering over a row says. Nothing by default."""
        return ""

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        row = self._row_at(event.scenePos())
        if 0 <= row < self._rows:
            self.row_clicked(row)

    def _hovered(self, place: QPointF) -> None:
        row = self._row_at(place)
        self.plot.setToolTip(plain_tip(self.row_tip(row)) if 0 <= row < self._rows else "")

    def _row_at(self, place: QPointF) -> int:
        return round(self.plot.getPlotItem().getViewBox().mapSceneToView(place).y())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_range()
