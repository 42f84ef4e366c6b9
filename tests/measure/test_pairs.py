"""Differences of two shares of the same samples, and what metrics count for them."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.recipe import Task, TaskKind
from workbench.measure.metrics.base import Sample
from workbench.measure.statistics import paired_difference
from workbench.measure.tasks import make_scorer


def test_the_difference_of_pairs_is_what_agresti_and_min_give() -> None:
    """By hand: b = 12 + 0.5, c = 2 + 0.5, n = 100 + 2;
    (b - c) / n ± 1.96 sqrt(15 - 100 / 102) / 102, 3.7443 the root."""
    found, low, high = paired_difference(12, 2, 100)
    assert found == pytest.approx(0.10)
    assert (low, high) == pytest.approx((10 / 102 - 0.07195, 10 / 102 + 0.07195), abs=1e-5)


def test_where_the_two_never_differ_the_interval_is_not_empty() -> None:
    found, low, high = paired_difference(0, 0, 50)
    assert found == 0 and low < 0 < high and high < 0.06
    assert paired_difference(0, 0, 0) == (0.0, -1.0, 1.0)


def test_the_interval_holds_the_truth_nineteen_times_of_twenty() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        draws = random.choice(3, size=200, p=(0.06, 0.03, 0.91))
        _, low, high = paired_difference(int((draws == 0).sum()), int((draws == 1).sum()), 200)
        held += low <= 0.03 <= high
    assert held / 400 > 0.92


def test_a_classifier_counts_what_either_has_right_alone() -> None:
    scorer = make_scorer(Task(TaskKind.CLASSIFICATION), {})
    assert scorer is not None
    eye = np.eye(4, dtype=np.float32)
    for expected, got, label in ((0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 0), (3, 2, 1)):
        scorer.add(Sample({"y": eye[[expected]]}, {"y": eye[[got]]}, label))
    assert scorer.pairs() == (2, 1, 5)
    alone = make_scorer(Task(TaskKind.CLASSIFICATION), {})
    assert alone is not None
    alone.add(Sample({"y": eye[[0]]}, {"y": eye[[1]]}, None))
    assert alone.pairs() == (1, 0, 1)


def _tokens(steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, 8, (1, steps)), random.normal(size=(1, steps, 8)).astype(np.float32) * (1 + seed % 5)


def test_what_is_hard_for_both_does_not_widen_the_interval_of_the_difference() -> None:
    """Perplexity differs from sample to sample by far more than FP32 and the engine do."""
    scorer = make_scorer(Task(TaskKind.NEXT_TOKEN), {})
    assert scorer is not None
    random = np.random.default_rng(0)
    for seed in range(30):
        tokens, logits = _tokens(12, seed)
        noise = random.normal(size=logits.shape).astype(np.float32) * 0.01
        scorer.add(Sample({"y": logits}, {"y": logits + noise}, None, {"t": tokens}))
    task, found = scorer.result(), scorer.loss()
    assert task is not None and found is not None and task.reference is not None
    lost, low, high = found
    assert lost == pytest.approx(task.value - task.reference) and low <= lost <= high
    assert high - low < 0.05 * (task.high - task.low)


@pytest.mark.parametrize(
    ("kind", "labels", "expected", "got", "lost"),
    [
        (TaskKind.REGRESSION, (1.0, 2.0), (1.0, 2.0), (1.5, 2.5), 0.5),
        (TaskKind.REGRESSION, (None, None), (1.0, 2.0), (1.5, 2.5), None),
        (TaskKind.F1, (1, 0), (0.9, 0.1), (0.1, 0.1), 1.0),
        (TaskKind.EMBEDDING, (None, None), (1.0, 2.0), (1.5, 2.5), None),
    ],
)
def test_a_loss_is_counted_against_the_references_own_figure(
    kind: TaskKind,
    labels: tuple[float | None, ...],
    expected: tuple[float, ...],
    got: tuple[float, ...],
    lost: float | None,
) -> None:
    scorer = make_scorer(Task(kind), {})
    assert scorer is not None and scorer.loss() is None
    for label, reference, actual in zip(labels, expected, got, strict=True):
        scorer.add(Sample({"y": np.float32([[reference]])}, {"y": np.float32([[actual]])}, label))
    found = scorer.loss()
    assert (found is None) == (lost is None)
    assert found is None or found[0] == pytest.approx(lost)
