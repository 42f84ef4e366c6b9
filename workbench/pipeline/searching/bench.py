"""The bench: one plan after another is written, built, run on the samples, and timed beside FP32."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import msgspec

from workbench.backends.base import Engine, load_backend
from workbench.core.graph import Layer
from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import RunRequest
from workbench.core.search import Measured, Quality, Speed
from workbench.data import open_samples
from workbench.measure.layer_pass import measure_layers
from workbench.measure.timing import stop_if
from workbench.model import check_shapes, open_model
from workbench.pipeline.building import writes_fp16
from workbench.pipeline.calibrating import Seen, observations, passes_left_out
from workbench.pipeline.lanes import Lane, run_round
from workbench.pipeline.racing import FIRST_LOOK, until_decided
from workbench.pipeline.samples import NONE, TIMING_FEEDS, evaluation_set, fixed_values, resolved_shapes
from workbench.pipeline.searching.scoring import Scoring
from workbench.pipeline.telling import Teller
from workbench.pipeline.tuned import effective
from workbench.precision import BaseGraphs, compile_plan

LAYER_SECONDS = 0.5
ROUND_SECONDS = 2.0
"""Most that one candidate is timed beside FP32."""


class Built(msgspec.Struct, frozen=True):
    """The engine of one plan, open."""

    engine: Engine
    lane: Lane


class Bench:
    """Holds the model, what calibration saw, the samples, and FP32's engine, to which all are compared.

    A context manager of one process. Raises WorkbenchError where FP32 cannot be built and run here.
    """

    def __init__(self, request: RunRequest, folder: Path, teller: Teller, samples: str = "", *, again: bool = False):
        """`samples` is another set than the request's evaluation set. `again`: samples come in another order."""
        self._request, self._folder, self._teller = request, folder, teller
        self.backend = load_backend(request.config.backend)
        teller.progress("open", text=Path(request.model_path).stem)
        self.model: Model = open_model(request.model_path)
        self.shapes = resolved_shapes(request, self.model)
        check_shapes(self.model, self.shapes)
        evaluation = evaluation_set(request, self.model, self.shapes)
        self._fixed = fixed_values(request, self.model, self.shapes, evaluation)
        if samples not in ("", NONE):
            evaluation = open_samples(samples, self.model, request.recipe, self.shapes)
        self.scoring = Scoring(request, self.model, evaluation, shuffled=again)
        self._feeds = self.scoring.feeds(TIMING_FEEDS)
        self._bases = BaseGraphs(self.model, self.shapes, self._fixed)
        self._seen: dict[tuple[bool, bool], Seen | None] = {}
        self._stack = ExitStack()
        self._count = 0
        self.baseline: Lane

    def __enter__(self) -> Bench:
        with ExitStack() as stack:
            self.baseline = stack.enter_context(self.built(PrecisionPlan(skip=self._request.config.plan.skip))).lane
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @contextmanager
    def built(self, plan: PrecisionPlan) -> Iterator[Built]:
        """The engine of a plan, closed and its files removed afterwards. Raises WorkbenchError."""
        self._count += 1
        folder = self._folder / f"engine{self._count}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with ExitStack() as stack:
                yield self._open(plan, folder, stack)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _open(self, plan: PrecisionPlan, folder: Path, stack: ExitStack) -> Built:
        config = msgspec.structs.replace(self._request.config, plan=plan)
        seen = self._observed(plan)
        whole = msgspec.structs.replace(plan, skip=passes_left_out(config))
        found = seen and seen.observations
        dialect = self.backend.dialect()
        typed = compile_plan(self.model, whole, dialect, self.shapes, folder, found, self._fixed, self._bases)
        stop_if(self._teller.cancelled)
        engine = self.backend.build(typed, effective(typed, config).config, folder, lambda *_: None)
        runner = stack.enter_context(engine.runner())
        lane = Lane(folder.name, typed, runner, self._feeds, cycle(self._feeds), [], [])
        return Built(engine, lane)

    def _observed(self, plan: PrecisionPlan) -> Seen | None:
        """What calibration saw, once for all plans that need as much: it holds the ranges of every method."""
        if not plan.uses_calibration:
            return None
        key = plan.needs_calibration, writes_fp16(plan, self.backend.dialect())
        if key not in self._seen:
            default = Precision.INT8 if plan.needs_calibration else Precision.FP16
            asked = PrecisionPlan(default=default, skip=plan.skip, calibration=plan.calibration)
            config = msgspec.structs.replace(self._request.config, plan=asked)
            request = msgspec.structs.replace(self._request, config=config)
            found = observations(self._teller, request, self.model, self.shapes, self._fixed, overflow=key[1])
            self._seen[key] = found[0]
        return self._seen[key]

    def measure(self, built: Built, seconds: float = ROUND_SECONDS) -> Measured:
        """Accuracy on the samples, then time in turns with FP32 until it is decided, or for `seconds`."""
        return Measured(self.speed(built, seconds), self.quality(built))

    def quality(self, built: Built, count: int = 0) -> Quality:
        return self.scoring.quality(built.lane.runner.infer, self._teller.cancelled, count)

    def speed(self, built: Built, seconds: float = ROUND_SECONDS) -> Speed:
        """FP32 against this engine, in turns."""
        return self.speeds([built.lane], seconds)[0]

    def speeds(self, lanes: Sequence[Lane], seconds: float) -> list[Speed]:
        """Of several engines in turns with FP32 and each other."""
        every = [self.baseline, *lanes]
        for lane in every:
            lane.forget()
        pace = until_decided(every, seconds, self._teller.cancelled, lambda pace: None)
        found = [lane.speedup(self.baseline, pace.looks) for lane in lanes]
        return [Speed(one.ratio, one.low, one.high, one.pairs) for one in found]

    def baseline_ms(self) -> float:
        """FP32's own median, alone."""
        self.baseline.forget()
        for _ in range(FIRST_LOOK // 2):
            run_round([self.baseline], self._teller.cancelled)
        return self.baseline.median_ms

    def layer_ms(self, built: Built, nodes: Collection[str]) -> dict[str, float]:
        """Mean ms of the layers that each of these source nodes was fused into.

        Empty where the engine tells none. Raises WorkbenchError where it cannot be made to.
        """
        with built.engine.runner(layers=True) as runner:
            times = measure_layers(runner, self._feeds, LAYER_SECONDS, lambda *_: None, self._teller.cancelled).layers
        return shared_out(built.engine.graph.layers, times, nodes)


def shared_out(layers: Sequence[Layer], times: Mapping[str, float], nodes: Collection[str]) -> dict[str, float]:
    """Layer times by source node; a layer of several of these nodes in equal parts."""
    found: dict[str, float] = {}
    for layer in layers:
        own = [node for node in layer.sources if node in nodes]
        for node in own if layer.id in times else ():
            found[node] = found.get(node, 0.0) + times[layer.id] / len(own)
    return found
