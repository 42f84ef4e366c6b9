"""The entropy threshold against its rule written out bin by bin."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.precision.entropy import SMOOTHING, divergences, entropy_threshold, voting
from workbench.precision.histogram import Histogram


def slow_divergence(counts: np.ndarray, end: int, levels: int) -> float:
    """Rule 1 and 2 of the module, for one threshold, in plain loops."""
    kept = counts[:end]
    p = kept.copy()
    p[-1] += counts[end:].sum()
    q = np.zeros(end)
    for level in range(levels):
        first, last = end * level // levels, end * (level + 1) // levels
        filled = [i for i in range(first, last) if p[i] > 0]
        for i in filled:
            q[i] = kept[first:last].sum() / len(filled)
    support = p > 0
    q = q / max(kept.sum(), 1) * (1 - SMOOTHING)
    q[support] += SMOOTHING / support.sum()
    p = p / p.sum()
    return float((p[support] * np.log(p[support] / q[support])).sum())


@pytest.mark.parametrize("seed", range(25))
def test_all_candidates_at_once_are_what_each_is_by_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bins, levels = int(rng.integers(140, 320)), int(rng.choice([16, 64, 128]))
    counts = rng.integers(0, 60, bins) * (rng.random(bins) < rng.uniform(0.05, 1.0)).astype(np.float64)
    counts[-1] = 1
    ends = np.arange(levels, bins + 1)
    expected = [slow_divergence(counts, end, levels) for end in ends]
    np.testing.assert_allclose(divergences(counts, ends, levels), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_threshold_is_that_of_the_least_divergence(seed: int) -> None:
    histogram = Histogram()
    histogram.add(np.random.default_rng(seed).laplace(size=3000))
    counts = voting(histogram)
    found = entropy_threshold(histogram)
    ends = np.arange(128, len(counts) + 1)
    best = float(divergences(counts, ends, 128).min())
    chosen = slow_divergence(counts, min(round(found / histogram.width), len(counts)), 128)
    assert chosen == pytest.approx(best, abs=1e-9) or found == histogram.amax


def test_zeros_do_not_vote() -> None:
    values = np.abs(np.random.default_rng(0).standard_normal(20_000))
    without, with_zeros = Histogram(), Histogram()
    without.add(values)
    with_zeros.add(np.concatenate([values, np.zeros(200_000)]))
    assert entropy_threshold(with_zeros) == entropy_threshold(without)


def test_an_even_spread_is_kept_whole_and_an_outlier_is_not() -> None:
    even, spiked = Histogram(), Histogram()
    even.add(np.linspace(0, 1, 100_001))
    spiked.add(np.append(np.random.default_rng(0).standard_normal(100_000), 1000.0))
    assert entropy_threshold(even) > 0.97
    assert entropy_threshold(spiked) < 100


def test_a_single_value_is_its_own_range() -> None:
    histogram = Histogram()
    histogram.add(np.full(10, 3.0))
    assert entropy_threshold(histogram) == pytest.approx(3.0, rel=1e-3)
