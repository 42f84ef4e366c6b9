"""The ledger and the alignment in words: one sentence each, and tables of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.core.alignment import AlignedGroup, Alignment, Change
from workbench.core.errors import one_line
from workbench.core.ledger import Ledger, LedgerRow, PatternRow
from workbench.pipeline.table import aligned, size_text

ESTIMATE = "ESTIMATE"
SHOWN = 40  # characters of a pattern


def ledger_summary(ledger: Ledger) -> str:
    """`860 nodes → 312 layers; 214 fused, 51 folded; 12 reformat layers added; 38.0 MiB saved ESTIMATE`."""
    fates = ", ".join(f"{count} {fate}" for fate, count in ledger.fates.items())
    parts = [f"{_count(ledger.nodes, 'node')} → {_count(ledger.layers, 'layer')}", fates]
    if ledger.added:
        parts.append(f"{_count(ledger.added, 'reformat layer')} added")
    if ledger.saved_bytes:
        least = "at least " if ledger.unsized else ""
        parts.append(f"{least}{size_text(ledger.saved_bytes)} saved {ESTIMATE}")
    return "; ".join(part for part in parts if part)


def ledger_table(ledger: Ledger) -> str:
    """The patterns, then the layers in execution order."""
    rows: list[tuple[str, ...]] = [("count", "pattern", "nodes", "time", "share", "saved")]
    rows += [_pattern(row) for row in ledger.patterns]
    lines: list[tuple[str, ...]] = [
        ("layer", "pattern", "nodes", "kind", "ran in", "time", "share", "saved", "kernel", "why fusion ends behind it")
    ]
    lines += [_row(row) for row in ledger.rows]
    return f"{ledger_summary(ledger)}\n\n{aligned(rows, {1})}\n{aligned(lines, {0, 1, 3, 4, 8, 9})}"


def alignment_summary(alignment: Alignment) -> str:
    """`83 groups: 69 same, 2 split, 8 only in B; precision changed in 51, kernel in 3; 15.4 ms → 6.9 ms`."""
    groups = alignment.groups
    kinds = Counter(group.change for group in groups)
    said = ", ".join(f"{kinds[change]} {change.value}" for change in Change if kinds[change])
    parts = [f"{_count(len(groups), 'group')}: {said}" if groups else "no layers"]
    if precisions := sum(group.is_precision_changed for group in groups):
        parts.append(f"precision changed in {precisions}")
    if kernels := sum(group.is_tactic_changed for group in groups):
        parts.append(f"kernel in {kernels}")
    if alignment.total_a_ms is not None and alignment.total_b_ms is not None:
        parts.append(f"layers {alignment.total_a_ms:.3f} ms → {alignment.total_b_ms:.3f} ms")
    return "; ".join(parts)


def alignment_table(alignment: Alignment, a: str, b: str) -> str:
    """Groups by the size of the time difference, where both engines were timed; `a`, `b`: what to call the engines."""
    is_timed = alignment.total_a_ms is not None or alignment.total_b_ms is not None
    head = ("layers A → B", *(("time A", "time B", "B − A") if is_timed else ()), "what", "change")
    rows: list[tuple[str, ...]] = [head]
    rows += [_group(group, is_timed) for group in by_difference(alignment.groups)]
    left = {len(head) - 2, len(head) - 1}
    return f"A  {one_line(a)}\nB  {one_line(b)}\n{alignment_summary(alignment)}\n\n{aligned(rows, left)}"


def by_difference(groups: Sequence[AlignedGroup]) -> list[AlignedGroup]:
    """The largest time difference first, whichever way; without times in execution order."""
    return sorted(groups, key=lambda group: -abs(group.difference_ms or 0.0))


def _pattern(row: PatternRow) -> tuple[str, ...]:
    return (
        str(row.count),
        one_line(row.pattern, 2 * SHOWN),
        str(row.nodes),
        _ms(row.ms),
        _percent(row.share),
        _size(row.saved_bytes),
    )


def _row(row: LedgerRow) -> tuple[str, ...]:
    nodes = f"{'' if row.is_exact else '~'}{len(row.sources)}"
    return (
        row.layer,
        one_line(row.pattern, SHOWN),
        nodes,
        f"{row.kind.value}{', added' if row.is_added else ''}",
        row.precision.label if row.precision else "",
        _ms(row.ms),
        _percent(row.share),
        _size(row.saved_bytes),
        one_line(row.tactic, SHOWN),
        one_line(row.does or row.why, 2 * SHOWN),
    )


def _group(group: AlignedGroup, is_timed: bool) -> tuple[str, ...]:
    difference = group.difference_ms
    sign = "" if difference is None else f"{difference:+.4f}".replace("-", "−")
    times = (_ms(group.ms_a), _ms(group.ms_b), sign) if is_timed else ()
    return f"{len(group.a)} → {len(group.b)}", *times, one_line(group.title, SHOWN), one_line(group.words, 3 * SHOWN)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _size(value: int) -> str:
    return size_text(value) if value else ""


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
