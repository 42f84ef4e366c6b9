"""Thresholds on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.histogram import Histogram
from workbench.precision.thresholds import (
    clipped_share,
    quantization_errors,
    quantization_steps,
    sqnr_db,
    threshold,
)

MAX, PERCENTILE, MSE = CalibrationMethod.MAX, CalibrationMethod.PERCENTILE, CalibrationMethod.MSE


def of(values: np.ndarray) -> Histogram:
    histogram = Histogram()
    histogram.add(values)
    return histogram


def test_max_is_the_largest_magnitude() -> None:
    assert threshold(of(np.array([-5.0, 1.0])), Calibration(method=MAX)) == 5.0


@pytest.mark.parametrize("share", [50.0, 90.0, 99.0])
def test_percentile_of_a_uniform_spread_is_that_share_of_its_end(share: float) -> None:
    histogram = of(np.linspace(-8.0, 8.0, 200_001))
    found = threshold(histogram, Calibration(method=PERCENTILE, percentile=share))
    assert found == pytest.approx(8.0 * share / 100.0, abs=8.0 / 2048)


def test_mse_keeps_a_uniform_spread_whole() -> None:
    histogram = of(np.linspace(-1.0, 1.0, 100_001))
    assert threshold(histogram, Calibration(method=MSE)) >= 0.97


def test_mse_weighs_one_outlier_against_the_rounding_of_the_bulk() -> None:
    """(100 - t)^2 + n (t / 127)^2 / 12 is least where 100 - t = n t / (12 * 127^2)."""
    n = 200_000
    histogram = of(np.append(np.random.default_rng(0).standard_normal(n), 100.0))
    best = 100.0 / (1.0 + n / (12 * 127**2))
    found = threshold(histogram, Calibration(method=MSE))

    def error(limit: float) -> float:
        return (100.0 - limit) ** 2 + n * (limit / 127) ** 2 / 12

    assert found >= best  # the larger of equals
    assert error(found) <= error(best) * 1.021


def test_mse_is_the_best_of_the_thresholds_by_true_quantization() -> None:
    values = np.random.default_rng(1).laplace(size=100_000)
    histogram = of(values)
    found = threshold(histogram, Calibration(method=MSE))

    def error(limit: float) -> float:
        step = limit / 127
        return float(((np.clip(np.rint(values / step), -127, 127) * step - values) ** 2).sum())

    candidates = histogram.amax * np.arange(0.05, 1.0, 0.05)
    assert error(found) <= min(error(limit) for limit in candidates) * 1.02


def test_unsigned_steps_cover_only_the_side_that_was_seen() -> None:
    limits = np.array([0.1, 2.0])
    one_sided = of(np.array([0.0, 2.0]))
    np.testing.assert_allclose(quantization_steps(one_sided, limits, True), limits / 255)
    np.testing.assert_allclose(quantization_steps(one_sided, limits, False), limits / 127)
    mostly = of(np.array([-0.5, 2.0]))
    np.testing.assert_allclose(quantization_steps(mostly, limits, True), [0.2 / 255, 2.5 / 255])


def test_errors_grow_when_the_threshold_clips() -> None:
    histogram = of(np.linspace(0.0, 1.0, 10_001))
    limits = np.array([0.25, 0.5, 1.0])
    errors = quantization_errors(histogram, limits, limits / 127)
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("method", list(CalibrationMethod))
def test_zeros_alone_have_threshold_zero(method: CalibrationMethod) -> None:
    assert threshold(of(np.zeros(4)), Calibration(method=method)) == 0.0


def true_error(values: np.ndarray, limit: float, *, unsigned: bool) -> float:
    """Of the values themselves, quantized as Q/DQ does."""
    if not unsigned:
        step = limit / 127
        got = np.clip(np.rint(values / step), -127, 127) * step
    else:
        low, high = max(min(float(values.min()), 0.0), -limit), min(max(float(values.max()), 0.0), limit)
        step = (high - low) / 255
        zero = round(-low / step)
        got = (np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step
    return float(((got - values) ** 2).sum())


RNG = np.random.default_rng(5)
SHAPES = {
    "normal": RNG.standard_normal(60_000),
    "behind a ReLU": np.maximum(RNG.standard_normal(60_000), 0),
    "behind a hard-swish": np.maximum(RNG.standard_normal(60_000) * 2, -0.375),
    "heavy tails": RNG.standard_t(3, 60_000),
    "one outlier": np.append(RNG.standard_normal(60_000), 40.0),
    "two scales": np.concatenate([RNG.standard_normal(50_000) * 0.01, RNG.standard_normal(5_000)]),
    "a heap at the end": np.clip(RNG.standard_normal(60_000) * 5, 0, 6),
    "exponential": RNG.exponential(size=60_000),
}


@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize("name", list(SHAPES))
def test_mse_is_the_brute_force_optimum_within_three_per_cent(name: str, unsigned: bool) -> None:
    values = SHAPES[name].astype(np.float32)
    found = threshold(of(values), Calibration(method=MSE), unsigned=unsigned)
    candidates = float(np.abs(values).max()) * np.geomspace(0.005, 1.0, 250)
    best = min(true_error(values, limit, unsigned=unsigned) for limit in candidates)
    assert true_error(values, found, unsigned=unsigned) <= best * 1.03


@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize("method", list(CalibrationMethod))
def test_the_estimates_of_a_range_are_those_of_the_values(method: CalibrationMethod, unsigned: bool) -> None:
    values = SHAPES["heavy tails"].astype(np.float32)
    histogram = of(values)
    limit = threshold(histogram, Calibration(method=method), unsigned=unsigned)
    signal = float((values.astype(np.float64) ** 2).sum())
    true_db = 10 * np.log10(signal / true_error(values, limit, unsigned=unsigned))
    assert sqnr_db(histogram, limit, unsigned=unsigned) == pytest.approx(true_db, abs=0.3)
    assert clipped_share(histogram, limit) == pytest.approx(float((np.abs(values) > limit).mean()), abs=1e-4)


def test_values_on_the_grid_of_int8_lose_nothing() -> None:
    values = np.arange(-127, 128).repeat(50) * np.float32(0.02)
    found = threshold(of(values), Calibration(method=MSE))
    assert found == pytest.approx(127 * 0.02)
    assert sqnr_db(of(values), found) > 60


def test_a_heap_at_the_largest_value_is_not_clipped() -> None:
    histogram = of(SHAPES["a heap at the end"])
    assert threshold(histogram, Calibration(method=MSE), unsigned=True) == 6.0
    assert clipped_share(histogram, 6.0) == 0.0
