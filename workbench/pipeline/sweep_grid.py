"""The grid of a sweep: its points, what was measured of them before, and how long the rest will take."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.core.profile import DimKind, FreeDim
from workbench.core.run import RunRequest, TimingConfig
from workbench.core.sweep import Point, Sweep
from workbench.measure.machine import cpu_model, logical_cores, physical_cores
from workbench.model.profiles import free_dims
from workbench.model.shapes import sized

MOST_POINTS = 200
THREADS, STREAMS = "threads", "streams"
BATCH = "batch"
"""Stands for the free first dimension of every input that has one, whatever the model calls it."""
OVERHEAD_S = 2.0
"""Of a point beside its timing, before any has been seen: reading, building, warm-up."""
SECONDS = 1.0
Axes = Mapping[str, Sequence[int]]


def usual_axes(model: Model) -> dict[str, str]:
    """Worth sweeping here, as text: the batch where it is free, threads and streams up to the physical cores."""
    cores = physical_cores()
    counts = ", ".join(str(1 << power) for power in range(cores.bit_length()))
    batch = {BATCH: "1, 2, 4, 8"} if _batch_dims(free_dims(model.inputs)) else {}
    others = {dim.name: "" for dim in free_dims(model.inputs) if not batch or dim.name not in _named(model, BATCH)}
    return {**batch, **others, THREADS: counts, STREAMS: counts}


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
        points.append(Point(chosen, count, taken, chosen.get(BATCH) or _batch(model, taken), number))
    return points


def _usual(model: Model, shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The size of every free dimension where nothing is swept."""
    found = {}
    for dim in free_dims(model.inputs):
        name, axis = dim.places[0]
        found[dim.name] = shapes[name][axis]
    return found


def _batch(model: Model, shapes: Mapping[str, Shape]) -> int:
    """Samples of one inference: the size of the free batch, wherever it stands (sequences may come first); else what
    all inputs and outputs are fixed to at their first axis; else 1."""
    for dim in free_dims(model.inputs):
        if dim.kind is DimKind.BATCH:
            name, axis = dim.places[0]
            return shapes[name][axis]
    firsts = {spec.shape[0] if spec.shape else 1 for spec in (*model.inputs, *model.outputs)}
    (only,) = firsts if len(firsts) == 1 else (1,)
    return only if isinstance(only, int) and only > 0 else 1


def _batch_dims(free: Sequence[FreeDim]) -> list[FreeDim]:
    """What `batch` stands for: the dimensions of that kind; else those at the first axis of an input."""
    batch = [dim for dim in free if dim.kind is DimKind.BATCH]
    return batch or [dim for dim in free if any(axis == 0 for _, axis in dim.places)]


def _named(model: Model, name: str) -> list[str]:
    """The free dimensions that `name` stands for: its own first, then as the batch."""
    free = free_dims(model.inputs)
    if any(dim.name == name for dim in free):
        return [name]
    if name == BATCH and (found := [dim.name for dim in _batch_dims(free)]):
        return found
    known = ", ".join(dim.name for dim in free) or "none"
    raise WorkbenchError(f"No input has a free dimension {name!r}.", f"Free dimensions of this model: {known}.")


def sweep_key(sha256: str, request: RunRequest, version: str) -> str:
    """Equal for one model, plan, options, recipe, backend version and processor, whatever the shapes, threads and
    streams."""
    config = msgspec.structs.replace(request.config, shapes={}, threads=0, streams=1)
    asked = (config, request.recipe, request.calibration, request.timing.seconds)
    parts = (sha256, *asked, version, cpu_model(), logical_cores())
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


def keep_sweep(found: Sweep) -> None:
    """Raises OSError where the disk refuses."""
    path = _path(found.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)


def _path(key: str) -> Path:
    return data_home() / "swept" / f"{key}.json"
