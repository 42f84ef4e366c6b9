from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from workbench.measure.statistics import (
    Speedup,
    confidence_at_look,
    latency_stats,
    median_interval,
    median_ranks,
    paired_speedup,
    verdict,
    wilson,
)


# Ranks from the binomial table (Hahn and Meeker 1991, table A.15): 1-based l and u for 95 %.
@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)])
def test_ranks_of_the_median_are_those_of_the_published_table(n: int, low: int, high: int) -> None:
    assert median_ranks(n) == (low - 1, high - 1)


def test_five_values_have_no_95_percent_interval_of_the_median() -> None:
    assert median_ranks(5) is None


@pytest.mark.parametrize("n", [6, 7, 15, 40, 999])
def test_the_ranks_cover_the_median_with_95_percent_and_are_the_narrowest_that_do(n: int) -> None:
    ranks = median_ranks(n)
    assert ranks is not None

    assert coverage(n, ranks[0]) >= 0.95
    assert coverage(n, ranks[0] + 1) < 0.95


def coverage(n: int, low: int) -> float:
    """P(low < B <= n - 1 - low), B binomial(n, 1/2), exactly."""
    return float(Fraction(sum(math.comb(n, k) for k in range(low + 1, n - low)), 2**n))


@pytest.mark.parametrize("n", [1001, 1002, 1003, 1010, 1999, 2500, 4000])
def test_beyond_a_thousand_values_the_approximation_covers_too_and_is_at_most_a_rank_wider(n: int) -> None:
    ranks = median_ranks(n)
    assert ranks is not None
    assert coverage(n, ranks[0]) >= 0.95
    assert coverage(n, ranks[0] + 2) < 0.95


def test_the_interval_of_the_median_holds_it_in_95_percent_of_samples() -> None:
    random = np.random.default_rng(0)
    true_median = math.exp(0.0)
    held = 0
    for _ in range(1000):
        low, high = median_interval(random.lognormal(0.0, 0.5, 41))
        held += low <= true_median <= high
    assert 0.94 <= held / 1000 <= 0.99


def test_latency_stats_of_a_known_sample() -> None:
    stats = latency_stats(list(range(1, 101)))
    assert (stats.median_ms, stats.min_ms, stats.mean_ms, stats.iterations) == (50.5, 1.0, 50.5, 100)
    assert (stats.low_ms, stats.high_ms) == (40.0, 61.0)
    assert stats.p90_ms == pytest.approx(90.1)
    assert stats.p99_ms == pytest.approx(99.01)
    assert stats.cov_percent == pytest.approx(100 * np.std(np.arange(1, 101), ddof=1) / 50.5)


def test_one_latency_is_enough_and_none_is_an_error() -> None:
    assert latency_stats([2.0]).cov_percent == 0.0
    with pytest.raises(ValueError, match="no latencies"):
        latency_stats([])


# Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_table(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_interval_is_symmetric_and_open_without_samples() -> None:
    low, high = wilson(3, 10)
    assert wilson(7, 10) == pytest.approx((1 - high, 1 - low))
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_drift_that_hits_both_alike_does_not_blur_the_paired_ratio() -> None:
    drift = np.linspace(1.0, 3.0, 40)
    noise = np.random.default_rng(1).normal(1.0, 0.01, 40)
    speedup = paired_speedup(10.0 * drift, 5.0 * drift * noise)
    assert speedup.ratio == pytest.approx(2.0, rel=0.01)
    assert speedup.high - speedup.low < 0.03


def test_verdict_says_by_how_much_time_became_shorter() -> None:
    assert verdict(Speedup(2.22, 2.13, 2.33, 30)) == "faster by 55 % ± 2 %"
    assert verdict(Speedup(0.8, 0.79, 0.81, 30)) == "slower by 25 % ± 2 %"
    assert verdict(Speedup(1.008, 1.006, 1.010, 30)) == "faster by 0.8 % ± 0.2 %"


def test_an_interval_that_holds_one_is_no_difference() -> None:
    assert verdict(Speedup(1.05, 0.99, 1.11, 30)) == "no difference larger than 9.9 % seen"


def test_a_change_below_half_a_percent_is_no_difference_however_sure() -> None:
    assert verdict(Speedup(1.004, 1.003, 1.005, 3000)) == "no difference larger than 0.5 % seen"


def test_too_few_rounds_give_no_verdict_however_clear_they_look() -> None:
    assert verdict(paired_speedup([10.0] * 5, [1.0] * 5)) == "too few rounds to tell (5)"


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        paired_speedup([1.0, 2.0], [1.0])


@pytest.mark.parametrize("confidence", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("n", [11, 40, 200, 2000])
def test_ranks_cover_the_median_with_the_confidence_that_is_asked(n: int, confidence: float) -> None:
    ranks = median_ranks(n, confidence)
    assert ranks is not None
    assert coverage(n, ranks[0]) >= confidence
    assert coverage(n, ranks[0] + 2) < confidence


def test_all_looks_together_spend_five_percent_and_the_first_needs_no_more_than_eight_rounds() -> None:
    assert sum(1 - confidence_at_look(k) for k in range(1, 10_000)) == pytest.approx(0.05, abs=1e-4)
    assert median_ranks(8, confidence_at_look(1)) is not None


def test_equal_engines_looked_at_again_and_again_are_called_different_in_less_than_a_twentieth() -> None:
    """100 races of 5 looks; with plain 95 % intervals a seventh of them would be called different."""
    random = np.random.default_rng(3)
    wrong = 0
    for _ in range(100):
        a, b = random.lognormal(0, 0.1, (2, 128))
        looks = [paired_speedup(a[:n], b[:n], confidence_at_look(k)) for k, n in enumerate((8, 16, 32, 64, 128), 1)]
        wrong += any(look.is_different for look in looks)
    assert wrong < 5


@pytest.mark.parametrize(
    ("speedup", "is_decided"),
    [
        (Speedup(1.0, 0.99, 1.01, 64), True),  # surely equal
        (Speedup(1.0, 0.97, 1.03, 64), False),  # may differ by 3 %
        (Speedup(2.0, 1.95, 2.05, 8), True),  # surely faster, and by how much
        (Speedup(2.0, 1.5, 2.5, 8), False),  # surely faster, but by how much?
        (Speedup(1.0, 1.0, 1.0, 5), False),  # too few rounds
    ],
)
def test_decided_is_what_more_rounds_would_not_change(speedup: Speedup, is_decided: bool) -> None:
    assert speedup.is_decided is is_decided
