"""Tables of what shapes do: memory of the runs by batch, shape and precision; the cost of a change of shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from workbench.core.replanning import Replanned, ShapeChange
from workbench.core.run import Run
from workbench.core.titles import Titles
from workbench.core.words import plural, shapes_words
from workbench.pipeline.conditions import interleaved_conditions
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell
from workbench.session.words import bytes_words, milliseconds

USUAL = "the model's own"
NAN = float("nan")
FIGURES = (
    ("weights", "weights", "Of the engine, as it stores them"),
    ("pool", "plan's pool", "One block for all buffers between layers, by liveness: those that never meet share it"),
    ("sum", "without reuse", "The same buffers, were none used again"),
    ("ends", "in + out", "Inputs and outputs of the model"),
    ("activations", "engine says", "Activation memory: the engine's own figure; by liveness where it tells none"),
    ("first inference", "first inference", "Pages of the process that the first inference wrote to"),
    ("process peak", "process peak", "The most that the process of the run had in memory, building and all"),
)


def footprint_table(runs: Sequence[Run], names: Titles) -> TableContent:
    """A row a run that was built."""
    built = [run for run in runs if run.build is not None]
    found = [_footprint(run) for run in built]
    titles, shapes = [names.of(run) for run in built], [shapes_words(run.shapes) or USUAL for run in built]
    columns = [
        _text(
            "run",
            "run",
            "What was built",
            titles,
            [Cell(t, swatch=r.config.plan.default) for t, r in zip(titles, built, strict=True)],
        ),
        _text("shapes", "shapes", "Of the inputs", shapes, [Cell(text, tone="soft") for text in shapes]),
    ]
    columns += [_figure(key, title, tip, found) for key, title, tip in FIGURES]
    texts = [f"{title} {shape}".casefold() for title, shape in zip(titles, shapes, strict=True)]
    return TableContent(tuple(columns), [()] * len(built), texts, plural(len(built), "run"))


def _footprint(run: Run) -> dict[str, int]:
    assert run.build is not None
    return {**run.build.memory, **run.build.plan, **(run.timing.memory if run.timing is not None else {})}


def _figure(key: str, title: str, tip: str, found: Sequence[Mapping[str, int]]) -> TableColumn:
    values = np.asarray([one.get(key) or NAN for one in found], dtype=np.float64)
    most = max((one.get(key, 0) for one in found), default=0) or 1

    def cell(row: int) -> Cell:
        size = found[row].get(key, 0)
        return Cell(bytes_words(size), bar=size / most) if size else Cell("—", tone="faint")

    return TableColumn(key, title, tip, cell, values)


def shape_change_table(result: Replanned) -> TableContent:
    """A row a shape."""
    rows = result.changes
    words = [shapes_words(row.shapes) for row in rows]
    conditions = interleaved_conditions(result.protocol, result.machine)
    columns = (
        _text("shape", "shape", "Of the inputs", words),
        _ms("never", "never seen", "The very first inference of this shape", [row.never_seen_ms for row in rows]),
        _ms("change", "after a change", "The first inference after another shape", [row.change_ms for row in rows]),
        _ms("steady", "then", "The inferences that follow", [row.steady_ms for row in rows]),
        TableColumn(
            "extra",
            "extra",
            "What the change costs: paired, with its 95 % interval",
            lambda i: _extra(rows[i], conditions),
            _floats(row.extra_ms for row in rows),
        ),
        _ms("fixed", "its own engine", "An engine built for this shape alone", [row.fixed_ms for row in rows]),
    )
    return TableContent(columns, [()] * len(rows), [text.casefold() for text in words], result.protocol)


def _extra(row: ShapeChange, conditions: Sequence[str]) -> Cell:
    tip = "\n".join([f"95 % interval {row.low_ms:+.3f} to {row.high_ms:+.3f} ms", *conditions])
    if not row.is_different:
        return Cell("none seen", tone="soft", tip=tip)
    return Cell(
        f"{row.extra_ms:+.3f} ms",
        f"±{(row.high_ms - row.low_ms) / 2:.3f}",
        "bad" if row.extra_ms > 0 else "good",
        tip=tip,
    )


def _text(key: str, title: str, tip: str, texts: Sequence[str], cells: Sequence[Cell] | None = None) -> TableColumn:
    made = cells or [Cell(text) for text in texts]
    return TableColumn(
        key, title, tip, made.__getitem__, np.asarray([t.casefold() for t in texts], dtype=np.str_), is_figure=False
    )


def _ms(key: str, title: str, tip: str, values: Sequence[float | None]) -> TableColumn:
    cells = [Cell("—", tone="faint") if value is None else Cell(milliseconds(value), value=value) for value in values]
    return TableColumn(key, title, tip, cells.__getitem__, _floats(values))


def _floats(values: Iterable[float | None]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray([NAN if value is None else value for value in values], dtype=np.float64)
