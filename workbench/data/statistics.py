"""Figures of the samples of one input: enough to tell pixels from normalised values, and a picture's axes apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_SAMPLES = 64
LAGS = (1, 3)
"""Distances in memory: neighbours along a row of one channel, and the same channel of neighbouring RGB pixels."""


@dataclass
class InputStatistics:
    """Of the first `samples` samples of one input, [values] or pictures [N, C, H, W] and [N, H, W, C].

    `mean` and `std` are per channel where it is a picture, else one value. `whole` is the share of whole numbers.
    `correlation` holds that of values 1 and 3 apart in memory. `constant` are samples without any variation.
    """

    samples: int
    low: float
    high: float
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    whole: float
    correlation: tuple[float, float]
    constant: tuple[int, ...] = ()


@dataclass
class _Sums:
    low: float = np.inf
    high: float = -np.inf
    count: int = 0
    whole: int = 0
    sums: list[NDArray[np.float64]] = field(default_factory=list)  # per sample: mean, mean of squares by channel
    lags: list[list[float]] = field(default_factory=list)
    constant: list[int] = field(default_factory=list)

    def add(self, index: int, values: NDArray[np.generic], axis: int | None) -> None:
        wide = values.astype(np.float64)
        self.low, self.high = min(self.low, float(wide.min())), max(self.high, float(wide.max()))
        self.count += wide.size
        self.whole += int((wide == np.rint(wide)).sum())
        others = tuple(i for i in range(wide.ndim) if i != axis) if axis is not None else None
        self.sums.append(np.stack([np.atleast_1d(wide.mean(axis=others)), np.atleast_1d((wide**2).mean(axis=others))]))
        if wide.size > 1 and wide.min() == wide.max():
            self.constant.append(index)
        else:
            self.lags.append([_correlation(wide.reshape(-1), lag) for lag in LAGS])

    def statistics(self) -> InputStatistics:
        mean, square = np.mean(self.sums, axis=0)
        first, third = np.mean(self.lags, axis=0).tolist() if self.lags else (0.0, 0.0)
        return InputStatistics(
            len(self.sums),
            self.low,
            self.high,
            mean,
            np.sqrt(np.maximum(square - mean**2, 0.0)),
            self.whole / self.count,
            (first, third),
            tuple(self.constant),
        )


def channel_axis(shape: tuple[int, ...]) -> int | None:
    """The axis of 1 or 3 channels of a batch of pictures; None for anything else."""
    if len(shape) != 4:
        return None
    return next((axis for axis in (1, 3) if shape[axis] in (1, 3)), None)


def input_statistics(feeds: Iterable[Mapping[str, NDArray[np.generic]]]) -> dict[str, InputStatistics]:
    """By name of every float input that holds more than one value, over all of `feeds`."""
    sums: dict[str, _Sums] = {}
    for index, feed in enumerate(feeds):
        for name, values in feed.items():
            if values.dtype.kind == "f" and values.size > 1:
                sums.setdefault(name, _Sums()).add(index, values, channel_axis(values.shape))
    return {name: one.statistics() for name, one in sums.items()}


def _correlation(values: NDArray[np.float64], lag: int) -> float:
    """Pearson's, of values so far apart; 0 where one side does not vary."""
    a, b = values[:-lag], values[lag:]
    if a.size < 2:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def ks_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Kolmogorov and Smirnov's distance of two samples: the largest difference of their distribution functions."""
    points = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(one), points, side="right") / len(one) for one in (first, second)]
    return float(np.abs(below[0] - below[1]).max(initial=0.0))


def ks_limit(first: int, second: int, alpha: float = 1e-4) -> float:
    """The distance that two samples of one distribution pass once in 1 / alpha times (Smirnov's asymptotic formula)."""
    return float(np.sqrt(-np.log(alpha / 2) / 2 * (first + second) / (first * second)))
