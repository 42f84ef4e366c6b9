"""sweep: one configuration over a grid of free dimensions, threads and streams; what throughput costs in latency."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.core.errors import Cancelled
from workbench.core.run import Run, RunError, Status, Timing, TimingConfig
from workbench.core.sweep import Point, Sweep, SweepRequest, Swept
from workbench.measure.machine import machine_state
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import SWEEP_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.running import run
from workbench.pipeline.samples import NONE
from workbench.pipeline.sweep_grid import keep_sweep, kept_sweep, seconds_for
from workbench.pipeline.telling import JobTeller


def sweep(request: SweepRequest, emit: Emit, cancelled: Callable[[], bool]) -> Sweep:
    """Builds and measures every point that is not known yet, one alive at a time, all streams at work.

    Each is on disk as soon as it is there: a sweep that was ended in whatever way goes on where it was. A point that
    cannot be built or run stands with its reason, and the next is tried again at another sweep. Never raises for what
    the user can cause: then `error` says why.
    """

    def failed_with(error: RunError) -> Sweep:
        return msgspec.structs.replace(kept_sweep(request.key), id=request.id, error=error)

    return carried_out(request, SWEEP_FILE, emit, lambda at: _sweep(request, at, emit, cancelled), failed_with)


def _sweep(request: SweepRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> Sweep:
    kept = kept_sweep(request.key)
    kept = msgspec.structs.replace(
        kept,
        id=request.id,
        machine=machine_state(),
        points=tuple(one for one in kept.points if one.throughput is not None),
        protocol=_protocol(request.run.timing),
    )
    teller, total = JobTeller(request.id, emit, cancelled), len(request.points)
    for done, point in enumerate(request.points):
        if kept.of(point) is not None:
            continue
        left = seconds_for(request.points[done:], kept, request.run.timing)
        teller.progress("time", done, total, f"{point.words}; about {max(left, 1):.0f} s left")
        measured = _measured(request, point, folder / "point", cancelled)
        kept = msgspec.structs.replace(kept, points=(*kept.points, measured))
        keep_sweep(kept)
    teller.progress("time", total, total)
    return kept


def _measured(request: SweepRequest, point: Point, folder: Path, cancelled: Callable[[], bool]) -> Swept:
    """The same path as every run's, in a folder that is not kept. Raises Cancelled."""
    start = perf_counter()
    base = request.run.config
    config = msgspec.structs.replace(base, shapes=point.shapes, threads=point.threads, streams=point.streams)
    one = msgspec.structs.replace(request.run, id=request.id, folder=str(folder), config=config, evaluation=NONE)
    try:
        found = run(one, lambda event: None, cancelled)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if found.status is Status.CANCELLED:
        raise Cancelled
    return _swept(point, found, perf_counter() - start)


def _swept(point: Point, found: Run, seconds: float) -> Swept:
    timing = found.timing or Timing()
    if timing.stats is None or timing.throughput is None:
        reason = found.error.message if found.error is not None else timing.reason or "It was not timed."
        return Swept(point, seconds=seconds, reason=reason)
    stats = timing.stats
    return Swept(
        point,
        stats.median_ms,
        stats.p95_ms,
        timing.throughput,
        seconds,
        is_noisy=stats.is_noisy,
        machine=timing.machine,
    )


def _protocol(timing: TimingConfig) -> str:
    return (
        f"each point built anew, warm-up >= {timing.warmup_ms:g} ms, then all streams at work for >= {timing.seconds:g}"
        f" s and {timing.min_iterations} inferences each; throughput with its 95 % interval by bootstrap"
    )
