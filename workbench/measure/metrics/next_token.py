"""Language models: perplexity, and how often the next token is the likeliest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.metrics.base import Outputs, Sample, Scorer, check_finite
from workbench.measure.statistics import bootstrap, bootstrap_difference


class NextToken(Scorer):
    """Of logits [1, steps, vocabulary] on the tokens [1, steps] of an input: position t predicts token t + 1.

    Perplexity = exp(-mean log p(next token)), over all predicted tokens of all samples; in `extra` the share of next
    tokens that were the likeliest. Agreement: the share of positions with the same likeliest token as FP32.
    """

    kind = TaskKind.NEXT_TOKEN

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._rows: list[tuple[float, ...]] = []  # count, nll of both, hits of both, equal answers

    def add(self, sample: Sample) -> None:
        tokens = self._tokens(sample.feed)
        parts = [_judged(self.pick(outputs), tokens) for outputs in (sample.actual, sample.reference)]
        (nll, hits, best), (reference_nll, reference_hits, reference_best) = parts
        check_finite(np.array([nll, reference_nll]))
        equal = float(np.count_nonzero(best == reference_best))
        self._rows.append((float(tokens.size - 1), nll, reference_nll, hits, reference_hits, equal))

    def _tokens(self, feed: Outputs) -> NDArray[np.int64]:
        whole = [name for name, array in feed.items() if array.dtype.kind in "iu" and array.ndim <= 2]
        name = self.task.tokens or next(iter(whole), "")
        if name not in feed:
            raise WorkbenchError("No input holds tokens.", f"Set `tokens` in the task to one of: {', '.join(feed)}.")
        tokens = feed[name].astype(np.int64).ravel()
        if tokens.size < 2:
            raise WorkbenchError("A sample of one token has no next token.", "Give longer samples.")
        return tokens

    def result(self) -> TaskResult | None:
        if not self._rows:
            return None
        rows = np.array(self._rows)
        count, _, _, hits, reference_hits, equal = rows.sum(axis=0)
        low, high = bootstrap(rows, _perplexity)
        return TaskResult(
            "perplexity",
            _perplexity(rows),
            len(rows),
            low,
            high,
            reference=_perplexity(rows, 2),
            agreement=float(equal / count),
            extra={"accuracy": float(hits / count), "reference_accuracy": float(reference_hits / count)},
            is_share=False,
            is_error=True,
        )

    def loss(self) -> tuple[float, float, float] | None:
        """Perplexity more than FP32's."""
        return bootstrap_difference(self._rows, lambda r: _perplexity(r) - _perplexity(r, 2)) if self._rows else None


def _perplexity(rows: NDArray[np.float64], column: int = 1) -> float:
    return float(np.exp(rows[:, column].sum() / rows[:, 0].sum()))


def _judged(logits: NDArray[np.generic], tokens: NDArray[np.int64]) -> tuple[float, float, NDArray[np.intp]]:
    """Negative log likelihood in nats and hits over all positions, and the likeliest token of each."""
    steps = logits.reshape(-1, logits.shape[-1])[: tokens.size - 1].astype(np.float64) if logits.ndim else logits
    following = tokens[1:]
    if logits.ndim < 2 or len(steps) != following.size or following.max() >= steps.shape[1] or following.min() < 0:
        raise WorkbenchError(
            f"The output {tuple(logits.shape)} has no logits for {tokens.size} tokens.",
            "Name the output with the logits, and the input with the tokens.",
        )
    with np.errstate(invalid="ignore"):  # of infinities; whoever takes the sum looks at it
        shifted = steps - steps.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    best = steps.argmax(axis=1)
    chosen = logs[np.arange(following.size), following]
    return float(-chosen.sum()), float(np.count_nonzero(best == following)), best


METRIC = NextToken
