"""The conditions of a number: how it was measured, on what, with which versions. They stand next to it everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.run import Run
from workbench.session.baseline import run_title, stats_of
from workbench.session.races import Raced

MACHINE = ("cpu", "gpu", "device", "cores", "governor", "clock", "load", "memory", "system")
_PAUSED = "drawing: paused while the reported phase ran"
_DRAWN = "drawing: 10 Hz, progress only; rounds are interleaved, so that it meets all engines alike"


def timing_conditions(run: Run) -> list[str]:
    """Of the run's own median, a line each; empty where it has none."""
    stats, timing = stats_of(run), run.timing
    if stats is None or timing is None:
        return []
    noise = f"{'noisy' if stats.is_noisy else 'steady'}: latency varies by {stats.cov_percent:.1f} % (CoV)"
    threads = f"threads: {_threads(run)}"
    versions = run.build.versions if run.build is not None else {}
    lines = [f"protocol: {timing.protocol}", noise, threads, _PAUSED, *machine_lines(timing.machine, versions)]
    return [*lines, *(f"warning: {text}" for text in timing.warnings)]


def race_conditions(raced: Raced) -> list[str]:
    """Of a speed-up that was timed interleaved, a line each."""
    race = raced.race
    return [f"protocol: {race.protocol}", _DRAWN, *machine_lines(race.machine, {})]


def machine_lines(machine: Mapping[str, str], versions: Mapping[str, str]) -> list[str]:
    """What is known of the machine, then versions: those of the engine, else all packages."""
    lines = [f"{key}: {machine[key]}" for key in MACHINE if machine.get(key)]
    packages = versions or {key: value for key, value in machine.items() if key not in MACHINE}
    return [*lines, "versions: " + ", ".join(f"{name} {version}" for name, version in packages.items())]


def conditions_text(run: Run, baseline: Run | None, raced: Raced | None) -> str:
    """All of it, to be read and copied."""
    parts = []
    if own := timing_conditions(run):
        stats = stats_of(run)
        median = (
            f"{stats.median_ms:.4g} ms, 95 % interval {stats.low_ms:.4g} to {stats.high_ms:.4g} ms" if stats else ""
        )
        parts.append([f"{run_title(run)}: median {median}", *own])
    if raced is not None and baseline is not None and raced.entry.run != baseline.id:
        entry = raced.entry
        head = f"Against {run_title(baseline)}: {entry.verdict}, {entry.speedup:.3f}×"
        interval = f"95 % interval {entry.low:.3f}× to {entry.high:.3f}×"
        parts.append([f"{head}, {interval}", f"rounds: {raced.race.rounds}", *race_conditions(raced)])
    if not parts:
        reason = run.timing.reason if run.timing is not None else ""
        parts.append([f"{run_title(run)} was not timed. {reason}".strip()])
    return "\n\n".join("\n".join(part) for part in parts)


def _threads(run: Run) -> str:
    return str(run.config.threads) if run.config.threads else "all physical cores"
