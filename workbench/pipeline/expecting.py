"""How long a build is likely to take, from earlier ones of the same backend; and when one was made, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median

import msgspec

from workbench.core.model import Model
from workbench.core.run import Build, BuildConfig, Reuse, Run

LIKE = 1.5
"""Models are alike whose counts of nodes differ by no more than this factor."""
COUNTED = 8


class Expected(msgspec.Struct, frozen=True):
    """Median `seconds` of `builds` earlier ones; `kind` says of what: the same build, the same model, models alike."""

    seconds: float
    builds: int
    kind: str

    @property
    def words(self) -> str:
        """`about 12 s, from 3 earlier builds of this model`"""
        builds = "build" if self.builds == 1 else "builds"
        return f"about {duration_words(self.seconds)}, from {self.builds} earlier {builds} {self.kind}"


def expected_build(runs: Iterable[Run], model: Model, config: BuildConfig) -> Expected | None:
    """ESTIMATE of the seconds of a build (not of calibrating, timing or checking). None without a build alike.

    `runs` are the history, newest first; engines that were found instead of built do not count.
    """
    built = [(run, run.build) for run in runs if run.build is not None and run.build.reused is None]
    ours = [(run, build) for run, build in built if _is_comparable(run, build, config)]
    own = [(run, build) for run, build in ours if run.model_sha256 == model.sha256]
    same = [build for run, build in own if run.config.plan == config.plan and run.config.target == config.target]
    alike = [build for _, build in ours if _is_alike(build.source_nodes, model.all_nodes)]
    kinds: tuple[tuple[str, Sequence[Build]], ...] = (
        ("of the same", same),
        ("of this model", [build for _, build in own]),
        ("of models with about as many nodes", alike),
    )
    for kind, builds in kinds:
        if seconds := [build.phases["build"] for build in builds[:COUNTED]]:
            return Expected(median(seconds), len(seconds), kind)
    return None


def duration_words(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`"""
    if seconds < 2:
        return f"{max(seconds, 0.1):.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def reuse_words(reused: Reuse, now: datetime | None = None) -> str:
    """`built 2 h ago in 12 s, reused`"""
    return f"built {_ago(reused.built, now or datetime.now(UTC))} in {duration_words(reused.seconds)}, reused"


def _ago(when: str, now: datetime) -> str:
    try:
        minutes = (now - datetime.fromisoformat(when)).total_seconds() / 60
    except (ValueError, TypeError):
        return "before"
    for unit, length in (("day", 24 * 60.0), ("h", 60.0), ("min", 1.0)):
        if minutes >= length:
            count = int(minutes / length)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''} ago"
    return "just now"


def _is_comparable(run: Run, build: Build, config: BuildConfig) -> bool:
    return run.config.backend == config.backend and run.config.optimize == config.optimize and "build" in build.phases


def _is_alike(nodes: int, others: int) -> bool:
    return 0 < nodes <= LIKE * others and others <= LIKE * nodes
