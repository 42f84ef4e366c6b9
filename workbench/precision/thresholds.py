"""Choosing a range from a histogram of magnitudes: values beyond the threshold are clipped.

MAX takes all that was seen. PERCENTILE clips the rarest magnitudes. MSE takes the threshold whose quantization changes
the values least, rounding and clipping together: Nagel et al., "A White Paper on Neural Network Quantization" (2021),
section 3.1. ENTROPY is in `entropy.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.entropy import entropy_threshold
from workbench.precision.histogram import Histogram

SIGNED_LEVELS = 127
UNSIGNED_LEVELS = 255
_COARSE = 2.0 ** (-np.arange(72) / 8)
"""Shares of the largest magnitude that MSE tries first: down to a five-hundredth, each 8 % below the one before."""
_COARSER = 8
_FINE = 33
"""Thresholds tried around the best."""
_WITHIN = 1.02
"""Near its least the error is flat. Of equals the larger clips less of the rare, large values that networks carry much
in, and of those that only other inputs reach."""


def threshold(histogram: Histogram, calibration: Calibration, *, unsigned: bool = False) -> float:
    """The magnitude beyond which values are clipped; 0.0 where every value was zero."""
    if histogram.amax == 0.0:
        return 0.0
    return _METHODS[calibration.method](histogram, calibration, unsigned)


def clipped_share(histogram: Histogram, limit: float) -> float:
    """Share of the values, in 0..1, whose magnitude is above `limit`."""
    if limit >= histogram.amax:
        return 0.0
    spread = _Spread(histogram)
    return 1.0 - float(np.interp(limit, spread.ends, spread.below)) / histogram.count


def sqnr_db(histogram: Histogram, limit: float, *, unsigned: bool = False) -> float:
    """Signal to quantization noise when clipped at `limit`, in dB, from the histogram; capped at 200."""
    signal = _Spread(histogram).energy
    limits = np.array([limit])
    noise = float(quantization_errors(histogram, limits, quantization_steps(histogram, limits, unsigned))[0])
    return 200.0 if noise <= signal * 1e-20 else 10 * math.log10(signal / noise)


def quantization_steps(histogram: Histogram, thresholds: NDArray[np.float64], unsigned: bool) -> NDArray[np.float64]:
    """Width of a step: int8 has 127 up to the threshold, uint8 has 255 for what was seen on both sides of zero."""
    if not unsigned:
        return thresholds / SIGNED_LEVELS
    below = np.minimum(thresholds, max(-histogram.low, 0.0))
    above = np.minimum(thresholds, max(histogram.high, 0.0))
    return (below + above) / UNSIGNED_LEVELS


def quantization_errors(
    histogram: Histogram, thresholds: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum of squared errors when |x| is rounded to multiples of each step and clipped at its threshold.

    Values that stand on a grid, as pixels do, count as in the middle of their bin, so that their error vanishes where
    the steps are those of the grid. All others count as spread evenly, and the error is integrated over each bin.
    """
    spread = _Spread(histogram)
    is_narrow = (steps >= 2 * histogram.width) & spread.is_grid
    errors = np.empty(len(thresholds))
    errors[is_narrow] = _errors_of_middles(spread, thresholds[is_narrow], steps[is_narrow])
    errors[~is_narrow] = _errors_integrated(spread, thresholds[~is_narrow], steps[~is_narrow])
    last = np.minimum(np.rint(spread.amax / steps) * steps, thresholds) - spread.amax
    total: NDArray[np.float64] = errors + spread.at_amax * last**2
    return total


def _errors_of_middles(
    spread: _Spread, thresholds: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    used = np.flatnonzero(spread.counts)
    middles, counts = (spread.edges[used] + spread.edges[used + 1]) / 2, spread.counts[used]
    step = steps[:, None]
    rounded = np.minimum(np.rint(middles / step) * step, thresholds[:, None])
    inside = counts.sum() * spread.width**2 / 12
    errors: NDArray[np.float64] = (rounded - middles) ** 2 @ counts + inside
    return errors


def _errors_integrated(
    spread: _Spread, thresholds: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The squared error integrated from 0 to an edge e of a bin is, with k the multiple nearest to e, k step^3 / 12 +
    (e - k step)^3 / 3; beyond the threshold t it is that of t, and (e - t)^3 / 3. A bin's lies between its edges."""
    step, limit = steps[:, None], thresholds[:, None]
    inside = np.minimum(spread.edges, limit)
    nearest = np.rint(inside / step)
    beyond = np.maximum(spread.edges - limit, 0.0)
    integral = nearest * step**3 / 12 + (inside - nearest * step) ** 3 / 3 + beyond**3 / 3
    density = spread.counts / spread.width
    weights = -np.diff(density, prepend=0.0, append=0.0)  # of the integral at each edge, all bins summed
    errors: NDArray[np.float64] = integral @ weights
    return errors


def _max(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    return histogram.amax


def _percentile(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    """Linear inside the bin in which the share is reached."""
    wanted = histogram.count * min(max(calibration.percentile, 0.0), 100.0) / 100.0
    spread = _Spread(histogram)
    found = float(np.interp(wanted, spread.below, spread.ends))
    return max(found, min(histogram.width, histogram.amax))


def _mse(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    """The largest threshold whose error is within `_WITHIN` of the least: what calibration saw is a sample.

    The least is looked for among a few dozen shares of the largest magnitude, roughly, and then around the best.
    """
    coarse = histogram.amax * _COARSE
    best = int(np.argmin(_errors(histogram.coarser(_COARSER), coarse, unsigned)))
    fine = np.linspace(coarse[min(best + 1, len(coarse) - 1)], coarse[max(best - 2, 0)], _FINE)
    fine = np.append(fine, histogram.amax)
    errors = _errors(histogram, fine, unsigned)
    return float(fine[np.flatnonzero(errors <= errors.min() * _WITHIN)[-1]])


def _entropy(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    amax = np.array([histogram.amax])
    levels = amax / quantization_steps(histogram, amax, unsigned)
    return entropy_threshold(histogram, round(float(levels[0])) + 1)


def _errors(histogram: Histogram, limits: NDArray[np.float64], unsigned: bool) -> NDArray[np.float64]:
    return quantization_errors(histogram, limits, quantization_steps(histogram, limits, unsigned))


class _Spread:
    """Where the magnitudes of a histogram are taken to be: evenly in each bin, those of the last bin at the largest.

    Values often end in a heap, as pixels at white and ReLU6 at 6, which is kept whole or clipped whole.
    `edges` are those of all bins but the last, with `counts` between them.
    """

    def __init__(self, histogram: Histogram) -> None:
        counts = histogram.magnitudes
        last = int(np.flatnonzero(counts)[-1])
        self.amax = histogram.amax
        self.at_amax = int(counts[last])
        self.edges: NDArray[np.float64] = np.arange(last + 1, dtype=np.float64) * np.float64(histogram.width)
        self.width = histogram.width
        self.counts = counts[:last].astype(np.float64)
        self.ends = np.append(self.edges, max(self.amax, self.edges[-1]))
        self.below: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(counts[: last + 1], dtype=np.float64)])

    @property
    def is_grid(self) -> bool:
        """Whether most values stand in bins with nothing on either side."""
        around = np.concatenate([[0.0], self.counts, [0.0]])
        alone = self.counts[(around[:-2] == 0) & (around[2:] == 0)]
        return bool(alone.sum() > self.counts.sum() / 2)

    @property
    def energy(self) -> float:
        """Sum of squares."""
        return float(self.counts @ np.diff(self.edges**3) / 3 / self.width) + self.at_amax * self.amax**2


_METHODS: dict[CalibrationMethod, Callable[[Histogram, Calibration, bool], float]] = {
    CalibrationMethod.MAX: _max,
    CalibrationMethod.PERCENTILE: _percentile,
    CalibrationMethod.MSE: _mse,
    CalibrationMethod.ENTROPY: _entropy,
}
