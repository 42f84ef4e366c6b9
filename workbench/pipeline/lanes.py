"""Engines side by side: visited in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import msgspec

from workbench.backends.base import Feed, Runner, load_backend
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, Run, RunRequest
from workbench.measure.statistics import Speedup, confidence_at_look, paired_speedup
from workbench.measure.timing import stop_if
from workbench.pipeline.engines import make_engine
from workbench.pipeline.files import RUN_FILE, TYPED_FILE, TYPED_MODEL_FILE
from workbench.pipeline.samples import evaluation_set, timing_feeds
from workbench.pipeline.tuned import effective, with_options

SLOT_MS = 20.0
SLOT_ITERATIONS = 3
LONG_MS = 200.0
"""An inference from here on is a visit by itself: what the caches held is nothing to it, and three would take minutes
of a budget of seconds."""


class Lane(msgspec.Struct):
    """One engine: its turns of inputs, every latency, and one value per round, in ms."""

    run: str
    typed: TypedModel
    runner: Runner
    feeds: Sequence[Feed]
    turns: Iterator[Feed]
    latencies: list[float] = []
    rounds: list[float] = []

    @property
    def median_ms(self) -> float:
        return statistics.median(self.latencies)

    def speedup(self, baseline: Lane, look: int) -> Speedup:
        """Against `baseline`, over their common rounds; the interval is that of the `look`-th look."""
        return paired_speedup(baseline.rounds, self.rounds, confidence_at_look(look))

    def forget(self) -> None:
        """What was measured so far was warm-up."""
        self.latencies.clear()
        self.rounds.clear()


def open_lane(run: RunRequest, config: BuildConfig, folder: Path, stack: ExitStack) -> Lane:
    """The engine of a finished run, found or built again with `config` from what lies in the run's folder.

    Raises WorkbenchError where it cannot be built or run here.
    """
    typed = read_json(Path(run.folder) / TYPED_MODEL_FILE, TypedModel)
    typed = msgspec.structs.replace(typed, path=str(Path(run.folder) / TYPED_FILE))
    folder.mkdir(exist_ok=True)
    config = _as_built(run, config) or effective(typed, config).config
    engine = make_engine(load_backend(config.backend), typed, config, folder, lambda *_: None, run=run.id).engine
    feeds = timing_feeds(evaluation_set(run, typed.model, typed.shapes))
    return Lane(run.id, typed, stack.enter_context(engine.runner()), feeds, cycle(feeds))


def _as_built(run: RunRequest, config: BuildConfig) -> BuildConfig | None:
    """With the options that the run was tuned with: a later search may have found others. None: it does not say."""
    path = Path(run.folder) / RUN_FILE
    if not config.tuned or not path.is_file():
        return None
    build = read_json(path, Run).build
    plain = msgspec.structs.replace(config, tuned=False)
    return with_options(plain, build.tuned) if build is not None and build.tuned else None


def run_round(lanes: Sequence[Lane], cancelled: Callable[[], bool]) -> None:
    """Visits all lanes forwards and then backwards (A B B A): a steady drift falls out of the mean of the two."""
    there = [_visit(lane, cancelled) for lane in lanes]
    back = [_visit(lane, cancelled) for lane in reversed(lanes)][::-1]
    for lane, pair in zip(lanes, zip(there, back, strict=True), strict=True):
        lane.rounds.append(statistics.fmean(pair))


def _visit(lane: Lane, cancelled: Callable[[], bool]) -> float:
    """The median latency of one visit, ms. Its first inference finds the caches full of another engine, whose idle
    threads may spin on for a ms or two (ONNX Runtime's): not counted, unless it is a long one."""
    stop_if(cancelled)
    first = lane.runner.time(next(lane.turns))
    if first >= LONG_MS:
        lane.latencies.append(first)
        return first
    visit: list[float] = []
    total = 0.0
    while len(visit) < SLOT_ITERATIONS or total < SLOT_MS:
        visit.append(lane.runner.time(next(lane.turns)))
        total += visit[-1]
    lane.latencies.extend(visit)
    return statistics.median(visit)
