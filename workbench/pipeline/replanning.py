"""replan: what a change of shape costs an engine with free shapes, beside engines that are built for one shape each."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.backends.base import Backend, Feed, Runner, load_backend
from workbench.core.collector import quiet_collector
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape, TypedModel
from workbench.core.profile import OptimizationProfile
from workbench.core.replanning import Replanned, ReplanRequest, ShapeChange
from workbench.core.run import BuildConfig, RunRequest
from workbench.data import open_samples
from workbench.measure.machine import machine_state, warm_state
from workbench.measure.statistics import median_interval
from workbench.measure.timing import stop_if
from workbench.model import check_shapes, open_model
from workbench.pipeline.before_build import check_can_build
from workbench.pipeline.border import carried_out
from workbench.pipeline.building import writes_fp16
from workbench.pipeline.calibrating import observations, passes_left_out
from workbench.pipeline.files import REPLANNED_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.samples import RANDOM
from workbench.pipeline.telling import JobTeller
from workbench.precision import SHAPES_PASS, compile_plan

FEEDS = 2  # of each shape, in turn: otherwise the first inference after a change would be slow for its cold input too
STEADY = 4  # inferences after the first
FEWEST, MOST = 8, 200  # rounds


def replan(request: ReplanRequest, emit: Emit, cancelled: Callable[[], bool]) -> Replanned:
    """Gives one engine `request.shapes` in turn, again and again: A A A B B B A A A ...

    The first inference after a change is compared with the median of those that follow it, round by round. Engines
    built for one shape each take turns with it. Never raises for what the user can cause: then `error` says why.
    """
    return carried_out(
        request,
        REPLANNED_FILE,
        emit,
        lambda folder: _replan(request, folder, JobTeller(request.id, emit, cancelled)),
        lambda error: Replanned(request.id, error=error),
    )


class _Place(msgspec.Struct):
    """One shape, its inputs, and what was measured of it, in ms; by round where it is a list."""

    shapes: dict[str, Shape]
    feeds: Sequence[Feed]
    fixed: Runner | None = None
    never_seen: float = 0.0
    changes: list[float] = []
    steadies: list[float] = []
    fixed_ms: list[float] = []

    def result(self) -> ShapeChange:
        extras = [change - steady for change, steady in zip(self.changes, self.steadies, strict=True)]
        low, high = median_interval(extras)
        return ShapeChange(
            shapes=self.shapes,
            never_seen_ms=self.never_seen,
            change_ms=statistics.median(self.changes),
            steady_ms=statistics.median(self.steadies),
            extra_ms=statistics.median(extras),
            low_ms=low,
            high_ms=high,
            fixed_ms=statistics.median(self.fixed_ms) if self.fixed_ms else None,
        )


def _replan(request: ReplanRequest, folder: Path, teller: JobTeller) -> Replanned:
    backend = load_backend(request.run.config.backend)
    check_can_build(backend, request.run.config)
    model = open_model(request.run.model_path)
    _check(model, request.shapes)
    places = [_Place(shapes, _feeds(model, request.run, shapes)) for shapes in request.shapes]
    machine = machine_state()
    config = msgspec.structs.replace(request.run.config, profiles=())
    free_config = msgspec.structs.replace(config, profiles=(_around(request.shapes),))
    with ExitStack() as stack:
        typed = [
            _typed(request.run, model, backend, place.shapes, folder / f"shape{i}", teller)
            for i, place in enumerate(places)
        ]
        for order in (places, places[::-1]):  # each shape once behind another: its engine has run then
            free = _runner(backend, typed[0], free_config, folder / "free", stack)
            _first_of_each(free, order)
        for place, one in zip(places, typed, strict=True):
            place.fixed = _runner(backend, one, config, Path(one.path).parent / "fixed", stack)
        with quiet_collector():
            rounds = _rounds(free, places, request.seconds, teller)
        machine |= warm_state()
    return Replanned(
        id=request.id,
        run=request.run.id,
        changes=tuple(place.result() for place in places),
        rounds=rounds,
        protocol=(
            f"{rounds} rounds through {len(places)} shapes; the first inference after each change against the median"
            f" of the {STEADY} that follow it, paired, with the 95 % interval of the median; {FEEDS} inputs a shape"
            " in turn"
        ),
        machine=machine,
    )


def _check(model: Model, shapes: Sequence[Mapping[str, Shape]]) -> None:
    if not any(spec.is_dynamic for spec in model.inputs):
        raise WorkbenchError("Every input of this model has a fixed shape.", "Export it with free dimensions.")
    if len({tuple(sorted(one.items())) for one in shapes}) < 2:
        raise WorkbenchError("A change of shape needs two shapes.", "Name two or more sizes of a free dimension.")
    for one in shapes:
        check_shapes(model, dict(one))


def _feeds(model: Model, run: RunRequest, shapes: dict[str, Shape]) -> list[Feed]:
    """Random: real samples have the shape they have."""
    return list(open_samples(RANDOM, model, run.recipe, shapes, limit=FEEDS))


def _typed(
    run: RunRequest, model: Model, backend: Backend, shapes: dict[str, Shape], folder: Path, teller: JobTeller
) -> TypedModel:
    """The plan of the run, without the clean-up that holds for one shape only."""
    folder.mkdir()
    overflow = writes_fp16(run.config.plan, backend.dialect())
    seen, _ = observations(teller, run, model, shapes, {}, overflow=overflow)
    skip = tuple(dict.fromkeys([*passes_left_out(run.config), SHAPES_PASS]))
    plan = msgspec.structs.replace(run.config.plan, skip=skip)
    return compile_plan(model, plan, backend.dialect(), shapes, folder, seen and seen.observations)


def _around(shapes: Sequence[Mapping[str, Shape]]) -> OptimizationProfile:
    """From the smallest to the largest of each dimension; the first shapes are the usual ones."""
    sides = [
        {name: tuple(pick(sizes) for sizes in zip(*(one[name] for one in shapes), strict=True)) for name in shapes[0]}
        for pick in (min, max)
    ]
    return OptimizationProfile(sides[0], dict(shapes[0]), sides[1])


def _runner(backend: Backend, typed: TypedModel, config: BuildConfig, folder: Path, stack: ExitStack) -> Runner:
    folder.mkdir(exist_ok=True)
    return stack.enter_context(backend.build(typed, config, folder, lambda *_: None).runner())


def _first_of_each(free: Runner, places: Sequence[_Place]) -> None:
    """The very first inference of the first shape also starts the engine: it counts in the other order."""
    for index, place in enumerate(places):
        took = free.time(place.feeds[0])
        if index:
            place.never_seen = took if not place.never_seen else min(place.never_seen, took)


def _rounds(free: Runner, places: Sequence[_Place], seconds: float, teller: JobTeller) -> int:
    """One more than are counted: the first is warm-up."""
    turns = [cycle(place.feeds) for place in places]
    start, rounds = perf_counter(), -1
    while rounds < FEWEST or (rounds < MOST and perf_counter() - start < seconds):
        stop_if(teller.cancelled)
        free.time(next(turns[-1]))  # the shape before the first
        for place, feeds in zip(places, turns, strict=True):
            change = free.time(next(feeds))
            steady = statistics.median(free.time(next(feeds)) for _ in range(STEADY))
            if rounds >= 0:
                place.changes.append(change)
                place.steadies.append(steady)
        for place, feeds in zip(places, turns, strict=True):
            _visit_fixed(place, feeds, is_counted=rounds >= 0)
        rounds += 1
        spent = min(int(1000 * (perf_counter() - start)), int(1000 * seconds))
        teller.progress("time", spent, int(1000 * seconds), f"round {max(rounds, 0)}")
    return rounds


def _visit_fixed(place: _Place, feeds: cycle[Feed], *, is_counted: bool) -> None:
    if place.fixed is None:
        return
    place.fixed.time(next(feeds))
    steady = statistics.median(place.fixed.time(next(feeds)) for _ in range(STEADY))
    if is_counted:
        place.fixed_ms.append(steady)
