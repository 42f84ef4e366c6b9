"""What is fed, looked at by itself: ranges, layout, means and recipes that contradict themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.core.calibration_report import Severity
from workbench.core.recipe import Color, Preprocess, Recipe
from workbench.data.doctor import look_at_inputs
from workbench.data.statistics import input_statistics, ks_distance, ks_limit

Change = Callable[[np.ndarray], np.ndarray]


def photos(count: int = 16) -> list[np.ndarray]:
    """[1, 3, 32, 32] whole numbers 0..255: smooth, with three colours that differ."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, 3, 8, 8)).astype(np.float64)
    large = small.repeat(4, axis=2).repeat(4, axis=3)
    for axis in (2, 3):
        large = (large + np.roll(large, 1, axis) + np.roll(large, -1, axis)) / 3
    return [np.rint(one)[None] for one in large]


def findings(change: Change, recipe: Recipe = Recipe()) -> dict[str, Severity]:  # noqa: B008  frozen
    feeds = [{"image": np.ascontiguousarray(change(one)).astype(np.float32)} for one in photos()]
    shapes = {"image": feeds[0]["image"].shape}
    return {one.kind: one.severity for one in look_at_inputs(input_statistics(feeds), shapes, recipe)}


def as_nhwc(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, 1, 3)).reshape(x.shape)


MEAN = np.array([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
STD = np.array([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x: x / 255, {}),
        (lambda x: x / 127.5 - 1, {}),
        (lambda x: (x / 255 - MEAN) / STD, {}),
        (lambda x: np.moveaxis(x / 255, 1, 3), {}),
        (lambda x: x, {"range": Severity.NOTE}),
        (lambda x: x / 255 / 255, {"range": Severity.WARNING}),
        (lambda x: as_nhwc(x / 255), {"layout": Severity.WARNING}),
        (lambda x: (x / 255 - 2 * MEAN) / STD, {"mean": Severity.WARNING}),
    ],
    ids=["0..1", "-1..1", "ImageNet", "NHWC", "0..255", "255 twice", "NHWC as NCHW", "mean twice"],
)
def test_what_is_fed_is_judged_by_its_values(change: Change, expected: dict[str, Severity]) -> None:
    assert findings(change) == expected


@pytest.mark.parametrize(("color", "kinds"), [(Color.RGB, set()), (Color.BGR, {"color"})])
def test_means_in_the_order_of_other_colours_are_noted(color: Color, kinds: set[str]) -> None:
    recipe = Recipe(preprocess=Preprocess("image", color=color, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)))
    assert set(findings(lambda x: (x / 255 - MEAN) / STD, recipe)) == kinds


def test_a_blank_sample_is_named() -> None:
    feeds = [{"image": one.astype(np.float32) / 255} for one in photos()]
    feeds[3] = {"image": np.zeros_like(feeds[3]["image"])}
    found = look_at_inputs(input_statistics(feeds), {"image": (1, 3, 32, 32)}, Recipe())
    assert [(one.kind, one.samples) for one in found] == [("constant", (3,))]


def test_a_state_that_is_always_zero_is_no_blank_picture() -> None:
    feeds = [{"state": np.zeros((2, 1, 64), np.float32)}] * 4
    assert look_at_inputs(input_statistics(feeds), {"state": (2, 1, 64)}, Recipe()) == []


def test_the_distance_of_two_samples_is_that_of_their_distribution_functions() -> None:
    assert ks_distance(np.array([1.0, 2, 3]), np.array([1.0, 2, 3])) == 0.0
    assert ks_distance(np.array([1.0, 2]), np.array([3.0, 4])) == 1.0
    assert ks_distance(np.array([1.0, 3]), np.array([2.0, 4])) == 0.5
    assert ks_limit(32, 32) == pytest.approx(0.556, abs=0.001)
