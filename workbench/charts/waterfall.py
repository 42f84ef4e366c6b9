"""Why: from the median of one run to that of another, step by step, with the layers that cost or gain most."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from PySide6.QtGui import QResizeEvent

from workbench.charts.base import ChartData
from workbench.charts.plot import series_colors
from workbench.charts.rows import Bar, Figure, RowChart
from workbench.core.theme import Theme
from workbench.core.waterfall import BlockStep, Step, StepKind, Waterfall

EMPTY = (
    "Why is one run faster than another?\n"
    "Select two runs with a measured time: what was saved, what was added and which layers it was appears here."
)
TIP_BLOCKS = 8
REST_TIP = "Between the layers, and what timing layers apart does not see: the medians less the layers' sums"


@dataclass(frozen=True)
class _Row:
    """A median (no step), a whole step (no block), or one block of a step; it runs from `start` to `end`, in ms."""

    title: str
    start: float
    end: float
    step: Step | None = None
    block: BlockStep | None = None

    @property
    def ms(self) -> float:
        return self.end - self.start

    @property
    def blocks(self) -> tuple[BlockStep, ...]:
        return (self.block,) if self.block is not None else self.step.blocks if self.step is not None else ()


class WaterfallChart(RowChart):
    """Bars are time saved or spent, in the tones of good and bad. A click selects a bar's layers and their nodes."""

    title = "Why"
    order = 22
    empty = EMPTY

    def __init__(self) -> None:
        self._data = ChartData()
        self._shown: list[_Row] = []
        super().__init__()

    def set_data(self, data: ChartData) -> None:
        self._data = data
        found = data.waterfall
        self._shown = _rows(found, self._names(), self.capacity()) if found is not None else []
        self.draw([row.title for row in self._shown], self._step_bars(), self._step_figures())
        self.subtitle_changed.emit(self._subtitle(found) if found is not None else "")

    def _names(self) -> tuple[str, str]:
        return self._data.first, self._data.series[0].title if self._data.series else ""

    def _subtitle(self, found: Waterfall) -> str:
        first, second = self._names()
        factor = found.a_ms / found.b_ms if found.b_ms else 0.0
        times = f"{'' if found.is_raced else '≈ '}{factor:.2f}×"
        return f"{first} → {second} · {_signed(found.b_ms - found.a_ms)} · {times}"

    def _step_bars(self) -> list[Bar]:
        bars = []
        for number, row in enumerate(self._shown):
            low, high = min(row.start, row.end), max(row.start, row.end)
            bars.append(Bar(number, low, high, self._color(row), is_thin=row.block is not None))
        return bars

    def _step_figures(self) -> list[Figure]:
        return [self._figure(number, row) for number, row in enumerate(self._shown)]

    def _figure(self, number: int, row: _Row) -> Figure:
        is_chosen = self._is_chosen(row)
        color = self.theme.accent if is_chosen else self.theme.faint if row.block is not None else self.theme.soft
        text = f"{row.end:.3f} ms" if row.step is None else _signed(row.ms)
        return Figure(number, max(row.start, row.end), text, color)

    def _color(self, row: _Row) -> str:
        if row.step is None:
            colors = series_colors(self._data.series, self.theme)
            return colors[0] if row is self._shown[-1] and colors else self.theme.faint
        if row.step.kind is StepKind.REST:
            return self.theme.faint
        return step_color(self.theme, row.ms)

    def _is_chosen(self, row: _Row) -> bool:
        """Whether a block's nodes, or layers that run none, are among what is selected."""
        data, block = self._data, row.block
        if block is None:
            return False
        return not data.nodes.isdisjoint(block.nodes) if block.nodes else not data.selected.isdisjoint(block.b)

    def row_clicked(self, row: int) -> None:
        blocks = self._shown[row].blocks
        if blocks:
            self.blocks_clicked.emit(blocks)

    def row_tip(self, row: int) -> str:
        shown = self._shown[row]
        if shown.step is None:
            raced = self._data.waterfall is not None and self._data.waterfall.is_raced
            how = "timed interleaved" if raced else "timed one after the other: compare the two runs to be sure"
            return f"{shown.title}: {shown.end:.4f} ms, the median of the whole engine\n{how}"
        lines = [f"{_signed(block.ms)}  {block.heading}: {block.words}" for block in shown.blocks[:TIP_BLOCKS]]
        more = len(shown.blocks) - TIP_BLOCKS
        lines += [f"… and {more} more"] if more > 0 else [REST_TIP] if shown.step.kind is StepKind.REST else []
        return "\n".join([f"{shown.step.kind.value}, {_signed(shown.step.ms)} in all", *lines])

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["step", "ms", "block", "change", "nodes", "layers_a", "layers_b"])
        found = self._data.waterfall
        if found is not None:
            table.writerow(["median of A", f"{found.a_ms:.6f}", self._names()[0], "", "", "", ""])
            for step in found.steps:
                table.writerow([step.kind.value, f"{step.ms:.6f}", "", "", "", "", ""])
                table.writerows(_cells(step, block) for block in step.blocks)
            table.writerow(["median of B", f"{found.b_ms:.6f}", self._names()[1], "", "", "", ""])
        return out.getvalue()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.set_data(self._data)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_data(self._data)


def step_color(theme: Theme, ms: float) -> str:
    """In the tones that the tables have for what was saved and what was spent."""
    return theme.good if ms < 0 else theme.bad


def _rows(found: Waterfall, names: tuple[str, str], capacity: int) -> list[_Row]:
    """Both medians and every step; where there is room, the blocks that matter most below their steps."""
    room = max(0, capacity - 2 - len(found.steps))
    several = [block for step in found.steps if len(step.blocks) > 1 for block in step.blocks]
    largest = {id(block) for block in sorted(several, key=lambda block: -abs(block.ms))[:room]}
    rows, at = [_Row(names[0], 0.0, found.a_ms)], found.a_ms
    for step in found.steps:
        only = _short(step.blocks[0]) if len(step.blocks) == 1 else ""
        rows.append(_Row(f"{step.kind.value}: {only}" if only else step.kind.value, at, at + step.ms, step))
        start = at
        for block in step.blocks:
            if id(block) in largest:
                rows.append(_Row(_short(block), start, start + block.ms, step, block))
                start += block.ms
        at += step.ms
    return [*rows, _Row(names[1], 0.0, found.b_ms)]


def _short(block: BlockStep) -> str:
    """What the engine calls its first layer, else the ops; the tooltip says all of it."""
    return block.name.split(" + ")[0] or block.title


def _signed(ms: float) -> str:
    return f"{'−' if ms < 0 else '+'}{abs(ms):.3f} ms"


def _cells(step: Step, block: BlockStep) -> list[str]:
    ids = [" ".join(part) for part in (block.nodes, block.a, block.b)]
    return [step.kind.value, f"{block.ms:.6f}", block.heading, block.words, *ids]


CHART = WaterfallChart
