"""What a search for the best plan has measured, as a table: the front first, then what it dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.search import SQNR, Point, Search
from workbench.core.words import plural
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import NONE, Cell
from workbench.session.words import milliseconds

NAN = float("nan")


def search_table(search: Search) -> TableContent:
    """A row for each plan; it stands for the id of its point."""
    front = search.front
    ids = {point.id for point in front}
    points = [*front, *(point for point in search.points if point.id not in ids)]
    metric = search.points[0].seen.quality.metric if search.points and search.points[0].seen else "accuracy"
    columns = [_plan(search, points, ids), *_figures(search, points, metric), _why(points)]
    best = search.best
    words = f"best with {search.limit.words}: {best.title}" if best is not None else f"none with {search.limit.words}"
    sentence = f"{plural(len(points), 'plan')} measured · {words}"
    texts = [f"{point.title} {point.why} {point.reason}".casefold() for point in points]
    return TableContent(tuple(columns), [(str(point.id),) for point in points], texts, sentence)


def _plan(search: Search, points: Sequence[Point], front: set[int]) -> TableColumn:
    best, knee = search.best, search.knee

    def cell(row: int) -> Cell:
        point = points[row]
        marks = [word for word, one in (("best", best), ("knee", knee)) if one is not None and one.id == point.id]
        tone = "good" if "best" in marks else "" if point.id in front else "soft"
        return Cell(f"{point.id}  {point.title}", " ".join(marks), tone, tip=f"{point.title}\ntried: {point.why}")

    values = np.asarray([f"{point.id:05d}" for point in points], dtype=np.str_)
    return TableColumn("plan", "plan", "What was built and measured", cell, values, is_figure=False)


def _figures(search: Search, points: Sequence[Point], metric: str) -> list[TableColumn]:
    seen = [point.seen for point in points]
    ms = np.asarray([search.ms(one.speed.ratio) if one else NAN for one in seen], dtype=np.float64)
    ratio = np.asarray([one.speed.ratio if one else NAN for one in seen], dtype=np.float64)
    value = np.asarray([one.quality.value if one else NAN for one in seen], dtype=np.float64)
    loss = np.asarray([one.quality.loss if one and one.quality.loss is not None else NAN for one in seen], np.float64)
    decibels = np.asarray([one.quality.sqnr_db if one else NAN for one in seen], dtype=np.float64)
    size = np.asarray([point.size_bytes / 2**20 if point.size_bytes else NAN for point in points], dtype=np.float64)

    def time_cell(row: int) -> Cell:
        return Cell(milliseconds(float(ms[row]))) if seen[row] else NONE

    def ratio_cell(row: int) -> Cell:
        one = seen[row]
        if one is None:
            return NONE
        low, high, rounds = one.speed.low, one.speed.high, one.speed.rounds
        tip = f"95 % interval {low:.2f}× to {high:.2f}×, {rounds} rounds in turns with FP32"
        return Cell(f"{one.speed.ratio:.2f}×", f"±{(high - low) / 2:.2f}", tip=tip)

    def value_cell(row: int) -> Cell:
        one = seen[row]
        return Cell(one.quality.words, tip=f"{one.quality.metric}, n = {one.quality.n}") if one else NONE

    def loss_cell(row: int) -> Cell:
        one = seen[row]
        if one is None or one.quality.loss is None:
            return NONE
        half = (one.quality.loss_high - one.quality.loss_low) / 2
        tip = f"95 % interval, in pairs with FP32: {one.quality.loss_low:+.2f} to {one.quality.loss_high:+.2f}"
        return Cell(f"{one.quality.loss:+.2f}", f"±{half:.2f}", tip=tip)

    unit = "points" if any(one and one.quality.is_share for one in seen) else "%"
    columns = [
        TableColumn("ms", "ms", "FP32's median over the speed-up", time_cell, ms),
        TableColumn("speedup", "against FP32", "FP32's time over its own, timed in turns", ratio_cell, ratio),
    ]
    if metric != SQNR:
        columns.append(TableColumn("value", metric, "On the evaluation set", value_cell, value))
        columns.append(TableColumn("loss", f"lost, {unit}", "Against FP32 on the same samples", loss_cell, loss))
    return [
        *columns,
        TableColumn(
            "sqnr",
            "SQNR, dB",
            "Of the worst output against FP32",
            lambda row: Cell(f"{decibels[row]:.1f}") if seen[row] else NONE,
            decibels,
        ),
        TableColumn(
            "size",
            "MiB",
            "Of the engine",
            lambda row: Cell(f"{size[row]:.1f}") if points[row].size_bytes else NONE,
            size,
        ),
    ]


def _why(points: Sequence[Point]) -> TableColumn:
    def cell(row: int) -> Cell:
        point = points[row]
        if point.reason:
            return Cell(point.reason, tone="bad", tip=point.reason)
        again = "measured twice; " if point.again is not None else ""
        return Cell(f"{again}{point.why}", tone="soft", tip=point.why)

    values = np.asarray([point.why for point in points], dtype=np.str_)
    return TableColumn("why", "why it was tried", "And whether it was measured again", cell, values, is_figure=False)
