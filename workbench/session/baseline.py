"""Which run speed-ups are counted from, and the verdict on the current one in words."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.precision import Precision
from workbench.core.run import LatencyStats, RaceEntry, Run
from workbench.core.titles import Titles

BASELINE_LABEL = "baseline"


def stats_of(run: Run | None) -> LatencyStats | None:
    return run.timing.stats if run is not None and run.timing is not None else None


def baseline_of(runs: Sequence[Run]) -> Run | None:
    """The run labelled so; else the unfused source graph; else the oldest timed FP32 run; else the oldest timed one.

    Of the last two one that was imported, from another machine, only where no other is.
    """
    timed = sorted((run for run in reversed(runs) if stats_of(run) is not None), key=lambda run: bool(run.imported))
    wanted = (
        lambda run: run.label.strip().lower() == BASELINE_LABEL,
        lambda run: not run.config.optimize,
        lambda run: run.config.plan.default is Precision.FP32 and not run.config.plan.rules and not run.imported,
        lambda run: True,
    )
    for test in wanted:
        for run in timed:
            if test(run):
                return run
    return None


def timed_apart(one: Run, other: Run) -> str | None:
    """Why the medians of two runs do not say which engine is faster; None where they may."""
    if bool(one.imported) is not bool(other.imported):
        return "one was measured elsewhere, on a machine that may be another"
    streams = [run.timing.streams if run.timing is not None else 1 for run in (one, other)]
    if streams[0] != streams[1]:
        return f"one has its latency with {max(streams)} streams at work, the other with {min(streams)}"
    return None


def verdict(run: Run | None, baseline: Run | None, entry: RaceEntry | None, titles: Titles) -> str:
    """What the current run gained, in one sentence; empty where nothing can be said yet. `entry`: of their race."""
    own, base = stats_of(run), stats_of(baseline)
    if run is None or baseline is None or own is None or base is None or run.id == baseline.id:
        return ""
    if run.model_sha256 != baseline.model_sha256:
        return ""
    name, rival = titles.of(run), titles.of(baseline)
    if run.timing is not None and baseline.timing is not None and not run.timing.is_like(baseline.timing):
        return f"{name} and {rival} were timed with inputs of other shapes"
    if entry is not None:
        return (
            f"{name}: {entry.verdict} than {rival} (interleaved)"
            if entry.verdict.startswith(("faster", "slower"))
            else f"{name} and {rival}: {entry.verdict} (interleaved)"
        )
    if (apart := timed_apart(run, baseline)) is not None:
        return f"{name} and {rival}: {apart}"
    ratio = base.median_ms / own.median_ms
    if own.low_ms <= base.high_ms and base.low_ms <= own.high_ms:
        return f"{name} and {rival}: no difference seen; compare them to be sure"
    word, factor = ("faster", ratio) if ratio >= 1 else ("slower", 1 / ratio)
    by = f"{factor:.1f}×" if factor >= 1.1 else f"{100 * (factor - 1):.1f} %"
    return f"{name} is {by} {word} than {rival}, timed one after the other"
