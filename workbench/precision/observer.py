"""What is kept of one tensor while samples stream by: a histogram, ranges of channels, the samples of its peaks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.precision.histogram import Histogram

PEAKS = 8
MOST_CHANNELS = 1 << 14
"""More channels than this are kept only as one."""
Floats = NDArray[np.float32]


@dataclass
class Channels:
    """Smallest and largest value of each channel: of axis 1, or of the last where `is_last`. Empty before any value."""

    is_last: bool = False
    low: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    high: Floats = field(default_factory=lambda: np.empty(0, np.float32))

    def add(self, values: NDArray[np.generic]) -> tuple[float, float]:
        """The smallest and the largest value of all; `values` has one or more.

        Arrays of one axis, of too many channels, or of another number of channels than before, change nothing.
        """
        axis = values.ndim - 1 if self.is_last else 1
        count = values.shape[axis] if values.ndim > 1 else 0
        if not 0 < count <= MOST_CHANNELS or len(self.low) not in (0, count):
            return float(values.min()), float(values.max())
        rows = values.reshape(-1, count) if self.is_last else values.reshape(len(values), count, -1)
        others = 0 if self.is_last else (0, 2)
        low, high = rows.min(axis=others), rows.max(axis=others)
        extremes = float(low.min()), float(high.max())
        if len(self.low):
            low, high = np.minimum(self.low, low), np.maximum(self.high, high)
        self.low, self.high = low.astype(np.float32), high.astype(np.float32)
        return extremes

    @property
    def dead(self) -> NDArray[np.intp]:
        """Channels that had one value in every sample, such as behind a ReLU that never opens."""
        return np.flatnonzero(self.low == self.high)


@dataclass
class Peaks:
    """The samples in which the tensor's magnitude was largest, at most `PEAKS`, the largest first."""

    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    samples: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def add(self, value: float, sample: int) -> None:
        if len(self.values) == PEAKS and value <= self.values[-1]:
            return
        values, samples = np.append(self.values, value), np.append(self.samples, sample)
        order = np.argsort(-values, kind="stable")[:PEAKS]
        self.values, self.samples = values[order], samples[order]


@dataclass
class Observer:
    """Everything about one tensor."""

    histogram: Histogram = field(default_factory=Histogram)
    channels: Channels = field(default_factory=Channels)
    peaks: Peaks = field(default_factory=Peaks)

    def add(self, values: NDArray[np.generic], sample: int) -> None:
        """Counts the tensor's values in this sample."""
        if values.size:
            self.peaks.add(self.histogram.add(values, self.channels.add(values)), sample)
