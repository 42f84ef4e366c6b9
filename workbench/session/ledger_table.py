"""The fusion ledger as tables: a row a layer, or a row a pattern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import LayerKind
from workbench.core.ledger import Ledger, LedgerRow, PatternRow
from workbench.pipeline.fusion_text import ledger_summary
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell
from workbench.session.words import bytes_words, milliseconds

NAN = float("nan")
SAVED_TIP = (
    "ESTIMATE: tensors that stay inside the kernel, each written once and read once less; "
    "at the run's shapes, in the layer's precision"
)


def layer_table(ledger: Ledger) -> TableContent:
    """A row a layer, in execution order."""
    rows = ledger.rows
    counts = {row.pattern: row.count for row in ledger.patterns}
    columns = (
        _text("layer", "layer", "The ops it was fused from", [row.pattern for row in rows], [_head(r) for r in rows]),
        TableColumn(
            "nodes",
            "nodes",
            "Source nodes in it; ~: some are inferred",
            lambda i: Cell(f"{'' if rows[i].is_exact else '~'}{len(rows[i].sources)}", value=len(rows[i].sources)),
            _floats(len(row.sources) for row in rows),
        ),
        TableColumn(
            "alike",
            "alike",
            "Layers of this pattern",
            lambda i: Cell(f"×{counts[rows[i].pattern]}", tone="soft"),
            _floats(counts[row.pattern] for row in rows),
        ),
        _text("ran", "ran in", "Precision", [_ran(r) for r in rows], [Cell(_ran(r), swatch=r.precision) for r in rows]),
        *_figures(rows),
        _text("why", "what ends fusion behind it", "As far as both graphs show it", [_why(r) for r in rows]),
        _text("kernel", "kernel", "The tactic that was chosen", [row.tactic for row in rows]),
        _text("name", "name", "What the engine calls it", [row.name for row in rows]),
    )
    texts = [" ".join((row.pattern, row.name, row.layer, row.kind, row.tactic, _ran(row), _why(row))) for row in rows]
    links, found = [(row.layer,) for row in rows], [text.casefold() for text in texts]
    return TableContent(columns, links, found, ledger_summary(ledger))


def pattern_table(ledger: Ledger) -> TableContent:
    """A row a pattern, the most frequent first; it stands for all its layers."""
    rows = ledger.patterns
    layers: dict[str, list[str]] = defaultdict(list)
    for row in ledger.rows:
        layers[row.pattern].append(row.layer)
    columns = (
        _text("pattern", "pattern", "The ops of one layer", [row.pattern for row in rows]),
        TableColumn(
            "count",
            "layers",
            "Layers of this pattern",
            lambda i: Cell(f"{rows[i].count:,}"),
            _floats(r.count for r in rows),
        ),
        TableColumn(
            "nodes",
            "nodes",
            "Source nodes in them",
            lambda i: Cell(f"{rows[i].nodes:,}"),
            _floats(r.nodes for r in rows),
        ),
        *_figures(rows),
    )
    links, found = [tuple(layers[row.pattern]) for row in rows], [row.pattern.casefold() for row in rows]
    return TableContent(columns, links, found, ledger_summary(ledger))


def _figures(rows: tuple[LedgerRow, ...] | tuple[PatternRow, ...]) -> tuple[TableColumn, ...]:
    most = max((row.share or 0.0 for row in rows), default=0.0) or 1.0
    return (
        TableColumn("time", "time", "Mean time", lambda i: _ms(rows[i].ms), _floats(row.ms for row in rows)),
        TableColumn(
            "share",
            "share",
            "Of the sum of all layers",
            lambda i: _share(rows[i].share, most),
            _floats(r.share for r in rows),
        ),
        TableColumn(
            "saved", "saved ≈", SAVED_TIP, lambda i: _bytes(rows[i].saved_bytes), _floats(r.saved_bytes for r in rows)
        ),
    )


def _text(key: str, title: str, tip: str, texts: list[str], cells: list[Cell] | None = None) -> TableColumn:
    values = np.asarray([text.casefold() for text in texts], dtype=np.str_)
    made = cells or [Cell(text, tone="" if key in ("layer", "pattern") else "soft") for text in texts]
    return TableColumn(key, title, tip, made.__getitem__, values, is_figure=False)


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.asarray([NAN if value is None else value for value in values], dtype=np.float64)


def _head(row: LedgerRow) -> Cell:
    first = row.name.split(" + ")[0]
    soft = "added" if row.is_added else first if row.kind is LayerKind.COMPUTE else row.kind.value
    return Cell(row.pattern, soft, tip=f"{row.pattern}\n{row.name}")


def _ran(row: LedgerRow) -> str:
    return row.precision.label if row.precision is not None else ""


def _why(row: LedgerRow) -> str:
    return row.does or row.why


def _ms(value: float | None) -> Cell:
    return Cell("", value=None) if value is None else Cell(milliseconds(value), value=value)


def _share(value: float | None, most: float) -> Cell:
    return Cell("") if value is None else Cell(f"{100 * value:.1f} %", bar=value / most)


def _bytes(value: int) -> Cell:
    return Cell(bytes_words(value) if value else "", tone="soft")
