"""Numbers: root mean squared and mean absolute error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.metrics.base import Label, Sample, Scorer
from workbench.measure.statistics import bootstrap, bootstrap_difference


class Regression(Scorer):
    """RMSE = sqrt(mean (y - t)^2) over all values of all samples; in `extra` MAE = mean |y - t|.

    Without labels the reference's outputs stand for them, and the metric says so.
    """

    kind = TaskKind.REGRESSION

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._rows: list[tuple[float, float, float, float]] = []  # mean square and mean absolute, engine and reference
        self._has_labels = True

    def add(self, sample: Sample) -> None:
        got, expected = (self.pick_finite(o).astype(np.float64).ravel() for o in (sample.actual, sample.reference))
        self._has_labels &= sample.label is not None
        truth = expected if sample.label is None else _numbers(sample.label, got.size)
        off, reference_off = got - truth, expected - truth
        parts = [(float(np.mean(d * d)), float(np.mean(np.abs(d)))) for d in (off, reference_off)]
        self._rows.append((*parts[0], *parts[1]))

    def result(self) -> TaskResult | None:
        if not self._rows:
            return None
        rows = np.array(self._rows)
        low, high = bootstrap(rows[:, 0], _rmse)
        extra = {"mae": float(rows[:, 1].mean())}
        if self._has_labels:
            extra["reference_mae"] = float(rows[:, 3].mean())
        return TaskResult(
            "RMSE" if self._has_labels else "RMSE against FP32",
            _rmse(rows[:, 0]),
            len(rows),
            low,
            high,
            reference=_rmse(rows[:, 2]) if self._has_labels else None,
            extra=extra,
            is_share=False,
            is_error=True,
        )

    def loss(self) -> tuple[float, float, float] | None:
        """Error more than FP32's."""
        if not (self._rows and self._has_labels):
            return None
        return bootstrap_difference(self._rows, lambda rows: _rmse(rows[:, 0]) - _rmse(rows[:, 2]))


def _rmse(squares: NDArray[np.float64]) -> float:
    return float(np.sqrt(squares.mean()))


def _numbers(label: Label, size: int) -> NDArray[np.float64]:
    try:
        found = np.asarray(label, dtype=np.float64).ravel()
    except ValueError as error:
        raise WorkbenchError(f"Label {label!r} is no number.", "A regression needs numbers as labels.") from error
    if found.size not in (1, size):
        raise WorkbenchError(f"A label has {found.size} values, the output {size}.")
    return found


METRIC = Regression
