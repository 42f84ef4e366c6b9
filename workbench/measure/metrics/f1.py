"""F1: the harmonic mean of precision and recall, of one class or the mean over classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.metrics.base import Label, Sample, Scorer, scores_of
from workbench.measure.statistics import bootstrap, bootstrap_difference

Row = NDArray[np.float64]


class F1(Scorer):
    """Of scores [1, classes]; one score, or a threshold, makes each class a yes or no, else the best class is the one.

    F1 of a class = 2 TP / (2 TP + FP + FN); macro F1 = their mean over classes that occur in labels or answers
    (Opitz and Burst, "Macro F1 and Macro F1", 2019, the mean of F1s). With one score: F1 of "yes".
    """

    kind = TaskKind.F1

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._rows: list[Row] = []  # truth, answer of the engine, answer of the reference; class after class
        self._agreed = self._n = 0

    def add(self, sample: Sample) -> None:
        got, expected = (self._answer(self.pick(outputs)) for outputs in (sample.actual, sample.reference))
        self._n += 1
        self._agreed += bool(np.array_equal(got, expected))
        if sample.label is not None:
            self._rows.append(np.concatenate([self._truth(sample.label, got.size), got, expected]))

    def _answer(self, output: NDArray[np.generic]) -> Row:
        scores = scores_of(output)
        if scores.size == 1 or self.task.threshold is not None:
            threshold = 0.5 if self.task.threshold is None else self.task.threshold
            return _yes(scores >= threshold)
        return _yes((np.arange(scores.size) == scores.argmax()) & ~np.isnan(scores).any())

    def _truth(self, label: Label, classes: int) -> Row:
        """A row of yes and no, or the number of the one class; of one score the yes or no itself."""
        if isinstance(label, tuple):
            truth = np.asarray(label, dtype=np.float64)
            if truth.size != classes:
                raise WorkbenchError(f"A label has {truth.size} values, the output {classes} classes.")
            return _yes(truth > 0.5)
        place = self._place(label)
        if classes == 1:
            return np.array([float(place > 0)])
        if not 0 <= place < classes:
            raise WorkbenchError(f"Label {label} is none of the {classes} classes of the output.")
        return _yes(np.arange(classes) == place)

    def _place(self, label: str | int | float) -> int:
        names = [name.casefold() for name in self.task.labels]
        if isinstance(label, str) and label.casefold() in names:
            return names.index(label.casefold())
        try:
            return int(float(label))
        except ValueError as error:
            raise WorkbenchError(f"Label {label!r} is none of the task's.", "List its labels in the recipe.") from error

    def result(self) -> TaskResult | None:
        if not self._rows:
            return None
        rows = np.stack(self._rows)
        low, high = bootstrap(rows, _engine_f1)
        name = "F1" if rows.shape[1] == 3 else "macro F1"
        reference = _f1(*np.split(rows, 3, axis=1)[::2])
        agreement = self._agreed / self._n
        return TaskResult(name, _engine_f1(rows), len(rows), low, high, reference, agreement)

    def loss(self) -> tuple[float, float, float] | None:
        return bootstrap_difference(np.stack(self._rows), _lost) if self._rows else None


def _yes(flags: NDArray[np.bool_]) -> Row:
    return np.asarray(flags, dtype=np.float64)


def _engine_f1(rows: Row) -> float:
    truth, got, _ = np.split(rows, 3, axis=1)
    return _f1(truth, got)


def _lost(rows: Row) -> float:
    truth, got, expected = np.split(rows, 3, axis=1)
    return _f1(truth, expected) - _f1(truth, got)


def _f1(truth: Row, got: Row) -> float:
    right = (truth * got).sum(axis=0)
    either = truth.sum(axis=0) + got.sum(axis=0)  # 2 TP + FP + FN
    seen = either > 0
    return float((2 * right[seen] / either[seen]).mean()) if seen.any() else 0.0


METRIC = F1
