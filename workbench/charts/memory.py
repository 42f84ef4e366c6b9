"""Memory: what each run's engine keeps in memory, by use; below, the plan of the current run over one inference."""

from __future__ import annotations

import csv
import io

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent

from workbench.charts.base import ChartData
from workbench.charts.plot import elide, placeholder, plain_tip, plot_font, series_colors
from workbench.charts.rows import ROW_PX, Bar, Figure, RowChart
from workbench.charts.timeline import Timeline
from workbench.core.memory_plan import MemoryPlan
from workbench.core.run import Build, Run
from workbench.core.theme import Theme

MIB = 2**20
LEAST_TIMELINE = 90  # pixels
NAMED_FROM = 460  # pixels of width
PARTS_FROM = 250  # a narrower chart says the sum alone
WORDS_PX = 44  # of the sentence below
SAME = 0.01
TITLE_PX = 170
TALL = 260  # pixels of height, from which all of the sentence has room
TIP = (
    "By liveness: each buffer from its writer to its last reader; reshapes have the buffer of what they reshape.\n"
    "Not in the plan: what kernels compute in place (an engine may take less), and what they need beside their tensors"
    " (it may take more); TensorRT for RTX adds 7.8 MiB to every engine.\n"
    "The pool is one block in which buffers that never meet share their place; inputs and outputs lie outside.\n"
    "The first inference: pages of this process that were written to for the first time."
)


class MemoryChart(RowChart):
    """One row per run: a stacked bar of the uses its engine tells, weights first. Then the liveness of tensors."""

    title = "Memory"
    order = 40
    empty = "Build a model: the memory of its engine appears here."

    def __init__(self) -> None:
        self._data = ChartData()
        super().__init__()
        self.timeline = Timeline(self)
        self.timeline.step_clicked.connect(self.layer_clicked)
        self.peaks = placeholder("", self)
        self.peaks.setAlignment(Qt.AlignmentFlag.AlignLeft)
        box = self.layout()
        assert box is not None
        box.addWidget(self.timeline)
        box.addWidget(self.peaks)
        self._show_plan([])

    def capacity(self) -> int:
        return max(3, self._rows) if self._data.memory is not None else super().capacity()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.timeline.set_theme(theme)
        self.peaks.setStyleSheet(f"color: {theme.soft}; background: {theme.panel}; padding: 0 4px 2px 4px;")
        self.set_data(self._data)

    def set_data(self, data: ChartData) -> None:
        self._data = data
        built = [one for one in data.series if one.run.build is not None and one.run.build.memory][: self._room()]
        uses = sorted({use for one in built for use in _memory(one.run.build)}, key=lambda use: (use != "weights", use))
        bars, figures = [], []
        for row, one in enumerate(built):
            memory, start = _memory(one.run.build), 0.0
            for i, use in enumerate(uses):
                end = start + memory.get(use, 0) / MIB
                bars.append(Bar(row, start, end, self.theme.series[i % len(self.theme.series)]))
                start = end
            figures.append(Figure(row, start, self._words(memory, uses), self.theme.soft))
        self._show_plan([one.title for one in built])
        self.draw([one.title for one in built], bars, figures)
        self.subtitle_changed.emit(" · ".join(uses))

    def _room(self) -> int:
        """Rows for which there is room above the timeline."""
        return max(2, int((self.height() - LEAST_TIMELINE - WORDS_PX) / ROW_PX)) if self._data.memory else 1 << 10

    def _words(self, memory: dict[str, int], uses: list[str]) -> str:
        """`weights 2.6 + activations 2.0 MiB`; where there is little room the figures alone, in the same order."""
        if self.width() < PARTS_FROM:
            return f"{sum(memory.values()) / MIB:.1f} MiB"
        is_wide = self.width() >= NAMED_FROM
        parts = (f"{use if is_wide else ''} {memory[use] / MIB:.1f}".strip() for use in uses if use in memory)
        return f"{' + '.join(parts)} MiB"

    def row_tip(self, row: int) -> str:
        built = [one for one in self._data.series if _memory(one.run.build)]
        uses = _memory(built[row].run.build)
        return "\n".join([built[row].title, *(f"{use}: {size / MIB:.2f} MiB" for use, size in uses.items())])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)

    def _show_plan(self, names: list[str]) -> None:
        plans = self._data.memory if names else None
        self.timeline.setVisible(plans is not None)
        self.peaks.setVisible(plans is not None)
        if plans is None:
            self.plot.setMinimumHeight(0)
            self.plot.setMaximumHeight(16777215)  # Qt's own: none
            return
        self.plot.setFixedHeight(max(3, len(names)) * ROW_PX + 8)
        self.timeline.setMinimumHeight(LEAST_TIMELINE)
        self.timeline.set_plans(plans, (self.theme.faint, series_colors(self._data.series, self.theme)[0]))
        run, engine = self._data.series[0].run, plans[1]
        whole = (
            f"Most alive at once: source {_peak(plans[0])} (grey), engine {_peak(engine)}{_said(run, engine)}."
            f"{_pool(engine)}{_took(run)}"
        )
        short = f"At most: source {plans[0].peak_bytes / MIB:.2f} (grey), engine {engine.peak_bytes / MIB:.2f} MiB."
        self.peaks.setText(whole if self.height() >= TALL or self.width() >= NAMED_FROM else short)
        self.peaks.setToolTip(plain_tip(f"{whole}\n{TIP}"))

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["run", "use", "bytes"])
        for one in self._data.series:
            table.writerows([one.run.id, use, size] for use, size in _memory(one.run.build).items())
        for title, plan in zip(("source plan", "engine plan"), self._data.memory or (), strict=False):
            table.writerows([title, step, size] for step, size in zip(plan.steps, plan.alive_bytes, strict=True))
        return out.getvalue()


def _peak(plan: MemoryPlan) -> str:
    left = f", {plan.unknown} tensors of unknown size" if plan.unknown else ""
    where = elide(plan.titles[plan.peak_step], TITLE_PX, plot_font()) if plan.steps else ""
    return f"{plan.peak_bytes / MIB:.2f} MiB at {where}{left}" if plan.steps else "nothing"


def _said(run: Run, plan: MemoryPlan) -> str:
    """What the engine itself says, where it was not counted like this."""
    said = _memory(run.build).get("activations")
    is_other = said is not None and abs(said - plan.peak_bytes) > SAME * said
    return f"; its own figure is {said / MIB:.2f} MiB" if said is not None and is_other else ""


def _pool(plan: MemoryPlan) -> str:
    """What is used again."""
    if not plan.pool_bytes:
        return ""
    return f" Pool {plan.pool_bytes / MIB:.2f}, used {plan.reuse:.1f}×; in + out {plan.ends_bytes / MIB:.2f} MiB."


def _took(run: Run) -> str:
    """What the process really took."""
    took = run.timing.memory.get("first inference") if run.timing is not None else None
    return f" First inference: {took / MIB:.2f} MiB of the process." if took else ""


def _memory(build: Build | None) -> dict[str, int]:
    return build.memory if build is not None else {}


CHART = MemoryChart
