"""Re-planning: what it costs an engine with free shapes when the shape of its inputs changes."""

from __future__ import annotations

import msgspec

from workbench.core.model import Shape
from workbench.core.run import RunError, RunRequest


class ReplanRequest(msgspec.Struct, frozen=True, tag="replan"):
    """A run whose engine is built with free shapes and given `shapes` in turn, in one child process.

    `folder` is the job's own.
    """

    id: str
    folder: str
    run: RunRequest
    shapes: tuple[dict[str, Shape], ...]
    seconds: float = 20.0  # at most


class ShapeChange(msgspec.Struct, frozen=True):
    """One shape. `never_seen_ms`: its very first inference. `change_ms`: the first after another shape, seen before;
    `steady_ms`: those that follow. `extra_ms` is the paired difference of the two with its 95 % interval.

    `fixed_ms` is the steady time of an engine built for this shape alone, in the same turns; None where it was not
    built.
    """

    shapes: dict[str, Shape]
    never_seen_ms: float
    change_ms: float
    steady_ms: float
    extra_ms: float
    low_ms: float
    high_ms: float
    fixed_ms: float | None = None

    @property
    def is_different(self) -> bool:
        """The interval of the extra leaves 0 out."""
        return self.low_ms > 0 or self.high_ms < 0


class Replanned(msgspec.Struct, frozen=True):
    """`replanned.json`. `rounds` changes to each shape were measured."""

    id: str
    run: str = ""
    changes: tuple[ShapeChange, ...] = ()
    rounds: int = 0
    protocol: str = ""
    machine: dict[str, str] = {}
    error: RunError | None = None
