"""Checking accuracy: the real engine against the reference, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice

import msgspec

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.events import Checked
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.core.run import Accuracy, SimulatorCheck
from workbench.data import SampleSet
from workbench.measure.accuracy import OutputErrors
from workbench.measure.machine import physical_cores
from workbench.measure.metrics.base import Sample, Scorer
from workbench.measure.metrics.function import code_digest as code_digest
from workbench.measure.reference import SIMULATED, TITLE, Reference
from workbench.measure.tasks import make_scorer
from workbench.model.kinds import RANDOM
from workbench.pipeline.building import Built
from workbench.pipeline.record import Record
from workbench.pipeline.reference_outputs import Outputs, ReferenceOutputs
from workbench.pipeline.samples import NONE
from workbench.precision import without_halves

NOT_ASKED = "Accuracy was not asked for."
NOTHING_TO_COMPARE = "No output is a tensor that could be compared."
SIMULATED_SAMPLES = 8
Infer = Callable[[Feed], Outputs]


def check_accuracy(record: Record, built: Built, samples: SampleSet) -> None:
    """Compares on every sample and saves `Accuracy`; where that cannot be, the reason stands in its place."""
    if record.request.evaluation == NONE:
        record.checked(Accuracy("", 0, "", reason=NOT_ASKED))
        return
    for warning in samples.warnings:
        record.log(warning, "warning")
    with ExitStack() as stack:
        try:
            infer, how = _engine_or_simulator(built, stack)
            accuracy = _Check(record, built, samples, how).run(infer)
            if not how and is_written(built):
                accuracy = with_simulator(accuracy, compare_with_simulator(record, built, samples, infer))
        except WorkbenchError as error:
            accuracy = Accuracy(TITLE, 0, samples.name, reason=str(error))
        record.checked(accuracy)


def is_written(built: Built) -> bool:
    """Whether the plan's precisions stand in the typed ONNX: then engine and simulator compute the same."""
    plain = {Precision.FP32, Precision.TF32}
    return built.typed.hint == Precision.FP32 and not set(built.typed.asked.values()) <= plain


def compare_with_simulator(record: Record, built: Built, samples: SampleSet, infer: Infer) -> SimulatorCheck | None:
    """Engine and exact simulator against the reference on the same few samples; None where it cannot run them."""
    engine, simulated, count = OutputErrors(), OutputErrors(), 0
    try:
        with ReferenceOutputs(built.model) as reference, _simulator(built) as simulator:
            for feed in islice(samples, SIMULATED_SAMPLES):
                count += 1
                record.stop_if_cancelled()
                expected = reference.infer(feed)
                engine.add(expected, infer(feed))
                simulated.add(expected, simulator.infer(feed))
    except WorkbenchError as error:
        record.log(f"The exact simulator cannot run this typed ONNX: {error}")
        return None
    return SimulatorCheck(count, engine.worst_sqnr_db(), simulated.worst_sqnr_db())


def with_simulator(accuracy: Accuracy, check: SimulatorCheck | None) -> Accuracy:
    """With both figures, and a warning where they part by more than 6 dB.

    An engine that computes something else than its ONNX says is a bug of the engine, and this is how one shows.
    """
    if check is None:
        return accuracy
    warnings = accuracy.warnings
    if check.parts:
        warnings += (
            f"The engine is {check.engine_db:.1f} dB from the reference, its typed ONNX computed exactly"
            f" {check.simulator_db:.1f} dB (over {check.samples} samples): the engine computes something else than what"
            " is written.",
        )
    return msgspec.structs.replace(accuracy, simulator=check, warnings=warnings)


def _threads() -> int:
    return min(2, physical_cores())


def _simulator(built: Built) -> Reference:
    """Computes what the typed ONNX says; half types, which ONNX Runtime does not round to, by roundings written out."""
    return Reference(without_halves(built.typed.path) or built.typed.path, _threads())


def _engine_or_simulator(built: Built, stack: ExitStack) -> tuple[Infer, str]:
    """The engine where it runs here; else the typed ONNX in ONNX Runtime, which computes exactly what is written."""
    try:
        return stack.enter_context(built.engine.runner()).infer, ""
    except WorkbenchError as error:
        why = str(error)
    try:
        simulator = stack.enter_context(_simulator(built))
    except WorkbenchError as error:
        raise WorkbenchError(f"The engine cannot run here ({why}), and its typed ONNX neither: {error}") from error
    return simulator.infer, f"The engine cannot run here ({why.rstrip('.')}): these figures are {SIMULATED}."


def _drawn(model: Model) -> str:
    """A warning where outputs are not the same twice."""
    drawn = sorted({layer.op for layer in model.graph.walk() if layer.op in RANDOM})
    return f"The model draws random numbers ({', '.join(drawn)}): its outputs are not the same twice." if drawn else ""


class _Check:
    """The running sums of one check."""

    def __init__(self, record: Record, built: Built, samples: SampleSet, simulated: str) -> None:
        self._record, self._built, self._samples = record, built, samples
        self._simulated = simulated
        self._errors = OutputErrors()
        told = (simulated, _drawn(built.model))
        self._warnings: dict[str, None] = dict.fromkeys(text for text in told if text)
        self._scorer = self._make_scorer()

    def _make_scorer(self) -> Scorer | None:
        if self._samples.is_random:
            return None  # no labels; the set itself says loudly that it is random
        try:
            request = self._record.request
            return make_scorer(request.recipe.task, self._built.model.metadata, request.allowed_code)
        except WorkbenchError as error:
            self._warnings[f"The task could not be scored: {error}"] = None
            return None

    def run(self, infer: Infer) -> Accuracy:
        total = self._samples.size
        self._record.progress("accuracy", 0, total, self._samples.name)
        with ReferenceOutputs(self._built.model) as reference:
            for done, feed in enumerate(self._samples):
                self._record.stop_if_cancelled()
                self._add(done, feed, reference.infer(feed), infer(feed))
                self._tell(done + 1, total)
        return self._accuracy(total)

    def _add(self, index: int, feed: Feed, expected: Outputs, got: Outputs) -> None:
        self._errors.add(expected, got)
        if self._scorer is None:
            return
        label = self._samples.labels[index] if self._samples.labels else None
        try:
            self._scorer.add(Sample(expected, got, label, feed))
        except WorkbenchError as error:
            self._warnings[f"The task could not be scored: {error}"] = None
            self._scorer = None

    def _tell(self, done: int, total: int) -> None:
        self._record.progress("accuracy", done, total, f"{done} of {total} samples of {self._samples.name}")
        if not self._record.throttle.lets("checked", always=done == total):
            return
        task = self._scorer.result() if self._scorer else None
        self._record.emit(
            Checked(
                self._record.run.id,
                done,
                total,
                self._errors.worst_sqnr_db(),
                task.metric if task else "",
                task.value if task else None,
                task.low if task else None,
                task.high if task else None,
                task.is_share if task else True,
            )
        )

    def _accuracy(self, samples: int) -> Accuracy:
        scored = self._scorer.warnings() if self._scorer else ()
        outputs, task = self._errors.errors(), self._scorer.result() if self._scorer else None
        return Accuracy(
            reference=f"{TITLE}; {SIMULATED}" if self._simulated else TITLE,
            samples=samples,
            source=self._samples.name,
            outputs=outputs,
            task=task,
            reason="" if outputs or task else NOTHING_TO_COMPARE,
            warnings=(*self._warnings, *self._errors.warnings(), *scored, *self._samples.warnings),
        )
