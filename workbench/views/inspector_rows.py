"""Rows of the inspector about what nodes cost by their shapes and how far they are from the FP32 reference."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.costs import total
from workbench.core.words import plural
from workbench.session.session import Session
from workbench.session.words import bytes_words, count_words
from workbench.views.canvas.heat import told
from workbench.views.overlays import sqnr_db
from workbench.views.widgets import Words

Row = tuple[str, Words]

COUNTED = "By the shapes chosen, a multiply-add as two operations; nothing was run for it."


def cost_rows(session: Session, nodes: Iterable[str]) -> list[Row]:
    """Arithmetic, weights and bytes of these nodes together. None before they are counted: they come a little later."""
    costs = session.costs.get()
    known = [costs[node] for node in nodes if node in costs]
    whole = total(known)
    rows = []
    if whole.flops is not None:
        unknown = sum(cost.flops is None for cost in known)
        every = total(costs.values()).flops or 1
        soft = f"+ {plural(unknown, 'node')} not known" if unknown else f"{100 * whole.flops / every:.1f} %"
        rows.append(("work", Words(told(whole.flops, "FLOP"), soft, tip=f"{whole.flops:,} FLOP. {COUNTED}")))
    if whole.parameters:
        rows.append(("weights", Words(count_words(whole.parameters), tip=f"{whole.parameters:,} elements")))
    if whole.bytes_written is not None:
        read = f", {whole.bytes_read:,} bytes read" if whole.bytes_read is not None else ""
        tip = f"{whole.bytes_written:,} bytes written{read}"
        rows.append(("writes", Words(bytes_words(whole.bytes_written), tip=tip)))
    return rows


def error_rows(session: Session, nodes: Iterable[str]) -> list[Row]:
    """SQNR of the current run's layers at these nodes, the worst of several; none where it was not checked."""
    run = session.current
    errors = session.runs.layer_errors(run.id) if run is not None else None
    ids = list(nodes)
    rows: list[Row] = []
    for kind in ("introduced", "inherited"):
        values = sqnr_db(errors, kind)
        known = [values[node] for node in ids if node in values]
        if known:
            text = "exact" if min(known) >= 200.0 else told(min(known), "dB")
            rows.append(("" if rows else "error", Words(text, kind, tip=f"SQNR of the error {kind}; less is worse")))
    return rows
