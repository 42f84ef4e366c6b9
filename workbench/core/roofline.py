"""Roofline: what each layer attains, under the roof of the machine (Williams, Waterman, Patterson, CACM 52(4), 2009).

A layer that does `flops` operations on `size_bytes` of memory takes at least
`max(flops / peak, size_bytes / bandwidth)`. Which of the two is larger says what bounds it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.ceilings import Ceilings
from workbench.core.precision import Precision


class Bound(StrEnum):
    """What the roof says a layer cannot be faster than."""

    MEMORY = "memory bound"
    COMPUTE = "compute bound"
    UNKNOWN = "not known"


class LayerWork(msgspec.Struct, frozen=True):
    """What a layer does once, with the shapes of its run. None where a shape that is needed is not known.

    `flops` are those of the nodes fused into it; `bytes_read` and `bytes_written` are activations that enter and leave
    it, `bytes_weights` its weights as they are stored. `precision` is what it computes in.
    """

    flops: float | None = None
    bytes_read: int | None = None
    bytes_written: int | None = None
    bytes_weights: int = 0
    precision: Precision | None = None

    @property
    def size_bytes(self) -> int | None:
        """All that enters and leaves."""
        if self.bytes_read is None or self.bytes_written is None:
            return None
        return self.bytes_read + self.bytes_written + self.bytes_weights

    @property
    def intensity(self) -> float | None:
        """Operations a byte."""
        size = self.size_bytes
        return self.flops / size if self.flops is not None and size else None


class LayerPoint(msgspec.Struct, frozen=True):
    """A layer under the roof. `ms` is measured, None where nothing was; `roof_ms` the least it could take."""

    layer: str
    name: str
    work: LayerWork
    ms: float | None = None
    roof_ms: float | None = None
    bound: Bound = Bound.UNKNOWN

    @property
    def share(self) -> float | None:
        """Attained share of the roof, 0..1 (and above, where a cache did better than was measured)."""
        return self.roof_ms / self.ms if self.ms and self.roof_ms is not None else None

    @property
    def time_ms(self) -> float | None:
        """Measured, else the ESTIMATE of the roof."""
        return self.ms if self.ms is not None else self.roof_ms

    @property
    def flops_per_s(self) -> float | None:
        """Attained; where nothing was measured, what the roof allows."""
        return 1e3 * self.work.flops / self.time_ms if self.work.flops is not None and self.time_ms else None

    @property
    def bytes_per_s(self) -> float | None:
        size = self.work.size_bytes
        return 1e3 * size / self.time_ms if size is not None and self.time_ms else None


class Roofline(msgspec.Struct, frozen=True):
    """All layers of an engine that run a kernel, in execution order. `is_timed` False: every time is an ESTIMATE."""

    ceilings: Ceilings
    points: tuple[LayerPoint, ...] = ()

    @property
    def is_timed(self) -> bool:
        return any(point.ms is not None for point in self.points)

    @property
    def known(self) -> tuple[LayerPoint, ...]:
        """Points with a roof and, where the engine was timed, with a time."""
        return tuple(p for p in self.points if p.roof_ms is not None and (p.ms or not self.is_timed))

    @property
    def total_ms(self) -> float:
        return sum(point.time_ms or 0.0 for point in self.points)

    @property
    def roof_ms(self) -> float:
        """Were every layer at its roof."""
        return sum(point.roof_ms or 0.0 for point in self.points)

    @property
    def share(self) -> float | None:
        """Of the whole, attained: the roofs of the layers that were timed over their times."""
        spent = sum(point.ms or 0.0 for point in self.known)
        return sum(point.roof_ms or 0.0 for point in self.known) / spent if self.is_timed and spent else None

    def time_share(self, bound: Bound) -> float:
        """Share of the time that layers of this bound take, 0..1."""
        total = sum(point.time_ms or 0.0 for point in self.known)
        return sum(point.time_ms or 0.0 for point in self.known if point.bound is bound) / total if total else 0.0

    @property
    def bound(self) -> Bound:
        """What bounds most of the time."""
        if not self.known:
            return Bound.UNKNOWN
        return max((Bound.MEMORY, Bound.COMPUTE), key=self.time_share)
