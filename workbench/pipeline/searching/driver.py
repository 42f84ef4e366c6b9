"""One leg of a search: what is tried next, measured, written to disk, and told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.events import Searched
from workbench.core.precision import Precision
from workbench.core.run import RunError
from workbench.core.search import FAILED, Choice, Measured, Point, Search, SearchRequest, Speed
from workbench.measure.machine import machine_state
from workbench.measure.timing import stop_if
from workbench.pipeline.racing import FIRST_LOOK
from workbench.pipeline.record import Emit
from workbench.pipeline.searching.bench import ROUND_SECONDS, Bench, Built
from workbench.pipeline.searching.moves import Candidate, best_whole, find, needs_units, propose, starts
from workbench.pipeline.searching.space import Space, plan_of, space_of
from workbench.pipeline.searching.state import keep_search, load_search, search_key
from workbench.pipeline.searching.units import NoiseProbe, timed_units
from workbench.pipeline.telling import JobTeller
from workbench.precision.matching import Matcher

CONFIRM_SHARE = 0.15
"""Of the time at least, for measuring the front again."""
PROBE_SHARE = 0.2
"""Of the time, at most, for the noise of single products."""
MOST_AGAIN = 8
"""Points of the front that are measured again."""
AGAIN_ROUNDS = 3
AGAIN_SECONDS = 4.0
"""Of timing, for each point that is measured again."""
TIME_UP = "The time was up before all was tried that the measured plans suggest: with more of it the search goes on."
LOOKING = "looking at every product"
CRASHED = "The process died while this was built or measured."


class Driver:
    """`run` is the leg; `search` what is known so far."""

    def __init__(self, request: SearchRequest, emit: Emit, cancelled: Callable[[], bool]) -> None:
        self._request, self._emit, self._cancelled = request, emit, cancelled
        self._teller = JobTeller(request.id, emit, cancelled)
        self._start, self._before = perf_counter(), 0.0
        self.has_died_looking = False
        self.search = Search(request.id, limit=request.limit, seconds=request.seconds)

    def failed(self, error: RunError) -> Search:
        """What was found stays."""
        return msgspec.structs.replace(self.search, error=error, phase=FAILED)

    def run(self, folder: Path) -> Search:
        request = self._request
        space = space_of(request, load_backend(request.run.config.backend))
        bench = Bench(request.run, folder, self._teller)
        self._go_on(bench, space)
        if not self.search.is_explored:
            with bench:
                _Exploration(self, bench, space, folder).run()
        elif not self.search.is_over:
            with Bench(request.run, folder, self._teller, request.confirmation, again=True) as other:
                _Confirmation(self, other).run()
        return self.search

    def _go_on(self, bench: Bench, space: Space) -> None:
        """From what an earlier leg has left; another limit, other pins or precisions, or more time open it again."""
        request = self._request
        key = search_key(request, bench)
        known = load_search(key) or Search(request.id, key)
        if known.confirmation != request.confirmation:  # what was measured again was so on other samples
            points = tuple(msgspec.structs.replace(point, again=None) for point in known.points)
            known = msgspec.structs.replace(known, points=points, confirmation=request.confirmation, is_over=False)
        asked = {
            "limit": request.limit,
            "pinned": request.pinned,
            "precisions": (*space.highs, *space.lows),
            "methods": space.methods,
        }
        is_as_before = all(getattr(known, name) == value for name, value in asked.items())
        is_same = is_as_before and request.seconds <= known.seconds
        self._before, self.has_died_looking = known.spent, bool(request.crashes) and known.phase == LOOKING
        self.search = msgspec.structs.replace(
            known,
            **asked,
            id=request.id,
            seconds=request.seconds,
            is_explored=(known.is_explored and is_same) or (request.finish and bool(known.points)),
            is_over=known.is_over and is_same,
            error=None,
        )
        if known.trying is not None and request.crashes:
            self.add(msgspec.structs.replace(known.trying, reason=CRASHED))
        self.keep(trying=None)

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.search.seconds - self._before - (perf_counter() - self._start)

    def keep(self, **fields: Any) -> None:
        """Changes what is known: on disk first, then told. Raises OSError where the disk refuses."""
        spent = self._before + perf_counter() - self._start
        self.search = msgspec.structs.replace(self.search, spent=spent, **fields)
        keep_search(self.search)
        self._emit(Searched(self._request.id, self.search))

    def add(self, point: Point) -> None:
        """A point more, or in the place of the one that has its id."""
        others = [old for old in self.search.points if old.id != point.id]
        points = sorted([*others, point], key=lambda each: each.id)
        self.keep(points=tuple(points), trying=None)

    def tell(self, text: str) -> None:
        """How much of the time is gone, and what is done now."""
        total = max(int(self.search.seconds), 1)
        self._teller.progress("search", min(int(total - self.left), total), total, text)

    def stop_if_cancelled(self) -> None:
        stop_if(self._cancelled)


def _at_most(seconds: float) -> str:
    return f"for {seconds:g} s at most (for {FIRST_LOOK} rounds where these take longer)"


class _Exploration:
    """Candidates until none is left or the time is up."""

    def __init__(self, driver: Driver, bench: Bench, space: Space, folder: Path) -> None:
        self._driver, self._bench, self._space, self._folder = driver, bench, space, folder
        self._matcher = Matcher(bench.model)
        self._run = driver._request.run

    def run(self) -> None:
        driver = self._driver
        rounds = f"timed in turns with FP32 (A B B A) until it is decided, {_at_most(ROUND_SECONDS)}"
        samples = self._bench.scoring.samples
        protocol = f"built, run on {samples.size} samples of {samples.name} in pairs with FP32, and {rounds}"
        driver.keep(phase="measuring FP32", machine=machine_state(), protocol=protocol)
        if not driver.search.points:
            self._begin()
        self._measure_own()
        notes: tuple[str, ...] = ()
        while driver.left > self._reserve():
            driver.stop_if_cancelled()
            if needs_units(self._space, driver.search) and not self._look_at_units():
                break
            candidate = propose(self._space, driver.search)
            if candidate is None:
                break
            self._try(candidate)
        else:
            notes = (TIME_UP,)
        driver.keep(is_explored=True, notes=notes, phase="measuring the front again")

    def _reserve(self) -> float:
        """Seconds that measuring the front again will take: as much for a point as one took so far."""
        search = self._driver.search
        each = (search.spent / len(search.points)) if search.points else 0.0
        again = each * (min(len(search.front), MOST_AGAIN) + 2)
        return min(max(CONFIRM_SHARE * search.seconds, again), search.seconds / 2)

    def _begin(self) -> None:
        """FP32, which everything is compared with."""
        driver, bench = self._driver, self._bench
        driver.tell("FP32")
        quality = bench.scoring.quality(bench.baseline.runner.infer, driver._cancelled)
        baseline_ms = bench.baseline_ms()
        choice = Choice(Precision.FP32)
        plan = plan_of(self._space, choice, self._matcher)
        first = Measured(Speed(1.0, 1.0, 1.0, 0), quality)
        driver.keep(baseline_ms=baseline_ms)
        driver.add(Point(0, plan, "FP32", "what all others are compared with", choice, first))

    def _measure_own(self) -> None:
        """The plan as its user wrote it; what another tool writes is no candidate."""
        own, known = self._run.config.plan, [point.plan for point in self._driver.search.points]
        if own.rules and not own.quantizer and own not in known:
            self._measure(Point(self._next_id, own, "your plan", "the plan as it was when the search began"))

    def _look_at_units(self) -> bool:
        """Whether there are products to rank; their noise is probed in what time there is."""
        driver, bench = self._driver, self._bench
        low = next(iter(starts(self._space, driver.search)), None)
        if low is None:
            return False
        driver.tell("time of every layer")
        driver.keep(phase=LOOKING)
        units = timed_units(bench, self._space, low, self._matcher)
        try:
            if driver.has_died_looking:
                raise WorkbenchError("The process died while it looked at one after the other.")
            probe = NoiseProbe(driver._teller, self._run, self._folder / "probe", self._space, low)
            seconds = PROBE_SHARE * driver.search.seconds
            units = probe.measured(units, seconds, lambda done, total: driver.tell(f"product {done + 1} of {total}"))
        except WorkbenchError as error:
            driver._teller.log(f"Products are ranked by time alone: {error}", "warning")
        driver.keep(units=units, phase="searching")
        return bool(units)

    def _try(self, candidate: Candidate) -> None:
        plan = plan_of(self._space, candidate.choice, self._matcher)
        self._measure(Point(self._next_id, plan, candidate.title, candidate.why, candidate.choice))

    @property
    def _next_id(self) -> int:
        return max(point.id for point in self._driver.search.points) + 1

    def _measure(self, point: Point) -> None:
        driver = self._driver
        driver.tell(point.title)
        driver.keep(trying=point)
        try:
            with self._bench.built(point.plan) as built:
                first = self._bench.measure(built)
                point = msgspec.structs.replace(point, first=first, size_bytes=built.engine.size_bytes)
        except WorkbenchError as error:
            point = msgspec.structs.replace(point, reason=str(error))
        driver.add(point)


class _Confirmation:
    """The front by a fresh process: engines built anew, samples in another order, new rounds in turns."""

    def __init__(self, driver: Driver, bench: Bench) -> None:
        self._driver, self._bench = driver, bench

    def run(self) -> None:
        driver = self._driver
        samples = self._bench.scoring.samples
        protocol = (
            f"built anew by a fresh process, run on {samples.size} samples of {samples.name} in another order, and"
            f" timed in new rounds in turns with FP32 and with each other, a plan {_at_most(AGAIN_SECONDS)}"
        )
        driver.keep(phase="measuring the front again", machine=machine_state(), again_protocol=protocol)
        for _ in range(AGAIN_ROUNDS):
            front = driver.search.front
            is_late = driver.left <= 0 and driver.search.points[0].again is not None
            if is_late or all(point.again is not None for point in front):
                break
            waiting = [point for point in front if point.again is None and point.id]
            self._measure([*waiting[:MOST_AGAIN], *self._whole()])
        driver.keep(is_over=True, phase="")

    def _whole(self) -> list[Point]:
        """All products in a low precision by the best method: what a mixed plan must beat, so measured beside it."""
        search = self._driver.search
        wholes = (best_whole(search, low) for low in dict.fromkeys(p.choice.low for p in search.measured if p.choice))
        points = (find(search, choice) for choice in wholes if choice is not None)
        return [point for point in points if point is not None and point.again is None and point not in search.front]

    def _measure(self, points: list[Point]) -> None:
        driver, bench = self._driver, self._bench
        driver.tell("FP32, again")
        quality = bench.scoring.quality(bench.baseline.runner.infer, driver._cancelled)
        with ExitStack() as stack:
            opened: list[tuple[Point, Built]] = []
            for point in points:
                driver.stop_if_cancelled()
                driver.tell(f"{point.title}, again")
                try:
                    opened.append((point, stack.enter_context(bench.built(point.plan))))
                except WorkbenchError as error:
                    driver.add(_lost(point, error))
            speeds = bench.speeds([built.lane for _, built in opened], AGAIN_SECONDS * len(opened)) if opened else []
            for (point, built), speed in zip(opened, speeds, strict=True):
                driver.tell(f"{point.title}, again")
                driver.add(_measured_again(bench, point, built, speed))
        first = driver.search.points[0]
        driver.add(msgspec.structs.replace(first, again=Measured(Speed(1.0, 1.0, 1.0, 0), quality)))


def _measured_again(bench: Bench, point: Point, built: Built, speed: Speed) -> Point:
    """With `again`. A plan that fails now is none to claim, and says why."""
    try:
        return msgspec.structs.replace(point, again=Measured(speed, bench.quality(built)))
    except WorkbenchError as error:
        return _lost(point, error)


def _lost(point: Point, error: WorkbenchError) -> Point:
    return msgspec.structs.replace(point, first=None, reason=f"When it was measured again: {error}")
