"""Evaluating plans: what a precision plan does to the outputs, by the exact simulator, without building an engine.

Whatever is the same for all plans of one model is done once: reading samples, the reference's outputs, calibration.
What was measured is kept by content, so that whoever asks again, or goes on after being killed, need not wait again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from workbench.backends.base import Feed, load_backend
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.layer_errors import LOST_DB
from workbench.core.model import Model, Shape, TypedModel
from workbench.core.precision import PrecisionPlan, Rule
from workbench.core.run import BuildConfig, RunRequest
from workbench.core.sensitivity import Evaluation
from workbench.data import SampleSet
from workbench.measure.accuracy import OutputErrors
from workbench.measure.machine import physical_cores
from workbench.measure.metrics.base import Label, Sample, Scorer
from workbench.measure.reference import Reference
from workbench.measure.statistics import bootstrap
from workbench.measure.tasks import make_scorer
from workbench.measure.timing import stop_if
from workbench.model import check_shapes, open_model
from workbench.pipeline.building import writes_fp16
from workbench.pipeline.calibrating import Seen, observations, passes_left_out
from workbench.pipeline.journal import Journal, journal_key
from workbench.pipeline.reference_outputs import KeptPairs, Outputs, ReferenceOutputs
from workbench.pipeline.samples import NONE, evaluation_set, fixed_values, resolved_shapes
from workbench.pipeline.telling import Teller
from workbench.precision import BaseGraphs, NothingWrittenError, compile_plan, without_halves

KEPT_BYTES = 256 * 2**20
"""Of samples and of the reference's outputs that stay in memory; the rest is read again for every plan."""
EQUAL_DB = 140.0
"""Float32 against float32 is about as near; nearer is nearer by chance."""
EXACT = Evaluation(sqnr_db=-LOST_DB, low_db=-LOST_DB, high_db=-LOST_DB)


class Subject(NamedTuple):
    """What is the same for all plans: the model at its shapes, with fixed inputs, the samples it is judged on, and the
    form that precisions are written in."""

    model: Model
    shapes: dict[str, Shape]
    fixed: Feed
    samples: SampleSet
    dialect: Dialect


class PlanEvaluator:
    """`evaluate` any plan of the model of `request`. A context manager.

    At most `request.evaluation_limit` samples are used, drawn over the whole set.
    """

    def __init__(self, teller: Teller, request: RunRequest, folder: Path, *covering: PrecisionPlan) -> None:
        """`folder` takes the typed model of one plan after the other. What `covering` plans (without them: that of
        `request`) need of the calibration set is observed once. Raises WorkbenchError and Cancelled."""
        if request.evaluation == NONE:
            raise WorkbenchError("Plans are compared on samples, and none are given.", "Choose an evaluation set.")
        self._teller, self._request, self._folder = teller, request, folder
        self.subject = _subject(teller, request)
        self._seen = _calibrated(teller, request, self.subject, covering or (request.config.plan,))
        self._bases = BaseGraphs(self.subject.model, self.subject.shapes, self.subject.fixed)
        self._reference = ReferenceOutputs(self.subject.model)
        self._pairs = _Pairs(teller, self.subject.samples, self._reference)
        key = journal_key(self.subject, request, self._pairs.feeds(), _calibration_key(self._seen))
        self._journal = Journal(key, self.subject.model)

    def __enter__(self) -> Self:
        self._reference.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reference.__exit__(kind, error, trace)

    def evaluate(self, plan: PrecisionPlan) -> Evaluation:
        """The plan on every sample; at once where it was measured before.

        A plan of which nothing can be written is the model in FP32: exact. Where it cannot be compiled or run, the
        evaluation says why. Raises Cancelled.
        """
        known = self._journal.get(plan)
        if known is None:
            known = self._measured(plan)
            self._journal.put(plan, known)
        return known

    def is_known(self, plan: PrecisionPlan) -> bool:
        """Whether it was measured before, and costs nothing."""
        return self._journal.get(plan) is not None

    def compile(self, plan: PrecisionPlan) -> TypedModel:
        """The plan written into the ONNX, in the folder; the next plan takes its place. Raises WorkbenchError."""
        on = self.subject
        plan = msgspec.structs.replace(plan, skip=passes_left_out(_config(self._request, plan)))
        seen = self._seen and self._seen.observations
        return compile_plan(on.model, plan, on.dialect, on.shapes, self._folder, seen, on.fixed, self._bases)

    def _measured(self, plan: PrecisionPlan) -> Evaluation:
        start = perf_counter()
        try:
            typed = self.compile(plan)
            with simulator(typed) as runner:
                found = self._compared(runner)
        except NothingWrittenError:
            found = msgspec.structs.replace(EXACT, samples=self.subject.samples.size)
        except WorkbenchError as error:
            found = Evaluation(reason=str(error))
        return msgspec.structs.replace(found, seconds=perf_counter() - start)

    def _compared(self, runner: Reference) -> Evaluation:
        sums = _Sums(self._scorer())
        for feed, expected, label in self._pairs:
            stop_if(self._teller.cancelled)
            sums.add(Sample(expected, runner.infer(feed), label, feed))
        return sums.evaluation()

    def _scorer(self) -> Scorer | None:
        if self.subject.samples.is_random:
            return None
        try:
            return make_scorer(self._request.recipe.task, self.subject.model.metadata, self._request.allowed_code)
        except WorkbenchError as error:
            self._teller.log(f"The task is not scored: {error}", "warning")
            return None


def simulator(typed: TypedModel) -> Reference:
    """Runs what the typed ONNX says, exactly. Raises WorkbenchError."""
    return Reference(without_halves(typed.path) or typed.path, min(2, physical_cores()))


def _subject(teller: Teller, request: RunRequest) -> Subject:
    teller.progress("open", text=Path(request.model_path).stem)
    model = open_model(request.model_path)
    shapes = resolved_shapes(request, model)
    check_shapes(model, shapes)
    samples = evaluation_set(request, model, shapes)
    fixed = fixed_values(request, model, shapes, samples)
    return Subject(model, shapes, fixed, samples, written(load_backend(request.config.backend).dialect()))


def written(dialect: Dialect) -> Dialect:
    """The dialect with what its backend runs by itself (FP16, BF16 as a hint) written into the graph: only what is
    written can be simulated, and chosen node by node."""
    how = {precision: How.GRAPH if how is How.HINT else how for precision, how in dialect.how.items()}
    return msgspec.structs.replace(dialect, how=how)


def _calibrated(teller: Teller, request: RunRequest, on: Subject, plans: tuple[PrecisionPlan, ...]) -> Seen | None:
    """One look at the calibration set for everything that any of the plans needs."""
    rules = tuple(Rule(precision) for precision in sorted(frozenset().union(*(plan.precisions for plan in plans))))
    everything = msgspec.structs.replace(plans[0], rules=rules)
    asked = msgspec.structs.replace(request, config=_config(request, everything))
    overflow = writes_fp16(everything, on.dialect)
    return observations(teller, asked, on.model, on.shapes, on.fixed, overflow=overflow)[0]


def _calibration_key(seen: Seen | None) -> str:
    return f"{seen.key} {len(seen.observations.amaxes)}" if seen else ""


def _config(request: RunRequest, plan: PrecisionPlan) -> BuildConfig:
    return msgspec.structs.replace(request.config, plan=plan)


class _Pairs:
    """Every sample with the reference's outputs and its label, in memory as far as there is room."""

    def __init__(self, teller: Teller, samples: SampleSet, reference: ReferenceOutputs) -> None:
        self._teller, self._samples, self._reference = teller, samples, reference
        self._kept = KeptPairs(samples, KEPT_BYTES)

    def feeds(self) -> Iterator[Feed]:
        return (self._pair(index)[0] for index in range(self._samples.size))

    def __iter__(self) -> Iterator[tuple[Feed, Outputs, Label | None]]:
        labels = self._samples.labels
        for index in range(self._samples.size):
            yield *self._pair(index), labels[index] if labels else None

    def _pair(self, index: int) -> tuple[Feed, Outputs]:
        if index in self._kept:
            return self._kept.pair(index, self._reference)
        stop_if(self._teller.cancelled)
        pair = self._kept.pair(index, self._reference)
        self._teller.progress("accuracy", index + 1, self._samples.size, f"reference of {self._samples.name}")
        return pair


class _Sums:
    """Figures of one plan, sample by sample."""

    def __init__(self, scorer: Scorer | None) -> None:
        self._scorer = scorer
        self._all = OutputErrors()
        self._each: list[float] = []

    def add(self, sample: Sample) -> None:
        one = OutputErrors()
        for errors in (self._all, one):
            errors.add(sample.reference, sample.actual)
        self._each.append(one.worst_sqnr_db())
        try:
            if self._scorer is not None:
                self._scorer.add(sample)
        except WorkbenchError:  # NaN is no answer; the figures of the outputs say so
            self._scorer = None

    def evaluation(self) -> Evaluation:
        samples, task = len(self._each), self._scorer.result() if self._scorer else None
        if not self._all.errors():
            return Evaluation(samples, reason="No output is a tensor that could be compared.")
        low, high = bootstrap(self._each, mean_sqnr_db)
        agreement = self._all.agreement()
        return Evaluation(samples, mean_sqnr_db(self._each), low, high, tuple(self._each), agreement, task)


def mean_sqnr_db(each: ArrayLike) -> float:
    """Of samples, in dB: the geometric mean of their noise.

    Behind a softmax a few samples whose answer flips have nearly all of the power; the mean of decibels asks every
    sample. One that is broken breaks all; equal bits count as 140 dB, but where all are equal.
    """
    values = np.asarray(each, dtype=np.float64)
    if values.size == 0 or values.min() <= LOST_DB:
        return LOST_DB
    return -LOST_DB if values.min() >= -LOST_DB else float(np.minimum(values, EQUAL_DB).mean())
