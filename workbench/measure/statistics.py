"""The statistics behind every number shown: medians with intervals, shares with intervals, paired ratios."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.run import LEAST_FOR_AN_INTERVAL, LatencyStats

CONFIDENCE = 0.95

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

MIN_CHANGE = 0.005
"""Of time. With enough rounds even the placement of two equal engines in memory becomes "significant"."""

EQUAL = 0.015
"""Two engines whose times surely differ by less than this are called equal, and no more rounds are spent on them."""

SHARP = 0.03
"""A difference is known well enough when half its interval is below this share of the ratio."""


def median_ranks(n: int, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """0-based ranks (low, high) of the sorted sample between which the median lies with at least `confidence`.

    The number of values below the median is binomial(n, 1/2), so the ranks are the binomial's quantile (2.5 % for 95 %)
    from either end, with no assumption about the distribution: Hahn and Meeker, "Statistical Intervals" (1991), section
    5.2. Beyond 1000 values the normal approximation (n - 1 - z sqrt(n)) / 2, with its continuity correction, stands
    for it. None where n values are too few (5 for 95 %). Latencies that follow each other are correlated, so that the
    true interval of a drifting machine is wider.
    """
    half = (1 - confidence) / 2
    if 0.5**n > half:
        return None
    if n > 1000:
        low = math.floor((n - 1 - NormalDist().inv_cdf(1 - half) * math.sqrt(n)) / 2)
    else:
        low, tail = -1, 0.5**n
        term = tail
        while tail <= half:  # tail = P(B <= low + 1)
            low += 1
            term *= (n - low) / (low + 1)
            tail += term
    return low, n - 1 - low


def median_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of the median by order statistics; with too few values (5 for 95 %), their range."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.size == 0:
        return 0.0, 0.0
    low, high = median_ranks(ordered.size, confidence) or (0, ordered.size - 1)
    return float(ordered[low]), float(ordered[high])


def latency_stats(latencies_ms: ArrayLike) -> LatencyStats:
    """Statistics of latencies in ms; percentiles by linear interpolation (numpy's default).

    `cov_percent` is the sample standard deviation (n - 1) over the mean, as trtexec prints it. ValueError if empty.
    """
    values = np.asarray(latencies_ms, dtype=np.float64)
    if values.size == 0:
        raise ValueError("no latencies")
    low, high = median_interval(values)
    median, p90, p95, p99 = (float(p) for p in np.percentile(values, (50, 90, 95, 99)))
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return LatencyStats(
        median_ms=median,
        low_ms=low,
        high_ms=high,
        mean_ms=mean,
        min_ms=float(values.min()),
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        cov_percent=100 * spread / mean if mean else 0.0,
        iterations=int(values.size),
    )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share `hits / n`, in 0..1: Wilson, JASA 22 (1927), 209-212.

    Unlike the plain +-z sqrt(p(1-p)/n) it stays inside 0..1 and is right near 0 and 1, where accuracies are. (0, 1)
    for n = 0.
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_difference(only_a: int, only_b: int, n: int) -> tuple[float, float, float]:
    """Share A less share B of the same `n` samples, and its 95 % interval, where only A has `only_a` right, only B
    `only_b`.

    Agresti and Min, Statistics in Medicine 24 (2005), 729-740: half a sample more in each of the four cells, then the
    normal interval; unlike the plain one it is not empty where the two never differ. (0, -1, 1) for n = 0.
    """
    if n == 0:
        return 0.0, -1.0, 1.0
    b, c, count = only_a + 0.5, only_b + 0.5, n + 2.0
    middle = (b - c) / count
    half = Z95 * math.sqrt(b + c - (b - c) ** 2 / count) / count
    return (only_a - only_b) / n, max(-1.0, middle - half), min(1.0, middle + half)


class Speedup(msgspec.Struct, frozen=True):
    """`ratio` is baseline time over own time (2.0: twice as fast), with its interval over `pairs` rounds."""

    ratio: float
    low: float
    high: float
    pairs: int

    @property
    def is_known(self) -> bool:
        return self.pairs >= LEAST_FOR_AN_INTERVAL

    @property
    def is_different(self) -> bool:
        """Outside chance, and larger than what two builds of one engine may show."""
        is_beyond_chance = not self.low <= 1.0 <= self.high
        return self.is_known and is_beyond_chance and abs(1 / self.ratio - 1) >= MIN_CHANGE

    @property
    def largest_change(self) -> float:
        """The largest change of time (a share) that the interval still allows."""
        return max(abs(1 / self.low - 1), abs(1 / self.high - 1))

    @property
    def is_decided(self) -> bool:
        """Whether more rounds would change nothing that matters: surely different and by how much, or surely equal."""
        is_sharp = self.high - self.low <= 2 * SHARP * self.ratio
        return self.is_known and (self.largest_change <= EQUAL or (self.is_different and is_sharp))


def confidence_at_look(look: int) -> float:
    """The confidence that each interval needs at the `look`-th of several looks (1, 2, 3 ...) at growing data.

    Whoever looks again and again, and stops when it suits, is wrong far more often than 5 % of the time. The k-th look
    therefore spends 5 % / (k (k + 1)) of the error, and all looks together, however many, at most 5 %: alpha spending
    after Lan and DeMets, Biometrika 70 (1983), by the union bound.
    """
    return 1 - (1 - CONFIDENCE) / (look * (look + 1))


def paired_speedup(baseline_ms: ArrayLike, own_ms: ArrayLike, confidence: float = CONFIDENCE) -> Speedup:
    """Speed-up from paired rounds: the median of the log ratios, its interval by order statistics.

    Pairing takes out what both suffer in a round (clock, temperature, other load); the logarithm makes "twice as fast"
    and "twice as slow" equally far. The interval is that of a median (`median_ranks`), not of one round. ValueError
    where the rounds do not pair or there are none; all times are above 0 ms.
    """
    baseline, own = np.asarray(baseline_ms, dtype=np.float64), np.asarray(own_ms, dtype=np.float64)
    if baseline.shape != own.shape or baseline.size == 0:
        raise ValueError("rounds must come in pairs")
    logs = np.log(baseline / own)
    low, high = median_interval(logs, confidence)
    return Speedup(math.exp(float(np.median(logs))), math.exp(low), math.exp(high), int(logs.size))


def verdict(speedup: Speedup) -> str:
    """`faster by 55 % ± 2 %`: by how much the time became shorter; `slower by` by how much it became longer.

    The ± is half the interval of the change of time (1 / speed-up - 1). `no difference larger than 1.4 % seen`: the
    interval holds 1, or the change is below 0.5 %; the figure is the largest change that the interval allows.
    """
    if not speedup.is_known:
        return f"too few rounds to tell ({speedup.pairs})"
    if not speedup.is_different:
        largest = 100 * speedup.largest_change
        return f"no difference larger than {largest:.{1 if largest < 9.95 else 0}f} % seen"
    change = 100 * (1 / speedup.ratio - 1)
    half = 50 * (1 / speedup.low - 1 / speedup.high)
    word = "faster" if change < 0 else "slower"
    return f"{word} by {_percent(abs(change))} ± {_percent(half)}"


def _percent(value: float) -> str:
    return f"{value:.0f} %" if value >= 0.95 else f"{max(value, 0.1):.1f} %"


def bootstrap(
    samples: ArrayLike, statistic: Callable[[NDArray[np.float64]], float], seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile interval of `statistic` over rows drawn with replacement: Efron, Ann. Stat. 7 (1979), 1-26.

    `samples` is [n] or [n, k], a row a sample. Seeded: the same samples give the same interval. Up to 1000 draws, fewer
    (200 at least) of many samples. One sample says nothing of its spread: its own figure twice.
    """
    rows = np.asarray(samples, dtype=np.float64)
    if len(rows) < 2:
        return (statistic(rows),) * 2
    random = np.random.default_rng(seed)
    rounds = max(200, min(1000, 1_000_000 // len(rows)))
    found = [statistic(rows[random.integers(0, len(rows), len(rows))]) for _ in range(rounds)]
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)


def bootstrap_difference(
    samples: ArrayLike, difference: Callable[[NDArray[np.float64]], float]
) -> tuple[float, float, float]:
    """`difference` of two figures of the same samples, and its interval by `bootstrap`: both are of each draw."""
    rows = np.asarray(samples, dtype=np.float64)
    return (difference(rows), *bootstrap(rows, difference))
