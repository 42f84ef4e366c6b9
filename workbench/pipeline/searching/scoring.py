"""How right the engine of a plan is: its outputs and its task's metric against FP32, in pairs, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.run import RunRequest, TaskResult
from workbench.core.search import SQNR, Quality
from workbench.data import SampleSet
from workbench.measure.accuracy import SQNR_CAP_DB, OutputErrors
from workbench.measure.metrics.base import Sample, Scorer
from workbench.measure.statistics import bootstrap
from workbench.measure.tasks import make_scorer
from workbench.measure.timing import stop_if
from workbench.pipeline.reference_outputs import KeptPairs, Outputs, ReferenceOutputs

KEPT_BYTES = 512 * 2**20
"""Of samples and of the reference's outputs."""
AGREEMENT = "agreement"
Infer = Callable[[Feed], Outputs]


class Scoring:
    """One sample set in one order, and the reference's outputs on it."""

    def __init__(self, request: RunRequest, model: Model, samples: SampleSet, *, shuffled: bool = False) -> None:
        """Raises WorkbenchError where the task cannot be scored at all."""
        self._request, self._model, self.samples = request, model, samples
        self._order: Sequence[int] = range(samples.size)
        if shuffled:
            self._order = np.random.default_rng().permutation(samples.size).tolist()
        self._pairs = KeptPairs(samples, KEPT_BYTES)
        self._make_scorer()

    def feeds(self, count: int) -> list[Feed]:
        """Inputs to time with."""
        return [self.samples.feed(index) for index in self._order[:count]]

    def quality(self, infer: Infer, cancelled: Callable[[], bool], count: int = 0) -> Quality:
        """On the first `count` samples (0: all). Raises WorkbenchError where the engine or the reference gives up."""
        errors, scorer, shares = OutputErrors(), self._make_scorer(), list[float]()
        with ReferenceOutputs(self._model) as reference:
            for index in self._order[: count or None]:
                stop_if(cancelled)
                feed, expected = self._pairs.pair(index, reference)
                got = infer(feed)
                errors.add(expected, got)
                if scorer is not None:
                    label = self.samples.labels[index] if self.samples.labels else None
                    scorer.add(Sample(expected, got, label, feed))
                elif (share := _agreement(expected, got)) is not None:
                    shares.append(share)
        if not errors.errors():
            raise WorkbenchError("No output is a tensor that could be compared with FP32.")
        if shares:
            return quality_of_shares(shares)
        return quality_of(scorer, errors.worst_sqnr_db(), min(count or self.samples.size, self.samples.size))

    def _make_scorer(self) -> Scorer | None:
        if self.samples.is_random:
            return None
        return make_scorer(self._request.recipe.task, self._model.metadata, self._request.allowed_code)


def quality_of(scorer: Scorer | None, sqnr_db: float, n: int) -> Quality:
    """Of what was counted: the metric with what was lost of it; decibels where there is no metric."""
    task = scorer.result() if scorer is not None else None
    if scorer is None or task is None:
        return Quality(SQNR, sqnr_db, sqnr_db, sqnr_db, n, sqnr_db)
    loss, low, high = _loss(task, scorer)
    return Quality(
        task.metric,
        task.value,
        task.low,
        task.high,
        task.n,
        sqnr_db,
        loss,
        low,
        high,
        task.is_share,
        task.is_error,
    )


def quality_of_shares(shares: Sequence[float]) -> Quality:
    """Of outputs none of which is a float, by the share of equal values in each sample: agreement with FP32, which
    agrees with itself."""
    low, high = bootstrap(shares, _mean)
    value = float(np.mean(shares))
    decibels = -10 * math.log10(max(1 - value, 10 ** (-SQNR_CAP_DB / 10)))
    lost = (100 * (1 - value), 100 * (1 - high), 100 * (1 - low))
    return Quality(AGREEMENT, value, low, high, len(shares), decibels, *lost)


def _agreement(expected: Outputs, got: Outputs) -> float | None:
    """Of one sample; None where an output is a float."""
    if any(array.dtype.kind in "fc" for array in expected.values()):
        return None
    errors = OutputErrors()
    errors.add(expected, got)
    return errors.agreement()


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean())


def _loss(task: TaskResult, scorer: Scorer) -> tuple[float | None, float, float]:
    """In points of a share, in per cent of another metric; with its interval."""
    lost = scorer.loss()
    if lost is None:
        return None, 0.0, 0.0
    scale = 100.0 if task.is_share else 100.0 / (abs(task.reference or 0.0) or 1.0)
    loss, low, high = (scale * one for one in lost)
    return loss, low, high
