"""Memory: what each run's engine keeps in memory, by use."""

from __future__ import annotations

import csv
import io

from workbench.charts.base import ChartData
from workbench.charts.rows import Bar, Figure, RowChart

MIB = 2**20


class MemoryChart(RowChart):
    """One row per run: a stacked bar of the uses its engine tells, weights first."""

    title = "Memory"
    order = 40
    empty = "Build a model: the memory of its engine appears here."

    def __init__(self) -> None:
        self._data = ChartData()
        super().__init__()

    def set_data(self, data: ChartData) -> None:
        self._data = data
        built = [one for one in data.series if one.run.build is not None and one.run.build.memory]
        uses = sorted({use for one in built for use in _memory(one.run.build)}, key=lambda use: (use != "weights", use))
        bars, figures = [], []
        for row, one in enumerate(built):
            memory, start = _memory(one.run.build), 0.0
            for i, use in enumerate(uses):
                end = start + memory.get(use, 0) / MIB
                bars.append(Bar(row, start, end, self.theme.series[i % len(self.theme.series)]))
                start = end
            words = " + ".join(f"{use} {memory[use] / MIB:.1f}" for use in uses if memory.get(use))
            figures.append(Figure(row, start, f"{words} MiB", self.theme.soft))
        self.draw([one.title for one in built], bars, figures)
        self.subtitle_changed.emit(" · ".join(uses))

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["run", "use", "bytes"])
        for one in self._data.series:
            table.writerows([one.run.id, use, size] for use, size in _memory(one.run.build).items())
        return out.getvalue()


def _memory(build: object) -> dict[str, int]:
    memory: dict[str, int] = getattr(build, "memory", {})
    return memory


CHART = MemoryChart
