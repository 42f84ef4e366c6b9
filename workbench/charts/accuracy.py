"""Accuracy: the task metric of each run with its interval, as it arrives; without labels, the output error."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from workbench.charts.base import ChartData, Series
from workbench.charts.plot import series_colors
from workbench.charts.rows import Bar, Figure, RowChart


@dataclass(frozen=True)
class Point:
    """What is known of a run's accuracy now. Shares are in 0..1; `scale` makes per cent of them."""

    metric: str
    value: float | None
    low: float
    high: float
    n: int
    sqnr_db: float | None
    is_share: bool = True

    @property
    def scale(self) -> float:
        return 100.0 if self.is_share else 1.0


def point_of(series: Series) -> Point | None:
    """From the finished accuracy, else from the last event of a live run."""
    accuracy = series.run.accuracy
    if accuracy is not None and accuracy.outputs:
        worst = min(output.sqnr_db for output in accuracy.outputs.values())
        task = accuracy.task
        if task is None:
            return Point("", None, 0, 0, accuracy.samples, worst)
        return Point(task.metric, task.value, task.low, task.high, task.n, worst, task.is_share)
    if series.checked:
        last = series.checked[-1]
        low, high = last.low or 0.0, last.high or 0.0
        return Point(last.metric, last.value, low, high, last.done, last.sqnr_db, last.is_share)
    return None


class AccuracyChart(RowChart):
    """One row per run: the metric as a bar, its 95 % interval as a thin line across the bar's end."""

    title = "Accuracy"
    order = 30
    empty = "Give an evaluation set: the accuracy of each run appears here as samples are checked."

    def __init__(self) -> None:
        self._data = ChartData()
        super().__init__()

    def set_data(self, data: ChartData) -> None:
        self._data = data
        points = [(one, point) for one in data.series if (point := point_of(one)) is not None]
        has_task = any(point.value is not None for _, point in points)
        colors = series_colors([one for one, _ in points], self.theme)
        bars, figures = [], []
        for row, ((one, point), color) in enumerate(zip(points, colors, strict=True)):
            if has_task and point.value is not None:
                bars += [Bar(row, 0, point.scale * point.value, color), self._interval(row, point)]
                end = point.scale * max(point.high, point.value)
                figures.append(Figure(row, end, self._words(point), self.theme.soft))
            elif not has_task and point.sqnr_db is not None:
                bars.append(Bar(row, 0, max(0.0, point.sqnr_db), color))
                figures.append(Figure(row, max(0.0, point.sqnr_db), f"{point.sqnr_db:.1f} dB SQNR", self.theme.soft))
            else:
                figures.append(Figure(row, 0, _reason(one), self.theme.faint))
        self.draw([one.title for one, _ in points], bars, figures)
        self.subtitle_changed.emit(self._subtitle(points, has_task))

    def _interval(self, row: int, point: Point) -> Bar:
        return Bar(row, point.scale * point.low, point.scale * point.high, self.theme.text, is_thin=True)

    def _words(self, point: Point) -> str:
        half = point.scale * (point.high - point.low) / 2
        error = "" if point.sqnr_db is None else f"  {point.sqnr_db:.0f} dB"
        if not point.is_share:
            return f"{point.value:.4g}  ± {half:.2g}{error}"
        return f"{100 * (point.value or 0):.1f} %  ± {half:.1f}{error}"

    def _subtitle(self, points: list[tuple[Series, Point]], has_task: bool) -> str:
        if not points:
            return ""
        _, point = points[0]
        what = point.metric.replace("_", " ") if has_task else "worst output against FP32"
        return f"{what} · n = {point.n}"

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["run", "metric", "value", "low", "high", "n", "sqnr_db"])
        for one in self._data.series:
            if (point := point_of(one)) is not None:
                table.writerow([one.run.id, point.metric, point.value, point.low, point.high, point.n, point.sqnr_db])
        return out.getvalue()


def _reason(series: Series) -> str:
    return series.run.accuracy.reason if series.run.accuracy else ""


CHART = AccuracyChart
