"""The conditions of a number: how it was measured, on what, with which versions. They stand next to it everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.run import LatencyStats, Race, Run
from workbench.core.sweep import Swept
from workbench.core.words import plural, shapes_words

MACHINE = (
    "cpu",
    "gpu",
    "device",
    "cores",
    "affinity",
    "quota",
    "governor",
    "clock",
    "temperature",
    "load",
    "memory",
    "system",
)
_PAUSED = "drawing: paused while the reported phase ran"
_DRAWN = "drawing: progress only; rounds are interleaved, so that it meets all engines alike"


def timing_conditions(run: Run) -> list[str]:
    """Of the run's own median, a line each; empty where it has none."""
    timing = run.timing
    if timing is None or timing.stats is None:
        return []
    versions = run.build.versions if run.build is not None else {}
    machine = machine_lines(timing.machine, versions)
    warnings = [f"warning: {text}" for text in timing.warnings]
    return [
        f"protocol: {timing.protocol}",
        noise_words(timing.stats),
        *([f"inputs: {shapes_words(timing.shapes)}"] if timing.shapes else []),
        *([] if run.imported else [f"threads: {_threads(run)}", *_load_lines(run), _PAUSED]),
        *machine,
        *warnings,
    ]


def noise_words(stats: LatencyStats) -> str:
    """`noisy: latency varies by 8.1 % (CoV)`; of few inferences that nobody knows."""
    if not stats.is_sure:
        return f"{plural(stats.iterations, 'inference')}: {stats.noise} how latency varies"
    return f"{stats.noise}: latency varies by {stats.cov_percent:.1f} % (CoV)"


def race_conditions(race: Race) -> list[str]:
    """Of speed-ups that were timed interleaved, a line each."""
    return interleaved_conditions(race.protocol, race.machine)


def interleaved_conditions(protocol: str, machine: Mapping[str, str]) -> list[str]:
    """Of what a race, a search for options, or changes of shape have measured, a line each."""
    return [f"protocol: {protocol}", _DRAWN, *machine_lines(machine, {})]


def sweep_conditions(protocol: str, one: Swept) -> list[str]:
    """Of one point of a sweep, a line each."""
    return [f"protocol: {protocol}", f"inputs: {shapes_words(one.point.shapes)}", *machine_lines(one.machine, {})]


def machine_line(machine: Mapping[str, str]) -> str:
    """What matters most of it in one line: `AMD EPYC, 2 physical, 4 logical, governor performance, load 0.21`."""
    named = ("quota", "governor", "clock", "temperature", "load")
    parts = [machine.get(key, "") for key in ("gpu", "cpu", "device", "cores")]
    return ", ".join([*filter(None, parts), *(f"{key} {machine[key]}" for key in named if machine.get(key))])


def machine_lines(machine: Mapping[str, str], versions: Mapping[str, str]) -> list[str]:
    """What is known of the machine, then versions: those of the engine, else all packages."""
    lines = [f"{key}: {machine[key]}" for key in MACHINE if machine.get(key)]
    packages = {key: value for key, value in (versions or machine).items() if key not in MACHINE}
    named = ", ".join(f"{name} {version}" for name, version in packages.items())
    return [*lines, *([f"versions: {named}"] if named else [])]


def _load_lines(run: Run) -> list[str]:
    """Where several streams were at work: the latency is that under load."""
    found = run.timing.throughput if run.timing is not None else None
    if found is None:
        return []
    rate = f"{found.per_second:.1f} inferences/s, 95 % interval {found.low:.1f} to {found.high:.1f}"
    return [f"streams: {found.streams}, all at work; {rate}"]


def _threads(run: Run) -> str:
    found = run.build.tuned.get("threads") if run.build is not None else None
    if found:
        return f"{found}, tuned"
    return str(run.config.threads) if run.config.threads else "all physical cores"
