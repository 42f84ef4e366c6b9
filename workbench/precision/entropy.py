"""The range of least entropy: where the distribution that INT8 can tell is nearest to the one that was seen.

The rule is that of TensorRT's entropy calibrator: S. Migacz, "8-bit Inference with TensorRT", GTC 2017, slides 25-32,
as NVIDIA's pytorch-quantization has it. For every threshold at the end of a bin:

1. P is the histogram of |x| up to the threshold. What lies beyond is clipped, so its mass is added to the last bin.
2. Q is the same bins without that mass, merged into as many groups as there are levels, and each group spread evenly
   over those of its bins that are not empty.
3. The threshold with the least Kullback-Leibler divergence sum P log(P / Q) wins; of equal ones, the largest.

Three details decide whether it works at all. There must be many more bins than levels (with 128 bins for 128 levels,
as ONNX Runtime's calibrator has, there is one candidate: the largest value). Zeros do not vote: behind a ReLU they are
most of the values, they cost nothing at any threshold, and as one bin among those of the lowest level they would push
the threshold down, so the first bin counts no more than its neighbour. And where the last group has no value of its
own, only clipped ones, Q would be 0 and the divergence infinite: Q is smoothed by a ten-thousandth of an even spread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.precision.histogram import Histogram

SMOOTHING = 1e-4
Counts = NDArray[np.float64]


def entropy_threshold(histogram: Histogram, levels: int = 128) -> float:
    """The magnitude beyond which values are clipped. `levels`: magnitudes that can be told apart, zero too."""
    counts = voting(histogram)
    if len(counts) <= levels:
        return histogram.amax
    ends = np.arange(levels, len(counts) + 1)
    divergence = divergences(counts, ends, levels)
    best = int(ends[len(ends) - 1 - int(np.argmin(divergence[::-1]))])
    return min(best * histogram.width, histogram.amax)


def voting(histogram: Histogram) -> Counts:
    """Counts of |x| in the bins in use, the first as high as the second: zeros do not vote."""
    counts = histogram.magnitudes.astype(np.float64)
    counts = counts[: int(np.flatnonzero(counts)[-1]) + 1]
    if len(counts) > 1:
        counts[0] = min(counts[0], counts[1])
    return counts


def divergences(counts: Counts, ends: NDArray[np.int64], levels: int) -> Counts:
    """Kullback-Leibler divergence, in nats, of the threshold behind bin `end` for each of `ends`.

    All bins of a group have the same Q, so a group needs only its sums, which are differences of running sums:
    sum P log P - sum over groups of (mass of P) log Q. All candidates at once, without a loop over bins.
    """
    total = counts.sum()
    seen, filled, own = _running(counts), _running(counts > 0), _running(_x_log_x(counts))
    edges = ends[:, None] * np.arange(levels + 1) // levels
    mass, bins = np.diff(seen[edges]), np.diff(filled[edges])
    kept = seen[ends]
    clipped, last = total - kept, counts[ends - 1]
    is_new = (last == 0) & (clipped > 0)  # the last bin is filled by clipped values alone
    bins[:, -1] += is_new
    support = filled[ends] + is_new
    even = SMOOTHING / support
    q = (1 - SMOOTHING) * mass / np.maximum(bins, 1) / np.maximum(kept, 1)[:, None] + even[:, None]
    p_mass = mass
    p_mass[:, -1] += clipped
    entropy = own[ends] - _x_log_x(last) + _x_log_x(last + clipped)
    found: Counts = (entropy - (p_mass * np.log(q)).sum(axis=1)) / total - np.log(total)
    return found


def _running(values: NDArray[np.generic]) -> Counts:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _x_log_x(values: Counts) -> Counts:
    found: Counts = values * np.log(np.maximum(values, 1e-300))
    return found
