"""A histogram of |x| over a stream of arrays, in bounded memory.

The range starts just above the first array's largest magnitude and doubles whenever a larger one comes: neighbouring
bins then merge in pairs, exactly, because the edges of the wide bins are edges of the narrow ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 2048
_ABOVE = 1e-9
_CHUNK = 1 << 20
"""Elements binned at a time: bounds the temporary arrays to a few MB."""


@dataclass
class Histogram:
    """`counts[i]` values have i * top / BINS <= |x| < (i + 1) * top / BINS.

    `low` and `high` are the smallest and largest value, signed; `skipped` counts NaN and infinities, which are left
    out. While every value is zero, `top` is 0 and all counts are in the first bin.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    top: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    skipped: int = 0

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    @property
    def amax(self) -> float:
        """Largest magnitude seen; 0 for nothing seen."""
        return max(abs(self.low), abs(self.high)) if self.count else 0.0

    def add(self, values: NDArray[np.generic]) -> None:
        """Counts every element of a float array of any shape; an empty one changes nothing."""
        flat = np.asarray(values).reshape(-1)
        for start in range(0, flat.size, _CHUNK):
            self._add_chunk(flat[start : start + _CHUNK].astype(np.float64))

    def _add_chunk(self, values: NDArray[np.float64]) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            self.skipped += int(values.size - finite.sum())
            values = values[finite]
        if not values.size:
            return
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        magnitudes = np.abs(values)
        self._widen(float(magnitudes.max()))
        if self.top == 0.0:
            self.counts[0] += magnitudes.size
            return
        bins = np.minimum((magnitudes * (BINS / self.top)).astype(np.int64), BINS - 1)
        self.counts += np.bincount(bins, minlength=BINS)

    def _widen(self, largest: float) -> None:
        if self.top == 0.0:
            self.top = largest * (1.0 + _ABOVE)
        while 0.0 < self.top <= largest:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([merged, np.zeros(BINS // 2, np.int64)])
            self.top *= 2.0
