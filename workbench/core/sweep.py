"""A sweep: one configuration over a grid of batch and other free dimensions, threads and streams."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.core.model import Shape
from workbench.core.run import RunError, RunRequest, Throughput


class Point(msgspec.Struct, frozen=True):
    """One place of the grid. `batch` is how many samples one inference takes; `threads` each of `streams` has."""

    dims: dict[str, int]
    threads: int
    shapes: dict[str, Shape]
    batch: int = 1
    streams: int = 1

    @property
    def words(self) -> str:
        """`batch 4, 2 threads, 2 streams`"""
        parts = [f"{name} {value}" for name, value in self.dims.items()]
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}" if self.threads else "all cores"
        return ", ".join([*parts, threads, *([f"{self.streams} streams"] if self.streams > 1 else [])])


class Swept(msgspec.Struct, frozen=True):
    """What was measured at a point, with all its streams at work: latency of one inference in ms, throughput.

    `reason` says why there is nothing; `seconds` is what the point took, building and all. `machine` is its state at
    that time: points of one sweep may be days apart.
    """

    point: Point
    median_ms: float = 0.0
    p95_ms: float = 0.0
    throughput: Throughput | None = None
    seconds: float = 0.0
    reason: str = ""
    is_noisy: bool = False
    machine: dict[str, str] = {}

    @property
    def samples_per_second(self) -> float:
        return self.point.batch * self.throughput.per_second if self.throughput is not None else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Of the samples a second."""
        found = self.throughput
        return (self.point.batch * found.low, self.point.batch * found.high) if found is not None else (0.0, 0.0)

    def cost_per_million(self, price_per_hour: float) -> float:
        """Of a million samples, in the currency of the price of the machine."""
        rate = self.samples_per_second
        return 1e6 * price_per_hour / 3600 / rate if rate else 0.0


class SweepRequest(msgspec.Struct, frozen=True, tag="sweep"):
    """`run` is what every point is measured as, but for its shapes, threads and streams. `folder` is the sweep's own.

    What was measured before under `key` is not measured again.
    """

    id: str
    folder: str
    key: str
    run: RunRequest
    points: tuple[Point, ...]


class Sweep(msgspec.Struct, frozen=True):
    """Points in the order they were measured, of all sweeps with this `key`."""

    id: str
    key: str = ""
    points: tuple[Swept, ...] = ()
    protocol: str = ""
    machine: dict[str, str] = {}
    error: RunError | None = None

    def of(self, point: Point) -> Swept | None:
        """What is known of a point, by its name there; in which grid it was measured does not matter, sizes do."""
        found = next((one for one in self.points if _place(one.point) == _place(point)), None)
        return msgspec.structs.replace(found, point=point) if found is not None else None


def _place(point: Point) -> tuple[dict[str, Shape], int, int]:
    return point.shapes, point.threads, point.streams


def best_within(swept: Sequence[Swept], limit_ms: float | None = None) -> Swept | None:
    """The most samples a second, of the points whose median latency is within the limit."""
    timed = [one for one in swept if one.throughput is not None and (limit_ms is None or one.median_ms <= limit_ms)]
    return max(timed, key=lambda one: one.samples_per_second, default=None)


def front(swept: Sequence[Swept]) -> list[Swept]:
    """The points that no other beats in latency and in throughput, the quickest first."""
    found: list[Swept] = []
    for one in sorted((one for one in swept if one.throughput), key=lambda s: (s.median_ms, -s.samples_per_second)):
        if not found or one.samples_per_second > found[-1].samples_per_second:
            found.append(one)
    return found
