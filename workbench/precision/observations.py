"""What calibration saw: everything that ranges, and judgements of the set, are made from. Bounded in size."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.precision import Calibration
from workbench.precision.histogram import Histogram
from workbench.precision.observer import Channels, Observer, Peaks
from workbench.precision.thresholds import threshold
from workbench.precision.trail import Trail

MOST_ROWS = 1024
"""Samples whose mean and spread are kept."""


@dataclass
class Observations:
    """Of tensors of the clean base graph, by name, over `samples` feeds.

    `channels` and `peaks` go with `histograms`. `amaxes` holds the largest magnitude of any other float tensor, where
    asked for. `rows` has, for the first few tensors of the model, the mean and standard deviation of each sample,
    [samples up to 1024, 2].
    """

    histograms: dict[str, Histogram] = field(default_factory=dict)
    samples: int = 0
    notes: tuple[str, ...] = ()
    channels: dict[str, Channels] = field(default_factory=dict)
    peaks: dict[str, Peaks] = field(default_factory=dict)
    trail: Trail = field(default_factory=Trail)
    rows: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    amaxes: dict[str, float] = field(default_factory=dict)
    _thresholds: dict[tuple[str, Calibration, bool, int], float] = field(default_factory=dict, compare=False)

    def __contains__(self, tensor: str) -> bool:
        return tensor in self.histograms and self.histograms[tensor].count > 0

    def amax(self, tensor: str) -> float | None:
        """Largest magnitude ever seen of a tensor; None where nobody looked at it."""
        if tensor in self.histograms:
            return max(self.histograms[tensor].amax, self.amaxes.get(tensor, 0.0))
        return self.amaxes.get(tensor)

    def threshold(self, tensor: str, calibration: Calibration, *, unsigned: bool = False) -> float:
        """Magnitude beyond which values are clipped (see `thresholds`). Raises WorkbenchError for an unseen tensor."""
        histogram = self.histogram(tensor)
        key = (tensor, calibration, unsigned, histogram.count)
        if key not in self._thresholds:
            self._thresholds[key] = threshold(histogram, calibration, unsigned=unsigned)
        return self._thresholds[key]

    def range(self, tensor: str, calibration: Calibration) -> tuple[float, float]:
        """Lowest and highest value an asymmetric uint8 form keeps; zero is always inside."""
        return self.kept(tensor, self.threshold(tensor, calibration, unsigned=True))

    def kept(self, tensor: str, limit: float) -> tuple[float, float]:
        """The part of what was seen, and zero, that is within `limit` of zero."""
        histogram = self.histogram(tensor)
        return max(min(histogram.low, 0.0), -limit), min(max(histogram.high, 0.0), limit)

    def is_non_negative(self, tensor: str) -> bool:
        """Whether no value below zero was ever seen."""
        return self.histogram(tensor).low >= 0.0

    def histogram(self, tensor: str) -> Histogram:
        """Raises WorkbenchError for a tensor of which nothing was seen."""
        if tensor not in self:
            raise WorkbenchError(
                f"Calibration saw no values of {tensor!r}.", "Calibrate again: the model or its shapes have changed."
            )
        return self.histograms[tensor]

    def observer(self, tensor: str) -> Observer:
        """All that is kept of one tensor, to add to."""
        channels = self.channels.setdefault(tensor, Channels())
        return Observer(self.histograms[tensor], channels, self.peaks.setdefault(tensor, Peaks()))

    def add_row(self, tensor: str, values: NDArray[np.generic]) -> None:
        """Mean and standard deviation of one sample's values, for the first samples and where all are finite."""
        before = self.rows.get(tensor, np.empty((0, 2)))
        if len(before) < MOST_ROWS and values.size and np.isfinite(values).all():
            row = [float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))]
            self.rows[tensor] = np.vstack([before, row])
