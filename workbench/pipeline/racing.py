"""race: engines of finished runs timed in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.core.collector import quiet_collector
from workbench.core.errors import WorkbenchError
from workbench.core.events import LogLine, Progress
from workbench.core.run import Race, RaceEntry, RaceRequest
from workbench.core.words import shapes_words
from workbench.measure.machine import machine_state, warm_state
from workbench.measure.statistics import verdict
from workbench.measure.timing import stop_if
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import RACE_FILE
from workbench.pipeline.lanes import SLOT_ITERATIONS, SLOT_MS, Lane, open_lane, run_round
from workbench.pipeline.record import Emit, Throttle

FIRST_LOOK = 8
"""Rounds before the first look; each further look comes after twice as many."""


class Pace(msgspec.Struct):
    """How long engines have been timed side by side."""

    rounds: int = 0
    looks: int = 0
    seconds: float = 0.0


def race(request: RaceRequest, emit: Emit, cancelled: Callable[[], bool]) -> Race:
    """Builds the engines of `request.runs` again from their typed models and times them interleaved: A B B A ...

    A round visits all engines forwards and then backwards, so that a steady drift hits all alike; in each visit an
    engine warms up once and then runs for 20 ms and 3 times at least, but only once where that takes 200 ms. The
    speed-up is the median of the rounds' ratios to the first run. It ends as soon as every engine is decided
    (`Speedup.is_decided`), at the latest when `seconds` are spent; intervals allow for the looks taken on the way
    (`confidence_at_look`). Runs whose engine cannot run here are left out, with a log line. Never raises for what the
    user can cause: then `error` says why.
    """
    return carried_out(
        request,
        RACE_FILE,
        emit,
        lambda folder: _race(request, folder, emit, cancelled),
        lambda error: Race(request.id, error=error),
    )


def _race(request: RaceRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> Race:
    with ExitStack() as stack:
        lanes = list(_lanes(request, folder, emit, cancelled, stack))
        if len(lanes) < 2:
            raise WorkbenchError(
                "A comparison needs two engines that run on this machine.",
                "Choose runs that have a measured time.",
            )
        _check_alike(lanes)
        machine = machine_state()
        throttle = Throttle()

        def on_round(pace: Pace) -> None:
            if throttle.lets("race"):
                _tell(request, lanes, pace, emit)

        with quiet_collector():
            pace = until_decided(lanes, request.seconds, cancelled, on_round)
        machine |= warm_state()
    return Race(
        id=request.id,
        entries=tuple(_entry(lane, lanes[0], pace.looks) for lane in lanes),
        rounds=pace.rounds,
        protocol=(
            f"{pace.rounds} rounds in {pace.seconds:.0f} s, interleaved forwards and backwards (A B B A), per visit"
            f" >= {SLOT_MS:g} ms and {SLOT_ITERATIONS} iterations, one at a time; median of the paired ratios with an"
            f" interval that holds at 95 % over {pace.looks} look{'s' * (pace.looks > 1)}"
        ),
        machine=machine,
    )


def _check_alike(lanes: Sequence[Lane]) -> None:
    """A smaller input is no faster engine."""
    shapes = [shapes_words(lane.typed.shapes) for lane in lanes]
    if len({lane.typed.model.sha256 for lane in lanes}) > 1:
        raise WorkbenchError("These are engines of several models.", "Choose runs of one model.")
    if len(set(shapes)) > 1:
        raise WorkbenchError(
            f"These engines take inputs of several shapes: {'; '.join(dict.fromkeys(shapes))}.",
            "Choose runs of the same shapes; a sweep compares sizes.",
        )


def _lanes(
    request: RaceRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool], stack: ExitStack
) -> Iterator[Lane]:
    for index, run in enumerate(request.runs):
        stop_if(cancelled)
        emit(Progress(request.id, "build", index, len(request.runs), run.config.backend))
        try:
            yield open_lane(run, run.config, folder / f"engine{index}", stack)
        except WorkbenchError as error:
            if index == 0:
                raise WorkbenchError(f"The baseline cannot run: {error.message}", error.hint) from error
            emit(LogLine(request.id, f"{run.id} is not in the race: {error}", "warning"))


def until_decided(
    lanes: Sequence[Lane], seconds: float, cancelled: Callable[[], bool], on_round: Callable[[Pace], None]
) -> Pace:
    """Rounds until all is decided or `seconds` are up, and 8 at least. The first is warm-up and not counted."""
    pace, next_look = Pace(), FIRST_LOOK
    run_round(lanes, cancelled)
    for lane in lanes:
        lane.forget()
    start = perf_counter()
    while True:
        run_round(lanes, cancelled)
        pace.rounds, pace.seconds = pace.rounds + 1, perf_counter() - start
        is_over = pace.rounds >= FIRST_LOOK and pace.seconds >= seconds
        if is_over or pace.rounds == next_look:
            pace.looks, next_look = pace.looks + 1, 2 * pace.rounds
            if is_over or all(lane.speedup(lanes[0], pace.looks).is_decided for lane in lanes[1:]):
                return pace
        on_round(pace)


def _tell(request: RaceRequest, lanes: Sequence[Lane], pace: Pace, emit: Emit) -> None:
    total = int(request.seconds * 1000)
    text = f"round {pace.rounds}"
    if len(lanes) == 2 and pace.rounds >= FIRST_LOOK:
        text += f", so far {lanes[1].speedup(lanes[0], pace.looks + 1).ratio:.2f}×"
    emit(Progress(request.id, "time", min(int(pace.seconds * 1000), total), total, text))


def _entry(lane: Lane, baseline: Lane, looks: int) -> RaceEntry:
    if lane is baseline:
        return RaceEntry(lane.run, lane.median_ms, 1.0, 1.0, 1.0, "baseline")
    speedup = lane.speedup(baseline, looks)
    return RaceEntry(lane.run, lane.median_ms, speedup.ratio, speedup.low, speedup.high, verdict(speedup))
