"""Ceilings: what a machine can do at most, in bytes and in operations a second. The roof of a roofline."""

from __future__ import annotations

import msgspec

from workbench.core.precision import Precision
from workbench.core.run import RunError

_INSTEAD = {
    Precision.TF32: Precision.FP32,
    Precision.BF16: Precision.FP32,
    Precision.FP16: Precision.FP32,
    Precision.FP8: Precision.FP16,
    Precision.INT8: Precision.FP32,
    Precision.INT8_WEIGHTS: Precision.FP32,
    Precision.INT4_WEIGHTS: Precision.FP32,
    Precision.FP4_WEIGHTS: Precision.FP16,
}
"""Where a machine has no arithmetic of its own for a precision: weight-only formats are computed in float."""

BUSY = 1.0  # load average of a machine that does something else too


class Bandwidth(msgspec.Struct, frozen=True):
    """Bytes a second that kernels move which touch `working_set` bytes in all; 0: of any size, from memory."""

    bytes_per_s: float
    working_set: int = 0


class Ceilings(msgspec.Struct, frozen=True):
    """Of one machine with `threads` threads (0: a GPU). `flops` are operations a second by precision, a multiply-add
    as two.

    `bandwidths` go from small working sets, which caches hold, to the largest, which is memory's. `is_estimate`: from
    a datasheet, not measured. `source` says how it was found, or where it is written.
    """

    title: str
    threads: int
    bandwidths: tuple[Bandwidth, ...]
    flops: dict[Precision, float]
    source: str = ""
    is_estimate: bool = False
    measured: str = ""  # ISO 8601, UTC
    load: float = 0.0  # of the machine just before
    machine: str = ""  # what it holds for: processor and cores

    @property
    def warning(self) -> str:
        """Why the figures may be too low; empty where nothing is known against them."""
        if not self.is_estimate and self.load > BUSY:
            return f"The machine was busy when its ceilings were measured (load {self.load:.1f}): measure them again."
        return ""

    @property
    def memory(self) -> float:
        """Bytes a second from memory."""
        return self.bandwidths[-1].bytes_per_s

    @property
    def cache(self) -> float:
        """Bytes a second at best, of a working set that caches hold."""
        return max(one.bytes_per_s for one in self.bandwidths)

    def bandwidth(self, size_bytes: int) -> float:
        """Bytes a second for a layer that touches so many: of the smallest working set measured that holds it.

        What a layer reads was mostly written just before: where all of it fits a cache, memory is not its roof.
        """
        held = (one for one in self.bandwidths if one.working_set == 0 or size_bytes <= one.working_set)
        return next(held, self.bandwidths[-1]).bytes_per_s

    def peak(self, precision: Precision | None) -> float:
        """Operations a second in `precision`, or in what stands in for it here; 0 where nothing is known."""
        wanted: Precision | None = precision or Precision.FP32
        while wanted is not None and wanted not in self.flops:
            wanted = _INSTEAD.get(wanted)
        return self.flops[wanted] if wanted is not None else 0.0


class CeilingsRequest(msgspec.Struct, frozen=True, tag="ceilings"):
    """Measures the ceilings of this machine, once for each of `threads` (0: all physical cores)."""

    id: str
    folder: str
    threads: tuple[int, ...] = (1, 0)


class MeasuredCeilings(msgspec.Struct, frozen=True):
    """`ceilings.json` in the job's folder: one for each count of threads."""

    id: str
    ceilings: tuple[Ceilings, ...] = ()
    error: RunError | None = None
