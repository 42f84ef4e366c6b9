"""Weights to symmetric int8: values in -127..127 and a scale, one for the tensor or one per output channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 127
_FLOOR = 1e-6
_SHRINKS = np.linspace(1.0, 0.5, 51)


def quantized_weights(
    values: NDArray[np.float32], axis: int | None, *, by_mse: bool = False
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values in the shape of `values`, and scales: a scalar, or one per index of `axis`.

    A scale is max |w| / 127, with `by_mse` shrunk by 0.5 to 1 to where the squared error is least. It is never under a
    millionth of the largest one (a dead channel must not get zero); all zeros get scale 1.
    """
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1) if axis is not None else values.reshape(1, -1)
    largest = np.abs(rows).max(axis=1, initial=0.0)
    top = float(largest.max(initial=0.0)) or float(LEVELS)
    full = np.maximum(largest, top * _FLOOR).astype(np.float32) / np.float32(LEVELS)
    scale = _least_squares(rows, full) if by_mse else full
    if axis is None:
        return _rounded(values, scale[0]), np.asarray(scale[0], np.float32)
    shape = [-1 if index == axis else 1 for index in range(values.ndim)]
    return _rounded(values, scale.reshape(shape)), scale


def _rounded(values: NDArray[np.float32], scale: NDArray[np.float32] | np.float32) -> NDArray[np.int8]:
    steps: NDArray[np.int8] = np.clip(np.rint(values / scale), -LEVELS, LEVELS).astype(np.int8)
    return steps


def _least_squares(rows: NDArray[np.float32], full: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each row the shrunk scale with the smallest squared error; the unshrunk one where none is better."""
    best, least = full.copy(), np.full(len(full), np.inf)
    for shrink in _SHRINKS:
        scale = full * np.float32(shrink)
        steps = scale[:, None]
        errors = ((_rounded(rows, steps) * steps - rows) ** 2).sum(axis=1)
        better = errors < least
        least[better], best[better] = errors[better], scale[better]
    return best
