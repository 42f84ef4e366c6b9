"""tune: the options with which a backend runs one engine fastest here, found by timing them against the default."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.backends.base import load_backend
from workbench.core.collector import quiet_collector
from workbench.core.errors import WorkbenchError
from workbench.core.events import Progress, Tried
from workbench.core.run import BuildConfig, RunError
from workbench.core.tuning import Knob, Trial, TuneRequest, Tuning, options_words
from workbench.core.words import plural
from workbench.measure.accuracy import OutputErrors
from workbench.measure.machine import logical_cores, machine_state, physical_cores, warm_state
from workbench.measure.statistics import verdict
from workbench.measure.timing import stop_if
from workbench.pipeline.border import as_run_error, carried_out
from workbench.pipeline.files import TUNING_FILE
from workbench.pipeline.lanes import Lane, open_lane, run_round
from workbench.pipeline.racing import until_decided
from workbench.pipeline.record import Emit
from workbench.pipeline.tuned import keep_tuning, tuning_key, with_options

MOST_TRIALS = 32
FIRST_ROUNDS = 2
FINAL_SHARE = 0.35
"""Of the time, for the last race of the best against the default."""
EQUAL_DB = 60.0
"""Outputs this near to the default's are the same; where the default itself repeats worse, see `_differs`."""
LOST_DB = 1.0
EQUAL_SHARE = 0.999
"""The same of outputs that are no floats (classes, boxes that were kept): so many of their values."""


def tune(request: TuneRequest, emit: Emit, cancelled: Callable[[], bool]) -> Tuning:
    """Searches the knobs of the backend of `request.run` by successive halving (Jamieson and Talwalkar, 2016).

    Every trial is timed interleaved with the default engine, which stays open all the time; the faster half goes on
    with twice as many rounds. The best at the end races the default until it is decided, and only "faster" there
    makes it the result: tuned is never slower than the default beyond noise. The default is the run as it was asked
    for: options and threads that were chosen for it stay. A trial whose outputs differ from the default's is out. The
    result is kept by content (`tuned`). Never raises for what the user can cause.
    """

    def failed(error: RunError) -> Tuning:
        return Tuning(request.id, request.run.id, error=error)

    result = carried_out(request, TUNING_FILE, emit, lambda folder: _tune(request, folder, emit, cancelled), failed)
    try:
        if result.key:
            keep_tuning(result)
    except OSError as error:
        return failed(as_run_error(error))
    return result


def candidates(knobs: Sequence[Knob], most: int = MOST_TRIALS) -> list[dict[str, str]]:
    """Options to try, the default left out: every single change first, then mixtures drawn with a fixed seed."""
    defaults = {knob.key: knob.values[0] for knob in knobs}
    single = [{knob.key: value} for knob in knobs for value in knob.values[1:]]
    grid = itertools.product(*(knob.values for knob in knobs))
    mixed = [_changes(dict(zip(defaults, values, strict=True)), defaults) for values in itertools.islice(grid, 4096)]
    rest = [options for options in mixed if len(options) > 1]
    random.Random(0).shuffle(rest)
    return [*single, *rest][:most]


def _changes(options: dict[str, str], defaults: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in options.items() if value != defaults[key]}


def _tune(request: TuneRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> Tuning:
    knobs = _open_knobs(request.run.config)
    machine = machine_state()
    with ExitStack() as stack, quiet_collector():
        search = _Search(request, folder, emit, cancelled)
        plain = msgspec.structs.replace(request.run.config, tuned=False)
        search.default = open_lane(request.run, plain, folder / "default", stack)
        best = search.halve(candidates(knobs))
        return search.final(best, machine)


def _open_knobs(config: BuildConfig) -> list[Knob]:
    """Those that nobody has chosen a value for. Raises WorkbenchError where there are none."""
    knobs = load_backend(config.backend).knobs(physical_cores(), logical_cores())
    if not knobs:
        raise WorkbenchError(f"{config.backend} has no options that change its speed.")
    chosen = {*config.options, *(["threads"] if config.threads else [])}
    found = [knob for knob in knobs if knob.key not in chosen and len(knob.values) > 1]
    if not found:
        raise WorkbenchError("Every option that changes its speed was chosen for this run.", "Tune one without them.")
    return found


class _Search:
    """The default engine stays open; each trial is opened, visited beside it, and closed."""

    default: Lane

    def __init__(self, request: TuneRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> None:
        self._request, self._folder, self._emit, self._cancelled = request, folder, emit, cancelled
        self._start = perf_counter()
        self._tried: dict[str, Trial] = {}
        self._number = itertools.count()

    @property
    def _left(self) -> float:
        return self._request.seconds - (perf_counter() - self._start)

    def halve(self, waiting: list[dict[str, str]]) -> dict[str, str]:
        """The options that were fastest when one was left, or when the time for it was up."""
        rounds, reserve = FIRST_ROUNDS, FINAL_SHARE * self._request.seconds
        while True:
            for options in waiting:
                if self._left < reserve and self._tried:
                    break
                self._try(options, rounds)
            ranked = self._ranked(waiting)
            if len(ranked) <= 1 or self._left < reserve:
                return ranked[0] if ranked else {}
            waiting, rounds = ranked[: (len(ranked) + 1) // 2], rounds * 2

    def _ranked(self, waiting: list[dict[str, str]]) -> list[dict[str, str]]:
        tried = [trial for options in waiting if (trial := self._tried.get(options_words(options)))]
        timed = [trial for trial in tried if trial.rounds]
        return [trial.options for trial in sorted(timed, key=lambda trial: -trial.speedup)]

    def _try(self, options: dict[str, str], rounds: int) -> None:
        stop_if(self._cancelled)
        try:
            trial = self._timed(options, rounds)
        except WorkbenchError as error:
            trial = Trial(options, reason=str(error))
        self._tried[options_words(options)] = trial
        self._tell(trial)

    def _timed(self, options: dict[str, str], rounds: int) -> Trial:
        with ExitStack() as stack:
            lane = self._open(options, stack)
            if reason := _differs(self.default, lane):
                return Trial(options, reason=reason)
            lanes = [self.default, lane]
            run_round(lanes, self._cancelled)
            for each in lanes:
                each.forget()
            for _ in range(rounds):
                run_round(lanes, self._cancelled)
            found = lane.speedup(self.default, 1)
            return Trial(options, found.ratio, found.low, found.high, found.pairs)

    def _open(self, options: dict[str, str], stack: ExitStack) -> Lane:
        run = self._request.run
        config = with_options(msgspec.structs.replace(run.config, tuned=False), options)
        return open_lane(run, config, self._folder / f"trial{next(self._number)}", stack)

    def _tell(self, trial: Trial) -> None:
        total, spent = self._request.seconds, self._request.seconds - self._left
        words = f"{options_words(trial.options)}: {f'{trial.speedup:.2f}×' if trial.rounds else trial.reason}"
        done = int(1000 * min(spent, total))
        self._emit(Tried(self._request.id, trial))
        self._emit(Progress(self._request.id, "time", done, int(1000 * total), words))

    def final(self, best: dict[str, str], machine: dict[str, str]) -> Tuning:
        """The race that decides; what does not win it is not the result."""
        trials = tuple(sorted(self._tried.values(), key=lambda trial: -trial.speedup))
        run = self._request.run
        key = tuning_key(self.default.typed, run.config)
        tried = (
            f"{plural(len(trials), 'trial')} by successive halving, each interleaved with the default (A B B A), one"
            " inference at a time"
        )
        found = Tuning(self._request.id, run.id, key, trials=trials, protocol=tried, machine=machine)
        if not best:
            return msgspec.structs.replace(found, verdict="no other option could be timed")
        with ExitStack() as stack:
            lanes = [self.default, self._open(best, stack)]
            pace = until_decided(lanes, max(self._left, 0.0), self._cancelled, lambda pace: None)
        speedup, machine = lanes[1].speedup(lanes[0], pace.looks), machine | warm_state()
        return msgspec.structs.replace(
            found,
            machine=machine,
            best=best if speedup.is_different and speedup.ratio > 1 else {},
            speedup=speedup.ratio,
            low=speedup.low,
            high=speedup.high,
            verdict=f"{options_words(best)}: {verdict(speedup)}",
            protocol=f"{tried}; the best raced it for {pace.rounds} rounds in {pace.seconds:.0f} s",
        )


def _differs(default: Lane, lane: Lane) -> str:
    """Why the outputs are not the default's; "" where they are: 60 dB, or what the default itself repeats to."""
    errors, repeated = OutputErrors(), OutputErrors()
    for feed in itertools.islice(default.feeds, 2):
        expected = default.runner.infer(feed)
        repeated.add(expected, default.runner.infer(feed))
        errors.add(expected, lane.runner.infer(feed))
    if other := set(errors.warnings()) - set(repeated.warnings()):
        return f"computes something else ({min(other)})"
    found, share = errors.worst_sqnr_db(), _agreement(errors)
    if found < min(EQUAL_DB, repeated.worst_sqnr_db() - LOST_DB):
        return f"computes something else ({found:.0f} dB from the default's outputs)"
    if share < min(EQUAL_SHARE, _agreement(repeated)):
        return f"computes something else ({100 * share:.1f} % of the default's values)"
    return ""


def _agreement(errors: OutputErrors) -> float:
    """The lowest share of equal values of the outputs that are no floats; 1 where there are none."""
    return min((error.agreement for error in errors.errors().values() if error.agreement is not None), default=1.0)
