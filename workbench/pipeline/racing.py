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
from workbench.measure.statistics import MIN_PAIRS, paired_speedup, verdict
from workbench.measure.timing import quiet_collector, stop_if
from workbench.pipeline.files import RACE_FILE, TYPED_FILE, TYPED_MODEL_FILE
from workbench.pipeline.record import Emit, Throttle
from workbench.pipeline.running import as_run_error
from workbench.pipeline.samples import evaluation_set, timing_feeds

SLOT_MS = 20.0
SLOT_ITERATIONS = 3


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
    ratios to the first run. Runs whose engine cannot run here are left out, with a log line. Never raises for what
    the user can cause: then `error` says why.
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
            rounds = _rounds(request, lanes, emit, cancelled)
    return Race(
        id=request.id,
        entries=tuple(_entry(lane, lanes[0]) for lane in lanes),
        rounds=rounds,
        protocol=(
            f"{rounds} rounds, interleaved forwards and backwards (A B B A), per visit >= {SLOT_MS:g} ms and"
            f" {SLOT_ITERATIONS} iterations; median of the paired ratios with 95 % interval"
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


def _rounds(request: RaceRequest, lanes: Sequence[_Lane], emit: Emit, cancelled: Callable[[], bool]) -> int:
    """Rounds until the time is up, and 6 at least: fewer give no interval. The first is warm-up and not counted."""
    throttle, total = Throttle(), int(request.seconds * 1000)
    _round(lanes, cancelled)
    for lane in lanes:
        lane.latencies.clear()
    start, rounds = perf_counter(), 0
    while rounds < MIN_PAIRS or perf_counter() - start < request.seconds:
        for lane, value in zip(lanes, _round(lanes, cancelled), strict=True):
            lane.rounds.append(value)
        rounds += 1
        if throttle.lets("race"):
            done = min(int((perf_counter() - start) * 1000), total)
            emit(Progress(request.id, "time", done, total, f"round {rounds}"))
    return rounds


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


def _entry(lane: _Lane, baseline: _Lane) -> RaceEntry:
    median = statistics.median(lane.latencies)
    if lane is baseline:
        return RaceEntry(lane.run, median, 1.0, 1.0, 1.0, "baseline")
    speedup = paired_speedup(baseline.rounds, lane.rounds)
    return RaceEntry(lane.run, median, speedup.ratio, speedup.low, speedup.high, verdict(speedup))
