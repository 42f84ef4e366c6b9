"""Choosing a range from a histogram of magnitudes: values beyond the threshold are clipped.

MAX takes all that was seen. PERCENTILE clips the rarest magnitudes. MSE takes the threshold whose quantization changes
the values least (mean squared error of rounding and clipping together), searched over hundredths of the largest
magnitude, as in Nagel et al., "A White Paper on Neural Network Quantization" (2021), section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.histogram import BINS, Histogram

SIGNED_LEVELS = 127
UNSIGNED_LEVELS = 255
_POINTS_PER_BIN = 2
_CANDIDATES = np.arange(0.02, 1.005, 0.01)


def threshold(histogram: Histogram, calibration: Calibration, *, unsigned: bool = False) -> float:
    """The magnitude beyond which values are clipped; 0.0 where every value was zero."""
    if histogram.amax == 0.0:
        return 0.0
    return _METHODS[calibration.method](histogram, calibration, unsigned)


def _max(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    return histogram.amax


def _percentile(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    """Linear inside the bin in which the share is reached."""
    wanted = histogram.count * min(max(calibration.percentile, 0.0), 100.0) / 100.0
    below = np.concatenate([[0], np.cumsum(histogram.counts)])
    edges = np.linspace(0.0, histogram.top, BINS + 1)
    found = float(np.interp(wanted, below, edges))
    smallest = histogram.top / BINS
    return min(max(found, smallest), histogram.amax)


def _mse(histogram: Histogram, calibration: Calibration, unsigned: bool) -> float:
    candidates = histogram.amax * _CANDIDATES
    candidates[-1] = histogram.amax
    steps = quantization_steps(histogram, candidates, unsigned)
    return float(candidates[int(np.argmin(quantization_errors(histogram, candidates, steps)))])


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

    Values are taken as points inside the bins.
    """
    used = int(np.flatnonzero(histogram.counts)[-1]) + 1
    points = (np.arange(used * _POINTS_PER_BIN) + 0.5) * (histogram.top / BINS / _POINTS_PER_BIN)
    weights = np.repeat(histogram.counts[:used], _POINTS_PER_BIN) / _POINTS_PER_BIN
    step = steps[:, None]
    rounded = np.minimum(np.rint(points[None, :] / step) * step, thresholds[:, None])
    errors: NDArray[np.float64] = ((rounded - points[None, :]) ** 2 * weights).sum(axis=1)
    return errors


_METHODS: dict[CalibrationMethod, Callable[[Histogram, Calibration, bool], float]] = {
    CalibrationMethod.MAX: _max,
    CalibrationMethod.PERCENTILE: _percentile,
    CalibrationMethod.MSE: _mse,
}
