"""The alignment of two engines as a table: what changed, and what it cost or gained."""

from __future__ import annotations

import numpy as np

from workbench.core.alignment import AlignedGroup, Alignment
from workbench.pipeline.fusion_text import alignment_summary, by_difference
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell
from workbench.session.words import milliseconds

NAN = float("nan")
NOTICED = 0.02  # of all layers of A: a smaller difference has no colour
A, B = "a:", "b:"
"""In front of a layer's id: which engine it is of."""


def differences_table(alignment: Alignment) -> TableContent:
    """A row a group, the largest time difference first. No columns for an engine that was not timed."""
    groups = by_difference(alignment.groups)
    least = NOTICED * max(alignment.total_a_ms or 0.0, alignment.total_b_ms or 0.0)
    columns = [
        TableColumn(
            "title",
            "layers",
            "The ops of what they do",
            lambda i: Cell(groups[i].title, groups[i].name.split(" + ")[0], tip=f"{groups[i].title}\n{groups[i].name}"),
            np.asarray([group.title.casefold() for group in groups], dtype=np.str_),
            is_figure=False,
        ),
        TableColumn(
            "count",
            "A → B",
            "How many layers on either side",
            lambda i: Cell(f"{len(groups[i].a)} → {len(groups[i].b)}", tone="soft"),
            np.asarray([len(group.b) - len(group.a) for group in groups], dtype=np.float64),
        ),
    ]
    if alignment.total_a_ms is not None:
        columns.append(_times("a", "A", groups, [group.ms_a for group in groups]))
    if alignment.total_b_ms is not None:
        columns.append(_times("b", "B", groups, [group.ms_b for group in groups]))
    if alignment.total_a_ms is not None and alignment.total_b_ms is not None:
        columns.append(
            TableColumn(
                "difference",
                "B − A",
                "What B takes more than A, or less; sorted by its size",
                lambda i: _difference(groups[i], least),
                np.asarray([abs(group.difference_ms or 0.0) for group in groups], dtype=np.float64),
            )
        )
    columns.append(
        TableColumn(
            "words",
            "change",
            "How the layers were cut, precision and kernel",
            lambda i: Cell(groups[i].words, tone="soft" if groups[i].words == "the same" else ""),
            np.asarray([group.words.casefold() for group in groups], dtype=np.str_),
            is_figure=False,
        )
    )
    links = [(*(A + key for key in group.a), *(B + key for key in group.b)) for group in groups]
    texts = [f"{group.title} {group.name} {group.words} {group.change}".casefold() for group in groups]
    return TableContent(tuple(columns), links, texts, alignment_summary(alignment))


def _times(key: str, title: str, groups: list[AlignedGroup], times: list[float | None]) -> TableColumn:
    def cell(row: int) -> Cell:
        ms, sides = times[row], (groups[row].a, groups[row].b)
        return Cell(milliseconds(ms) if ms is not None and sides[key == "b"] else "")

    values = np.asarray([NAN if ms is None else ms for ms in times], dtype=np.float64)
    return TableColumn(key, title, f"Mean time of its layers in {title}", cell, values)


def _difference(group: AlignedGroup, least: float) -> Cell:
    value = group.difference_ms or 0.0
    if value == 0.0:
        return Cell("0", tone="soft")
    tone = "" if abs(value) < least else "good" if value < 0 else "bad"
    return Cell(f"{'+' if value > 0 else '−'}{milliseconds(abs(value))}", tone=tone)
