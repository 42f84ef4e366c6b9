"""A histogram over a stream of arrays, in bounded memory, that does not depend on the order of the stream.

The range is a power of two, and doubles whenever a larger value comes: neighbouring bins then merge in pairs. A power
of two makes the place of a float32 in it exact, so that the counts are those of a histogram that was as wide from the
start, whatever came first, in however many parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 4096
"""On either side of zero. More than half of them are in use, as the range is less than twice the largest magnitude."""
SMALLEST_TOP = 2.0**-100
"""Below it a bin would be narrower than float32 can tell."""
_CHUNK = 1 << 16
"""Elements binned at a time: their temporary arrays stay in the processor's cache."""


@dataclass
class Histogram:
    """`counts[BINS + i]` values have i * width <= x < (i + 1) * width, for i from -BINS to BINS - 1.

    The width is `top` / BINS. `low` and `high` are the smallest and largest value; `skipped` counts NaN and infinities,
    which are left out. While every value is zero, `top` is 0 and all counts stand at i = 0.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2 * BINS, np.int64))
    top: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    skipped: int = 0

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    @property
    def bins(self) -> int:
        """On either side of zero."""
        return len(self.counts) // 2

    @property
    def width(self) -> float:
        """Of a bin."""
        return self.top / self.bins

    @property
    def amax(self) -> float:
        """Largest magnitude seen; 0 for nothing seen."""
        return max(abs(self.low), abs(self.high)) if math.isfinite(self.low) else 0.0

    @property
    def magnitudes(self) -> NDArray[np.int64]:
        """Counts of |x| in `bins` bins from 0 to `top`."""
        both: NDArray[np.int64] = self.counts[self.bins :] + self.counts[self.bins - 1 :: -1]
        return both

    def counts_between(self, low: float, high: float, bins: int) -> NDArray[np.int64]:
        """Counts in so many bins of equal width, by where the middles of ours lie; what is beyond, in the ends."""
        places = np.flatnonzero(self.counts)
        middles = (places + 0.5 - self.bins) * self.width
        which = ((middles - low) * (bins / ((high - low) or 1.0))).astype(np.intp).clip(0, bins - 1)
        return np.bincount(which, self.counts[places], minlength=bins).astype(np.int64)

    def coarser(self, factor: int) -> Histogram:
        """The same with `factor` bins taken together."""
        return Histogram(self.counts.reshape(-1, factor).sum(axis=1), self.top, self.low, self.high, self.skipped)

    def add(self, values: NDArray[np.generic], extremes: tuple[float, float] | None = None) -> float:
        """Counts every element of a float array of any shape; an empty one changes nothing.

        `extremes` are its smallest and largest value where they are known. Returns the largest finite magnitude in it.
        """
        flat = np.asarray(values).reshape(-1).astype(np.float32, copy=False)
        if not flat.size:
            return 0.0
        low, high = extremes or (float(flat.min()), float(flat.max()))
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = flat[np.isfinite(flat)]
            self.skipped += flat.size - finite.size
            return self.add(finite)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._widen(max(-low, high))
        for start in range(0, flat.size, _CHUNK):
            self._count(flat[start : start + _CHUNK], is_signed=low < 0.0)
        return max(-low, high)

    def _count(self, values: NDArray[np.float32], *, is_signed: bool) -> None:
        """Finite values below `top`. What is not negative needs no rounding down, nor room for another sign."""
        if self.top == 0.0:
            self.counts[BINS] += values.size
            return
        places = values * np.float32(BINS / self.top)
        if is_signed:
            np.floor(places, out=places)
            places += np.float32(BINS)
            self.counts += np.bincount(places.astype(np.intp), minlength=2 * BINS)
        else:
            self.counts[BINS:] += np.bincount(places.astype(np.intp), minlength=BINS)

    def _widen(self, largest: float) -> None:
        """Until `largest` is below `top`."""
        if largest <= 0.0 or largest < self.top:
            return
        wanted = max(math.ldexp(1.0, math.frexp(largest)[1]), SMALLEST_TOP)
        while 0.0 < self.top < wanted and self.counts.any():
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.zeros(2 * BINS, np.int64)
            self.counts[BINS // 2 : BINS + BINS // 2] = merged
            self.top *= 2.0
        self.top = wanted
