"""How much memory an engine needs for its activations, as the largest shape of its profile grows."""

from __future__ import annotations

import msgspec

from workbench.core.profile import Range
from workbench.core.run import RunError, RunRequest

MOST_POINTS = 6


class ProfileMemoryRequest(msgspec.Struct, frozen=True, tag="profile_memory"):
    """Builds the engine of `run` in a process of its own, `dim` going up to `most`. `folder` is the job's own."""

    id: str
    folder: str
    run: RunRequest
    dim: str
    most: int


class ProfileMemory(msgspec.Struct, frozen=True):
    """One build: its named bytes, those of the engine file, and what took how long.

    `estimate_bytes` is the most that the source graph holds alive at once in the largest shapes, by liveness.
    """

    id: str
    dim: str = ""
    most: int = 0
    activations_bytes: int = 0
    weights_bytes: int = 0
    size_bytes: int = 0
    seconds: float = 0.0
    estimate_bytes: int = 0
    error: RunError | None = None


def points(span: Range, step: int = 1, most: int = MOST_POINTS) -> tuple[int, ...]:
    """Values to build for, from the smallest to the largest of a range, each about so many times the one before.

    They are multiples of `step`, but for the ends.
    """
    low, high = span[0], span[2]
    found = {low, high}
    for place in range(1, most - 1):
        value = low * (high / low) ** (place / (most - 1))
        found.add(min(max(round(value / step) * step, low), high))
    return tuple(sorted(found))
