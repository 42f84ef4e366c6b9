"""sweep: one configuration over a grid of free dimensions, threads and streams; what throughput costs in latency."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.core.profile import DimKind
from workbench.core.run import Run, RunRequest, Status, Timing, TimingConfig
from workbench.core.sweep import Point, Sweep, SweepRequest, Swept
from workbench.measure.machine import cpu_model, logical_cores, machine_state
from workbench.model.profiles import free_dims
from workbench.model.shapes import sized
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import SWEEP_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.running import run
from workbench.pipeline.samples import NONE
from workbench.pipeline.telling import JobTeller

MOST_POINTS = 200
BATCH = "batch"
"""Stands for the free first dimension of every input that has one, whatever the model calls it."""
OVERHEAD_S = 2.0
"""Of a point beside its timing, before any has been seen: reading, building, warm-up."""
SECONDS = 1.0
Axes = Mapping[str, Sequence[int]]


def grid(
    model: Model, shapes: Mapping[str, Shape], dims: Axes, threads: Sequence[int] = (), streams: Sequence[int] = ()
) -> list[Point]:
    """Every combination, in the order given. `shapes` are those without a sweep.

    A key of `dims` is the name of a free dimension, or `batch`. Raises WorkbenchError for a dimension that is not free,
    and for more than 200 points.
    """
    names = {name: _named(model, name) for name in dims}
    combinations = list(itertools.product(*dims.values(), threads or (0,), streams or (1,)))
    if len(combinations) > MOST_POINTS:
        raise WorkbenchError(
            f"This grid has {len(combinations)} points; {MOST_POINTS} are the most.", "Name fewer values."
        )
    usual = _usual(model, shapes)
    points = []
    for *values, count, number in combinations:
        chosen = dict(zip(dims, values, strict=True))
        sizes = usual | {dim: value for name, value in chosen.items() for dim in names[name]}
        taken = {**shapes, **sized(model.inputs, sizes)}
        points.append(Point(chosen, count, taken, _batch(model, taken), number))
    return points


def _usual(model: Model, shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The size of every free dimension where nothing is swept."""
    found = {}
    for dim in free_dims(model.inputs):
        name, axis = dim.places[0]
        found[dim.name] = shapes[name][axis]
    return found


def _batch(model: Model, shapes: Mapping[str, Shape]) -> int:
    """Samples of one inference: the size of the batch; 1 where the model has none that is free."""
    places = [place for dim in free_dims(model.inputs) for place in dim.places if place[1] == 0]
    return shapes[places[0][0]][0] if places else 1


def _named(model: Model, name: str) -> list[str]:
    """The free dimensions that `name` stands for: its own first, then as the batch."""
    free = free_dims(model.inputs)
    if any(dim.name == name for dim in free):
        return [name]
    if name == BATCH:
        batch = [dim for dim in free if dim.kind is DimKind.BATCH]
        firsts = [dim for dim in free if any(axis == 0 for _, axis in dim.places)]
        if found := [dim.name for dim in batch or firsts]:
            return found
    known = ", ".join(dim.name for dim in free) or "none"
    raise WorkbenchError(f"No input has a free dimension {name!r}.", f"Free dimensions of this model: {known}.")


def sweep_key(sha256: str, request: RunRequest, version: str) -> str:
    """Equal for one model, plan, options, backend version and processor, whatever the shapes, threads and streams."""
    config = msgspec.structs.replace(request.config, shapes={}, threads=0, streams=1)
    parts = (sha256, config, request.calibration, request.timing.seconds, version, cpu_model(), logical_cores())
    return hashlib.sha256(encode(parts)).hexdigest()[:32]


def kept_sweep(key: str) -> Sweep:
    """What earlier sweeps have measured; empty where nothing is known, or its file cannot be read."""
    path = _path(key)
    try:
        return read_json(path, Sweep) if path.is_file() else Sweep("", key)
    except WorkbenchError:
        return Sweep("", key)


def seconds_for(points: Sequence[Point], known: Sweep, timing: TimingConfig) -> float:
    """How long those of `points` that are not known yet will take, after what the known ones took."""
    spent = [one.seconds for one in known.points if one.throughput is not None]
    each = sum(spent) / len(spent) if spent else timing.seconds + timing.warmup_ms / 1000 + OVERHEAD_S
    return each * sum(known.of(point) is None for point in points)


def sweep_timing(seconds: float = SECONDS) -> TimingConfig:
    """Shorter than a run's, without layers: a grid has many points, and the one that is chosen is built and timed."""
    return TimingConfig(seconds=seconds, live_seconds=0.0, loaded=True, layers=False)


def sweep(request: SweepRequest, emit: Emit, cancelled: Callable[[], bool]) -> Sweep:
    """Builds and measures every point that is not known yet, one alive at a time, all streams at work.

    Each is on disk as soon as it is there: a sweep that was ended in whatever way goes on where it was. A point that
    cannot be built or run stands with its reason, and the next is tried again at another sweep. Never raises for what
    the user can cause: then `error` says why.
    """

    def failed_with(error: object) -> Sweep:
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
        _keep(kept)
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
    return Swept(point, stats.median_ms, stats.p95_ms, timing.throughput, seconds, is_noisy=stats.is_noisy)


def _protocol(timing: TimingConfig) -> str:
    return (
        f"each point built anew, warm-up >= {timing.warmup_ms:g} ms, then all streams at work for >= {timing.seconds:g}"
        f" s and {timing.min_iterations} inferences each; throughput with its 95 % interval by bootstrap"
    )


def _keep(found: Sweep) -> None:
    path = _path(found.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)


def _path(key: str) -> Path:
    return data_home() / "swept" / f"{key}.json"
