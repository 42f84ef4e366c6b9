"""race: engines of finished runs timed in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import statistics
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.backends.base import Feed, Runner, load_backend
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.events import LogLine, Progress
from workbench.core.json import read_json, write_json
from workbench.core.model import TypedModel
from workbench.core.run import Race, RaceEntry, RaceRequest, RunError, RunRequest
from workbench.measure.machine import machine_state
from workbench.measure.statistics import Speedup, confidence_at_look, paired_speedup, verdict
from workbench.measure.timing import quiet_collector, stop_if
from workbench.pipeline.files import RACE_FILE, TYPED_FILE, TYPED_MODEL_FILE
from workbench.pipeline.record import Emit, Throttle
from workbench.pipeline.running import as_run_error
from workbench.pipeline.samples import evaluation_set, timing_feeds

SLOT_MS = 20.0
SLOT_ITERATIONS = 3
FIRST_LOOK = 8
"""Rounds before the first look; each further look comes after twice as many."""


class _Lane(msgspec.Struct):
    """One engine of the race: its turns of inputs, every latency, and one value per round."""

    run: str
    runner: Runner
    turns: Iterator[Feed]
    latencies: list[float] = []
    rounds: list[float] = []


def race(request: RaceRequest, emit: Emit, cancelled: Callable[[], bool]) -> Race:
    """Builds the engines of `request.runs` again from their typed models and times them interleaved: A B B A ...

    A round visits all engines forwards and then backwards, so that a steady drift hits all alike; in each visit an
    engine warms up once and then runs for 20 ms and 3 times at least. The speed-up is the median of the rounds'
    ratios to the first run. It ends as soon as every engine is decided (`Speedup.is_decided`), at the latest when
    `seconds` are spent; intervals allow for the looks taken on the way (`confidence_at_look`). Runs whose engine
    cannot run here are left out, with a log line. Never raises for what the user can cause: then `error` says why.
    """
    folder = Path(request.folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        result = _race(request, folder, emit, cancelled)
    except Cancelled:
        result = Race(request.id, error=RunError("Cancelled."))
    except Exception as error:  # noqa: BLE001  the same border as in `run`
        emit(LogLine(request.id, "".join(traceback.format_exception(error)), "debug"))
        result = Race(request.id, error=as_run_error(error))
    try:
        write_json(folder / RACE_FILE, result)
    except OSError as error:
        return Race(request.id, error=as_run_error(error))
    return result


def _race(request: RaceRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> Race:
    with ExitStack() as stack:
        lanes = list(_lanes(request, folder, emit, cancelled, stack))
        if len(lanes) < 2:
            raise WorkbenchError(
                "A comparison needs two engines that run on this machine.",
                "Choose runs that have a measured time.",
            )
        machine = machine_state()
        with quiet_collector():
            pace = _rounds(request, lanes, emit, cancelled)
    return Race(
        id=request.id,
        entries=tuple(_entry(lane, lanes[0], pace.looks) for lane in lanes),
        rounds=pace.rounds,
        protocol=(
            f"{pace.rounds} rounds in {pace.seconds:.0f} s, interleaved forwards and backwards (A B B A), per visit"
            f" >= {SLOT_MS:g} ms and {SLOT_ITERATIONS} iterations; median of the paired ratios with an interval that"
            f" holds at 95 % over {pace.looks} look{'s' * (pace.looks > 1)}"
        ),
        machine=machine,
    )


def _lanes(
    request: RaceRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool], stack: ExitStack
) -> Iterator[_Lane]:
    for index, run in enumerate(request.runs):
        stop_if(cancelled)
        emit(Progress(request.id, "build", index, len(request.runs), run.config.backend))
        try:
            yield _lane(run, folder / f"engine{index}", stack)
        except WorkbenchError as error:
            if index == 0:
                raise WorkbenchError(f"The baseline cannot run: {error.message}", error.hint) from error
            emit(LogLine(request.id, f"{run.id} is not in the race: {error}", "warning"))


def _lane(run: RunRequest, folder: Path, stack: ExitStack) -> _Lane:
    """The engine of a run, built again from what lies in the run's folder."""
    typed = read_json(Path(run.folder) / TYPED_MODEL_FILE, TypedModel)
    typed = msgspec.structs.replace(typed, path=str(Path(run.folder) / TYPED_FILE))
    folder.mkdir(exist_ok=True)
    engine = load_backend(run.config.backend).build(typed, run.config, folder, lambda *_: None)
    feeds = timing_feeds(evaluation_set(run, typed.model, typed.shapes))
    return _Lane(run.id, stack.enter_context(engine.runner()), cycle(feeds))


class _Pace(msgspec.Struct):
    """How long a race has lasted."""

    rounds: int = 0
    looks: int = 0
    seconds: float = 0.0


def _rounds(request: RaceRequest, lanes: Sequence[_Lane], emit: Emit, cancelled: Callable[[], bool]) -> _Pace:
    """Rounds until all is decided or the time is up, and 8 at least. The first is warm-up and not counted."""
    throttle, pace, next_look = Throttle(), _Pace(), FIRST_LOOK
    _round(lanes, cancelled)
    for lane in lanes:
        lane.latencies.clear()
    start = perf_counter()
    while True:
        for lane, value in zip(lanes, _round(lanes, cancelled), strict=True):
            lane.rounds.append(value)
        pace.rounds, pace.seconds = pace.rounds + 1, perf_counter() - start
        is_over = pace.rounds >= FIRST_LOOK and pace.seconds >= request.seconds
        if is_over or pace.rounds == next_look:
            pace.looks, next_look = pace.looks + 1, 2 * pace.rounds
            if is_over or all(_speedup(lane, lanes[0], pace.looks).is_decided for lane in lanes[1:]):
                return pace
        if throttle.lets("race"):
            _tell(request, lanes, pace, emit)


def _tell(request: RaceRequest, lanes: Sequence[_Lane], pace: _Pace, emit: Emit) -> None:
    total = int(request.seconds * 1000)
    text = f"round {pace.rounds}"
    if len(lanes) == 2 and pace.rounds >= FIRST_LOOK:
        text += f", so far {_speedup(lanes[1], lanes[0], pace.looks + 1).ratio:.2f}×"
    emit(Progress(request.id, "time", min(int(pace.seconds * 1000), total), total, text))


def _round(lanes: Sequence[_Lane], cancelled: Callable[[], bool]) -> list[float]:
    """One value per lane: the mean of its visits on the way there and back, ms. A linear drift falls out of it."""
    there = [_visit(lane, cancelled) for lane in lanes]
    back = [_visit(lane, cancelled) for lane in reversed(lanes)][::-1]
    return [statistics.fmean(pair) for pair in zip(there, back, strict=True)]


def _visit(lane: _Lane, cancelled: Callable[[], bool]) -> float:
    """The median latency of one visit, ms. Its first inference finds the caches full of another engine: not counted."""
    stop_if(cancelled)
    lane.runner.time(next(lane.turns))
    visit: list[float] = []
    total = 0.0
    while len(visit) < SLOT_ITERATIONS or total < SLOT_MS:
        visit.append(lane.runner.time(next(lane.turns)))
        total += visit[-1]
    lane.latencies.extend(visit)
    return statistics.median(visit)


def _speedup(lane: _Lane, baseline: _Lane, look: int) -> Speedup:
    return paired_speedup(baseline.rounds, lane.rounds, confidence_at_look(look))


def _entry(lane: _Lane, baseline: _Lane, looks: int) -> RaceEntry:
    median = statistics.median(lane.latencies)
    if lane is baseline:
        return RaceEntry(lane.run, median, 1.0, 1.0, 1.0, "baseline")
    speedup = _speedup(lane, baseline, looks)
    return RaceEntry(lane.run, median, speedup.ratio, speedup.low, speedup.high, verdict(speedup))
