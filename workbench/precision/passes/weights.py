"""Weights in few bits: stored values, their scales, and where the scales run. No zero points: TensorRT takes none.

Rules
1. A scale is the largest magnitude of what it covers / the largest number of the type (127, 448, 7, 6), never under a
   millionth of the tensor's largest one (a dead channel must not get zero); all zeros get scale 1. Clipping weights by
   least squares was tried for int8: on PP-OCRv4 it changed nothing beyond noise.
2. Where scales will be stored in a half type (`kind`) they are rounded to it before values are divided by them, so that
   this rounding costs nothing; none rounds to zero.
3. int4 values lie in -7..7 (-8 has no counterpart, and symmetric blocks have the smaller error without it).
4. FP4 (E2M1) has scales in blocks of 16, themselves stored as E4M3 with one float scale for all: NVFP4, as TensorRT
   and NVIDIA's Model Optimizer write it.
"""

from __future__ import annotations

from typing import NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

INT8_LARGEST = 127
INT4_LARGEST = 7
E4M3_LARGEST = 448.0
E2M1_LARGEST = 6.0
FP4_BLOCK = 16
E4M3 = np.dtype(ml_dtypes.float8_e4m3fn)
INT4 = np.dtype(ml_dtypes.int4)
E2M1 = np.dtype(ml_dtypes.float4_e2m1fn)
_FLOOR = 1e-6

Array = NDArray[np.generic]


class Stored(NamedTuple):
    """Values in their storage type, in the shape of the weights, and float32 scales.

    `axis` is where scales run (None: one scale), `block` how many values along it share one (0: every index has its
    own). `scale_of_scales` is there for FP4 only, whose `scale` is E4M3.
    """

    values: Array
    scale: Array
    axis: int | None = None
    block: int = 0
    scale_of_scales: Array | None = None


def quantized_weights(
    values: NDArray[np.float32],
    axis: int | None,
    kind: DTypeLike = np.float32,
    scales: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values in the shape of `values`, and scales (else `int8_scales`): a scalar, or one per index of `axis`."""
    scale = int8_scales(values, axis, kind) if scales is None else scales
    shape = [] if axis is None else [-1 if index == axis else 1 for index in range(values.ndim)]
    steps = _steps(values, scale.reshape(shape), INT8_LARGEST).astype(np.int8)
    return steps, scale.reshape([] if axis is None else [-1])


def int8_scales(values: NDArray[np.float32], axis: int | None, kind: DTypeLike = np.float32) -> NDArray[np.float32]:
    """Rules 1 and 2: one per index of `axis`, or [1] for all."""
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1) if axis is not None else values.reshape(1, -1)
    return _scale(np.abs(rows).max(axis=1, initial=0.0), INT8_LARGEST, np.dtype(kind))


def int8_weights(
    values: NDArray[np.float32],
    axis: int | None,
    kind: DTypeLike = np.float32,
    scales: NDArray[np.float32] | None = None,
) -> Stored:
    """One scale per index of `axis`, or one for all; these `scales` where they are given."""
    return Stored(*quantized_weights(values, axis, kind, scales), axis)


def fp8_weights(values: NDArray[np.float32], kind: DTypeLike = np.float32) -> Stored:
    """E4M3 with one scale: a float type keeps its relative precision over 17 powers of two, and TensorRT 1.7 adds a
    kernel that multiplies where the scales run along an axis."""
    scale = _scale(np.abs(values).max(initial=0.0).reshape(1), E4M3_LARGEST, np.dtype(kind))[0]
    shares = np.clip(values / np.float32(scale), -E4M3_LARGEST, E4M3_LARGEST)
    return Stored(shares.astype(E4M3), np.asarray(scale))


def int4_weights(values: NDArray[np.float32], axis: int, block: int, kind: DTypeLike = np.float32) -> Stored:
    """One scale per `block` values along `axis`, whose size is a multiple of it."""
    scale = _scale(_largest(values, axis, block), INT4_LARGEST, np.dtype(kind))
    steps = _steps(values, np.repeat(scale, block, axis), INT4_LARGEST).astype(np.int8)
    return Stored(steps.astype(INT4), scale, axis, block)


def fp4_weights(values: NDArray[np.float32], axis: int, kind: DTypeLike = np.float32) -> Stored:
    """Rule 4. The size of `axis` is a multiple of 16."""
    largest = _largest(values, axis, FP4_BLOCK)
    whole = _scale(largest.max(initial=0.0).reshape(1), E2M1_LARGEST * E4M3_LARGEST, np.dtype(kind))[0]
    smallest = float(ml_dtypes.finfo(E4M3).smallest_subnormal)
    scale = np.clip(largest / E2M1_LARGEST / np.float32(whole), smallest, E4M3_LARGEST).astype(E4M3)
    steps = values / np.repeat(scale.astype(np.float32) * np.float32(whole), FP4_BLOCK, axis)
    return Stored(np.clip(steps, -E2M1_LARGEST, E2M1_LARGEST).astype(E2M1), scale, axis, FP4_BLOCK, np.asarray(whole))


def rounded_scale(scale: float, kind: DTypeLike = np.float32) -> float:
    """Rule 2 for the scale of an activation; 1 where every value was zero."""
    if scale == 0.0:
        return 1.0
    return max(float(np.asarray(scale).astype(kind)), float(ml_dtypes.finfo(kind).smallest_subnormal))


def dequantized(stored: Stored) -> NDArray[np.float32]:
    """The weights that an engine computes with."""
    scale = stored.scale.astype(np.float32)
    if stored.scale_of_scales is not None:
        scale = scale * stored.scale_of_scales.astype(np.float32)
    if stored.block and stored.axis is not None:
        scale = np.repeat(scale, stored.block, stored.axis)
    elif stored.axis is not None:
        scale = scale.reshape([-1 if index == stored.axis else 1 for index in range(stored.values.ndim)])
    found: NDArray[np.float32] = stored.values.astype(np.float32) * scale
    return found


def _largest(values: NDArray[np.float32], axis: int, block: int) -> NDArray[np.float32]:
    """Largest magnitude of every block along `axis`."""
    shape = (*values.shape[:axis], values.shape[axis] // block, block, *values.shape[axis + 1 :])
    found: NDArray[np.float32] = np.abs(values.reshape(shape)).max(axis=axis + 1)
    return found


def _scale(largest: NDArray[np.float32], top: float, kind: np.dtype[np.generic]) -> NDArray[np.float32]:
    """Rules 1 and 2."""
    most = float(largest.max(initial=0.0)) or float(top)
    scale = np.maximum(largest, most * _FLOOR).astype(np.float32) / np.float32(top)
    smallest = np.float32(ml_dtypes.finfo(kind).smallest_subnormal)
    rounded: NDArray[np.float32] = np.maximum(scale, smallest).astype(kind).astype(np.float32)
    return rounded


def _steps(values: NDArray[np.float32], scale: Array, top: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.clip(np.rint(values / scale.astype(np.float32)), -top, top)
    return found
