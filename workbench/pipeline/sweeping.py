"""sweep: one configuration over a grid of free dimensions and threads; what throughput costs in latency."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import msgspec

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.run import Run, RunRequest, Status
from workbench.pipeline.comparing import NewFolder

MOST_POINTS = 200
BATCH = "batch"
"""Stands for the free first dimension of every input that has one, whatever the model calls it."""
OVERHEAD_S = 2.5
"""Of a run beside its timing, before any has been seen: process, build, warm-up, layers."""


class Point(msgspec.Struct, frozen=True):
    """One place of the grid. `batch` is how many samples one inference takes."""

    dims: dict[str, int]
    threads: int
    shapes: dict[str, Shape]
    batch: int = 1


class Swept(msgspec.Struct, frozen=True):
    """A point and its run. `is_known` is True where an earlier run of the same was found and not repeated."""

    point: Point
    run: Run
    is_known: bool = False

    @property
    def median_ms(self) -> float | None:
        timing = self.run.timing
        return timing.stats.median_ms if timing is not None and timing.stats is not None else None

    @property
    def samples_per_second(self) -> float | None:
        """Synchronous: one inference after another, `batch` samples each."""
        return None if self.median_ms is None else 1000 * self.point.batch / self.median_ms


def grid(
    model: Model, shapes: Mapping[str, Shape], dims: Mapping[str, Sequence[int]], threads: Sequence[int]
) -> list[Point]:
    """Every combination, in the order given. `shapes` are those without a sweep.

    A key of `dims` is the name of a free dimension, or `batch`. Raises WorkbenchError for a dimension that is not free,
    and for more than 200 points.
    """
    for name in dims:
        _axes(model, name)
    combinations = list(itertools.product(*dims.values(), threads or (0,)))
    if len(combinations) > MOST_POINTS:
        raise WorkbenchError(
            f"This grid has {len(combinations)} points; {MOST_POINTS} are the most.", "Name fewer values."
        )
    points = []
    for *values, count in combinations:
        chosen = dict(zip(dims, values, strict=True))
        points.append(_point(model, shapes, chosen, count))
    return points


def _point(model: Model, shapes: Mapping[str, Shape], chosen: dict[str, int], threads: int) -> Point:
    sized = {name: list(shape) for name, shape in shapes.items()}
    for dim, value in chosen.items():
        for name, axis in _axes(model, dim):
            sized[name][axis] = value
    firsts = [sized[name][0] for name, axis in _free(model) if axis == 0]
    return Point(chosen, threads, {name: tuple(shape) for name, shape in sized.items()}, firsts[0] if firsts else 1)


def _axes(model: Model, dim: str) -> list[tuple[str, int]]:
    """Where a dimension stands: (input, axis). By its own name first, then as the batch."""
    free = _free(model)
    found = [place for place, name in free.items() if name == dim]
    if not found and dim == BATCH:
        found = [place for place in free if place[1] == 0]
    if not found:
        known = ", ".join(dict.fromkeys(free.values())) or "none"
        raise WorkbenchError(f"No input has a free dimension {dim!r}.", f"Free dimensions of this model: {known}.")
    return found


def _free(model: Model) -> dict[tuple[str, int], str]:
    return {
        (spec.name, axis): dim for spec in model.inputs for axis, dim in enumerate(spec.shape) if isinstance(dim, str)
    }


def sweep(
    request: RunRequest,
    points: Sequence[Point],
    known: Sequence[Run],
    execute: Callable[[RunRequest], Run],
    new_folder: NewFolder,
    on_point: Callable[[int, Point, float], None] = lambda done, point, seconds_left: None,
) -> list[Swept]:
    """One run a point, in the configuration of `request`; ends after a run that was cancelled.

    `known` are earlier runs: a point that one of them has measured in the same configuration is taken from it, so that
    a sweep that was ended goes on where it was. `on_point(done, point, seconds_left)` is told before each run.
    """
    found: list[Swept] = []
    spent: list[float] = []
    for done, point in enumerate(points):
        one = _request(request, point)
        earlier = next((run for run in known if _is_same(run, one)), None)
        if earlier is not None:
            found.append(Swept(point, earlier, is_known=True))
            continue
        each = sum(spent) / len(spent) if spent else request.timing.seconds + OVERHEAD_S
        on_point(done, point, each * (len(points) - done))
        run_id, folder = new_folder()
        run = execute(msgspec.structs.replace(one, id=run_id, folder=str(folder)))
        spent.append(run.seconds)
        found.append(Swept(point, run))
        if run.status is Status.CANCELLED:
            break
    return found


def _request(request: RunRequest, point: Point) -> RunRequest:
    config = msgspec.structs.replace(request.config, shapes=point.shapes, threads=point.threads)
    return msgspec.structs.replace(request, config=config)


def _is_same(run: Run, request: RunRequest) -> bool:
    return (
        run.status is Status.DONE
        and run.model == request.model_path
        and run.config == request.config
        and run.timing is not None
        and run.timing.stats is not None
    )


def best_within(swept: Sequence[Swept], limit_ms: float | None = None) -> Swept | None:
    """The most samples a second, of the points whose median is within the limit."""
    timed = [one for one in swept if one.median_ms is not None and (limit_ms is None or one.median_ms <= limit_ms)]
    return max(timed, key=lambda one: one.samples_per_second or 0.0, default=None)
