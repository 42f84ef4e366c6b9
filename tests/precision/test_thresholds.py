"""Thresholds on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.precision.histogram import Histogram
from workbench.precision.thresholds import quantization_errors, quantization_steps, threshold

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
    assert threshold(histogram, Calibration(method=MSE)) == pytest.approx(best, abs=1.5)


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
