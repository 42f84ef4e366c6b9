"""Points of advice as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.session.advising import Point
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell

GAIN_TIP = "ESTIMATE: what could be saved at most, of the time of an inference or of the memory it moves"


def advice_table(points: Sequence[Point], sentence: str, *, has_gain: bool) -> TableContent:
    """A row a point, as they come. `has_gain`: of an engine, where gains are estimated."""
    columns = [_text("what", "what", "What was found", [_what(point) for point in points])]
    if has_gain:
        weights = np.asarray([point.weight for point in points], dtype=np.float64)
        columns.append(TableColumn("gain", "gain ≈", GAIN_TIP, lambda row: _gain(points[row]), weights))
    columns.append(_text("where", "where", "Layers, or who says so", [Cell(p.where, tone="soft") for p in points]))
    columns.append(_text("action", "what can be done", "Select the row to take it", [_action(p) for p in points]))
    texts = [" ".join((p.title, p.where, p.action, *p.details)).casefold() for p in points]
    return TableContent(tuple(columns), [(point.key,) for point in points], texts, sentence)


def _what(point: Point) -> Cell:
    return Cell(point.title, point.soft, tone=point.tone, tip="\n".join(point.details))


def _gain(point: Point) -> Cell:
    share = f"{100 * point.share:.1f} %" if point.share is not None else ""
    return Cell(point.gain, share, value=point.weight)


def _action(point: Point) -> Cell:
    return Cell(
        point.action,
        tone="" if point.edit is not None and not point.applied else "soft",
        tip=point.why_not or point.action,
    )


def _text(key: str, title: str, tip: str, cells: list[Cell]) -> TableColumn:
    values = np.asarray([cell.main.casefold() for cell in cells], dtype=np.str_)
    return TableColumn(key, title, tip, cells.__getitem__, values, is_figure=False)
