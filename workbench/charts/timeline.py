"""The timeline of a memory plan: bytes alive over one inference, of the source graph and of the engine."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from workbench.charts.plot import Plot, plain_tip
from workbench.core.memory_plan import MemoryPlan

MIB = 2**20
SHOWN = 5  # tensors that are named
AREA = 110  # of 255


class Timeline(Plot):
    """From the first layer to the last, each graph over the whole width; peaks are marked. A click names a layer."""

    step_clicked = Signal(str)  # an engine layer's id

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plans: tuple[MemoryPlan, MemoryPlan] | None = None
        item = self.getPlotItem()
        item.hideAxis("bottom")
        item.disableAutoRange()
        self._curves = [pg.PlotDataItem(skipFiniteCheck=True) for _ in range(2)]
        self._peaks = [pg.ScatterPlotItem(size=7) for _ in range(2)]
        for part in (*self._curves, *self._peaks):
            self.addItem(part)
        self.scene().sigMouseMoved.connect(self._hovered)
        self.scene().sigMouseClicked.connect(self._clicked)

    def set_plans(self, plans: tuple[MemoryPlan, MemoryPlan] | None, colors: tuple[str, str]) -> None:
        """Source and engine, and what they are drawn in."""
        self._plans = plans
        for plan, color, curve, peak in zip(plans or (), colors, self._curves, self._peaks, strict=False):
            count = len(plan.steps)
            y = np.asarray(plan.alive_bytes, dtype=np.float64) / MIB
            x = (np.arange(count) + 0.5) / max(count, 1)
            if curve is self._curves[0]:  # the source lies behind, as an area
                curve.setData(x, y, fillLevel=0.0, fillBrush=pg.mkBrush(_shade(color)), pen=pg.mkPen(None))
            else:
                curve.setData(x, y, pen=pg.mkPen(color, width=1.5))
            peak.setData([(plan.peak_step + 0.5) / max(count, 1)], [plan.peak_bytes / MIB])
            peak.setBrush(pg.mkBrush(color))
            peak.setPen(pg.mkPen(None))
        top = max((plan.peak_bytes for plan in plans or ()), default=0) / MIB or 1.0
        self.getPlotItem().setRange(xRange=(0, 1.01), yRange=(0, 1.12 * top), padding=0)

    def _step(self, place: QPointF, plan: MemoryPlan) -> int:
        x = self.getPlotItem().getViewBox().mapSceneToView(place).x()
        return min(max(int(x * len(plan.steps)), 0), len(plan.steps) - 1)

    def _hovered(self, place: QPointF) -> None:
        if self._plans is not None and all(plan.steps for plan in self._plans):
            words = zip(("source", "engine"), self._plans, strict=True)
            parts = [f"{title}: {held_words(plan, self._step(place, plan))}" for title, plan in words]
            self.setToolTip(plain_tip("\n".join(parts)))

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if self._plans is not None and self._plans[1].steps:
            engine = self._plans[1]
            self.step_clicked.emit(engine.steps[self._step(event.scenePos(), engine)])


def _shade(color: str) -> QColor:
    shade = QColor(color)
    shade.setAlpha(AREA)
    return shade


def held_words(plan: MemoryPlan, step: int) -> str:
    """`2.1 MiB at Conv_12, held by a 1.0, b 0.6 and 3 more`"""
    held = plan.held_at(step)
    names = ", ".join(f"{life.tensor} {life.size_bytes / MIB:.2f}" for life in held[:SHOWN])
    more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
    return f"{plan.alive_bytes[step] / MIB:.2f} MiB at {plan.titles[step]}, held by {names or 'nothing'}{more}"
