"""How the numbers of a run were measured, as one text to read and copy."""

from __future__ import annotations

from workbench.core.run import Run
from workbench.core.titles import Titles
from workbench.pipeline.conditions import race_conditions, timing_conditions
from workbench.session.baseline import stats_of
from workbench.session.races import Raced


def conditions_text(run: Run, baseline: Run | None, raced: Raced | None, titles: Titles) -> str:
    """Of its own median, and of its race with the baseline where there was one."""
    parts = []
    if (stats := stats_of(run)) is not None:
        interval = f"95 % interval {stats.low_ms:.4g} to {stats.high_ms:.4g} ms"
        parts.append([f"{titles.of(run)}: median {stats.median_ms:.4g} ms, {interval}", *timing_conditions(run)])
    if raced is not None and baseline is not None and raced.entry.run != baseline.id:
        entry = raced.entry
        head = f"Against {titles.of(baseline)}: {entry.verdict}, {entry.speedup:.3f}×"
        interval = f"95 % interval {entry.low:.3f}× to {entry.high:.3f}×"
        parts.append([f"{head}, {interval}", f"rounds: {raced.race.rounds}", *race_conditions(raced.race)])
    if not parts:
        reason = run.timing.reason if run.timing is not None else ""
        parts.append([f"{titles.of(run)} was not timed. {reason}".strip()])
    return "\n\n".join("\n".join(part) for part in parts)
