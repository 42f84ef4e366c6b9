"""How ranges moved while samples came in: what they were after 4, 8, 16, 24, 32, 48, 64, 96 ... samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.histogram import Histogram
from workbench.precision.thresholds import threshold

METHODS = (CalibrationMethod.MAX, CalibrationMethod.PERCENTILE, CalibrationMethod.MSE)
"""Entropy's is as steady as these, and costs more than a pass over a few samples."""
_COARSE = 8
"""Bins that are taken together: ranges are looked at often, and to a percent."""


def is_mark(samples: int) -> bool:
    """Whether ranges are looked at after so many samples: at powers of two from 4, and from 16 half way between."""
    return (samples >= 4 and _is_power(samples)) or (samples >= 24 and samples % 3 == 0 and _is_power(samples // 3))


def _is_power(number: int) -> bool:
    """Of two."""
    return number > 0 and number & (number - 1) == 0


@dataclass
class Trail:
    """`thresholds[i, j, k]`: after `marks[i]` samples, of tensor j by `METHODS[k]`."""

    marks: list[int] = field(default_factory=list)
    thresholds: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, samples: int, histograms: list[Histogram]) -> None:
        """Looks at the ranges now; a second look at the same count changes nothing."""
        if samples in self.marks:
            return
        self.marks.append(samples)
        self.thresholds.append(np.array([_thresholds(one) for one in histograms], np.float64).reshape(-1, len(METHODS)))

    def most_moved(self, place: int) -> tuple[int, float]:
        """The tensor whose percentile range moved most from the mark at `place` to the end, and by which share."""
        column = METHODS.index(CalibrationMethod.PERCENTILE)
        before, last = self.thresholds[place][:, column], self.thresholds[-1][:, column]
        change = np.abs(np.divide(before, last, out=np.ones_like(last), where=last > 0) - 1)
        tensor = int(np.argmax(change))
        return tensor, float(change[tensor])

    def moved(self, method: CalibrationMethod) -> list[float]:
        """For each mark the largest change of a tensor's threshold from there to the last, as a share of the last."""
        place = METHODS.index(method)
        last = self.thresholds[-1][:, place]
        used = last > 0
        return [float(np.max(np.abs(one[used, place] / last[used] - 1), initial=0.0)) for one in self.thresholds]


def _thresholds(histogram: Histogram) -> list[float]:
    coarse = histogram.coarser(_COARSE)
    return [
        threshold(coarse if method is CalibrationMethod.MSE else histogram, Calibration(method=method))
        for method in METHODS
    ]
