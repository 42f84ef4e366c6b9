"""Checking accuracy: the real engine against the reference, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.events import Checked
from workbench.core.run import Accuracy
from workbench.data import SampleSet
from workbench.measure.accuracy import OutputErrors
from workbench.measure.machine import physical_cores
from workbench.measure.reference import SIMULATED, TITLE, Reference
from workbench.measure.tasks import Scorer, make_scorer
from workbench.pipeline.building import Built
from workbench.pipeline.record import Record
from workbench.pipeline.reference_outputs import Outputs, ReferenceOutputs
from workbench.pipeline.samples import NONE

NOT_ASKED = "Accuracy was not asked for."
RANDOM_WARNING = "Random inputs: no labels, only output error. It says little about real data."
AnyScorer = Scorer[int] | Scorer[str]
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
        except WorkbenchError as error:
            accuracy = Accuracy(TITLE, 0, samples.name, reason=str(error))
        record.checked(accuracy)


def _engine_or_simulator(built: Built, stack: ExitStack) -> tuple[Infer, str]:
    """The engine where it runs here; else the typed ONNX in ONNX Runtime, which computes exactly what is written."""
    try:
        return stack.enter_context(built.engine.runner()).infer, ""
    except WorkbenchError as error:
        why = str(error)
    try:
        simulator = stack.enter_context(Reference(built.typed.path, min(2, physical_cores())))
    except WorkbenchError as error:
        raise WorkbenchError(f"The engine cannot run here ({why}), and its typed ONNX neither: {error}") from error
    return simulator.infer, f"The engine cannot run here ({why.rstrip('.')}): these figures are {SIMULATED}."


class _Check:
    """The running sums of one check."""

    def __init__(self, record: Record, built: Built, samples: SampleSet, simulated: str) -> None:
        self._record, self._built, self._samples = record, built, samples
        self._simulated = simulated
        self._errors = OutputErrors()
        self._warnings: dict[str, None] = dict.fromkeys([simulated] if simulated else [])
        self._scorer = self._make_scorer()

    def _make_scorer(self) -> AnyScorer | None:
        if self._samples.is_random:
            self._warnings[RANDOM_WARNING] = None
            return None
        try:
            return make_scorer(self._record.request.recipe.task, self._built.model)
        except WorkbenchError as error:
            self._warnings[f"The task could not be scored: {error}"] = None
            return None

    def run(self, infer: Infer) -> Accuracy:
        total = self._samples.size
        self._record.progress("accuracy", 0, total, self._samples.name)
        with ReferenceOutputs(self._built.model) as reference:
            for done, feed in enumerate(self._samples):
                self._record.stop_if_cancelled()
                self._add(done, reference.infer(feed), infer(feed))
                self._tell(done + 1, total)
        return self._accuracy(total)

    def _add(self, index: int, expected: Outputs, got: Outputs) -> None:
        self._errors.add(expected, got)
        if self._scorer is None:
            return
        label = self._samples.labels[index] if self._samples.labels else None
        try:
            self._scorer.add(expected, got, label)
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
            )
        )

    def _accuracy(self, samples: int) -> Accuracy:
        scored = self._scorer.warnings() if self._scorer else ()
        return Accuracy(
            reference=f"{TITLE}; {SIMULATED}" if self._simulated else TITLE,
            samples=samples,
            source=self._samples.name,
            outputs=self._errors.errors(),
            task=self._scorer.result() if self._scorer else None,
            warnings=(*self._warnings, *self._errors.warnings(), *scored, *self._samples.warnings),
        )
