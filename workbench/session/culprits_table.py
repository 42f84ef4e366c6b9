"""What a search for culprits knows, as a table: the layers, what each costs, what exempting it gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.core.sensitivity import Culprits, Sensitivity
from workbench.core.words import plural
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell

NAN = float("nan")


def culprits_table(found: Culprits) -> TableContent:
    """A row a layer, the worst first; its links are its source nodes."""
    from workbench.pipeline.culprits.text import sqnr_words

    rows = found.layers
    chosen = frozenset(found.proposal.nodes) if found.proposal is not None else frozenset()
    most = max((row.share for row in rows), default=1.0) or 1.0
    before = found.plan.sqnr_db if found.plan is not None else 0.0

    def decibels(value: float | None, tone: str = "") -> Cell:
        return Cell(sqnr_words(value), tone="bad" if sqnr_words(value) == "broken" else tone)

    def gain(value: float | None) -> Cell:
        tone = "" if value is None or abs(value - before) < 1 else "good" if value > before else "bad"
        tip = f"The plan as it is: {sqnr_words(before)}" if value is not None else "Not measured"
        return Cell(sqnr_words(value), tone=tone, tip=tip)

    columns = (
        TableColumn(
            "layer",
            "layer",
            "A node, or a group of them, that the plan has in a low precision",
            lambda i: Cell(rows[i].title, "exempt" if chosen.issuperset(rows[i].nodes) else "", tip=rows[i].title),
            np.asarray([row.title for row in rows], dtype=np.str_),
            is_figure=False,
        ),
        TableColumn("op", "op", "Its operator", lambda i: Cell(rows[i].op, tone="soft"), _texts(rows), is_figure=False),
        TableColumn(
            "share",
            "noise",
            "Its part of the noise that the plan adds to the outputs; not bold: of a group that was measured together",
            lambda i: _share(rows[i], most),
            np.asarray([row.share for row in rows], dtype=np.float64),
        ),
        TableColumn(
            "alone",
            "alone",
            "SQNR of the outputs with only this one in low precision, measured",
            lambda i: decibels(rows[i].alone_db),
            _figures([row.alone_db for row in rows]),
        ),
        TableColumn(
            "exempted",
            "exempted",
            "SQNR of the plan with only this one in FP32, measured: green better than the plan, red worse",
            lambda i: gain(rows[i].exempt_db),
            _figures([row.exempt_db for row in rows]),
        ),
        TableColumn(
            "introduced",
            "introduces",
            "SQNR of its own output when its inputs are FP32: where the search began",
            lambda i: decibels(rows[i].introduced_db, "soft"),
            _figures([row.introduced_db for row in rows]),
        ),
    )
    texts = [f"{row.title} {row.op} {row.precision}".casefold() for row in rows]
    sentence = f"{found.evaluations} of at most {plural(found.budget, 'plan')} measured"
    return TableContent(columns, [row.nodes for row in rows], texts, sentence)


def told_lines(found: Culprits) -> list[str]:
    """What exempting gives, then what to be careful of."""
    from workbench.pipeline.culprits.text import doubts

    return [text for text in (_verdict(found), *doubts(found)) if text]


def _verdict(found: Culprits) -> str:
    """What exempting gives, in a line: `Exempting Conv_3: 25.7 dB (…) → 37.4 dB (…)`."""
    from workbench.pipeline.culprits.text import decibels, proposal_words, quality

    if found.plan is None:
        return ""
    if found.proposal is None and not found.exemptions:
        return f"The plan: {quality(found.plan)}"
    if found.proposal is None:
        return f"The plan: {quality(found.plan)}; no small set of layers stands out."
    return f"{proposal_words(found.proposal, found)}: {decibels(found.plan)} → {quality(found.proposal.evaluation)}"


def _share(row: Sensitivity, most: float) -> Cell:
    from workbench.pipeline.culprits.text import share_words

    words = share_words(row)
    tone = "bad" if row.is_broken else "" if row.alone_db is not None else "soft"
    known = "Measured alone" if row.alone_db is not None else "Its share of a group that was measured together"
    return Cell(words, tone=tone, tip=f"{known}, told apart by {row.evaluations} measurements", bar=row.share / most)


def _texts(rows: tuple[Sensitivity, ...]) -> NDArray[np.str_]:
    return np.asarray([row.op for row in rows], dtype=np.str_)


def _figures(values: list[float | None]) -> NDArray[np.float64]:
    return np.asarray([NAN if value is None else value for value in values], dtype=np.float64)
