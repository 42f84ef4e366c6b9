"""What the doctor says of observations: faults that are planted are found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import seen, write_model
from workbench.core.calibration_report import Finding, Severity
from workbench.precision import Observations
from workbench.precision.base import base_graph
from workbench.precision.judging import cover, judge, unlike
from workbench.precision.readers import readers

NET = """
(float[1,6] x) => (float[1,2] z) {
  y = MatMul (x, a)
  s = Add (y, c)
  r = Relu (s)
  z = MatMul (r, b)
}
"""
RNG = np.random.default_rng(3)
WEIGHTS = {
    "a": RNG.standard_normal((6, 6)).astype(np.float32),
    "c": np.zeros(6, np.float32),
    "b": np.ones((6, 2), np.float32),
}


def samples(count: int, scale: float = 1.0, seed: int = 0) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [{"x": (rng.standard_normal((1, 6)) * scale).astype(np.float32)} for _ in range(count)]


def observed(folder: Path, feeds: list[dict[str, np.ndarray]], **weights: np.ndarray) -> Observations:
    return seen(write_model(folder, NET, WEIGHTS | weights), *feeds)


def found(folder: Path, feeds: list[dict[str, np.ndarray]], **weights: np.ndarray) -> dict[str, Finding]:
    model = write_model(folder, NET, WEIGHTS | weights)
    return {one.kind: one for one in judge(seen(model, *feeds), readers(base_graph(model, model.shapes).proto))}


def test_a_healthy_set_gives_no_warning(tmp_path: Path) -> None:
    findings = found(tmp_path, samples(400))
    assert not [one for one in findings.values() if one.severity is Severity.WARNING]


def test_too_few_samples_are_said(tmp_path: Path) -> None:
    one = found(tmp_path, samples(3))["few_samples"]
    assert one.severity is Severity.WARNING
    assert "Only 3 samples" in one.text


@pytest.mark.parametrize("place", [0, 17, 39])
def test_an_outlier_is_named_with_how_far_it_reaches(tmp_path: Path, place: int) -> None:
    feeds = samples(40)
    feeds[place] = {"x": feeds[place]["x"] * 50}
    one = found(tmp_path, feeds)["outlier"]
    assert one.samples == (place,)
    assert f"Sample {place} reaches" in one.text
    assert "in 1 more tensor" in one.text
    assert one.nodes in (("n0",), ("n3",))


def test_two_outliers_are_told_together(tmp_path: Path) -> None:
    feeds = samples(40)
    for place in (5, 9):
        feeds[place] = {"x": np.full((1, 6), 60.0 + place, np.float32)}
    assert found(tmp_path, feeds)["outlier"].samples == (5, 9)


def test_a_dead_channel_is_a_note_with_its_number_and_reader(tmp_path: Path) -> None:
    shut = WEIGHTS["c"].copy()
    shut[4] = -1000.0
    one = found(tmp_path, samples(32), c=shut)["dead_channels"]
    assert one.severity is Severity.NOTE
    assert "1 of 6 channels of 'r'" in one.text
    assert one.text.endswith("4")
    assert one.nodes == ("n3",)


def test_a_tensor_that_nothing_reaches_is_a_warning(tmp_path: Path) -> None:
    one = found(tmp_path, samples(32), c=np.full(6, -1000.0, np.float32))["constant"]
    assert (one.severity, one.tensor, one.nodes) == (Severity.WARNING, "r", ("n3",))


def test_infinities_inside_are_a_warning(tmp_path: Path) -> None:
    feeds = samples(32)
    with np.errstate(over="ignore"):
        one = found(tmp_path, feeds, c=np.full(6, np.inf, np.float32))["non_finite"]
    assert "'r'" in one.text


def test_a_set_of_another_kind_than_the_evaluation_set_is_told(tmp_path: Path) -> None:
    here, there = observed(tmp_path, samples(32, seed=1)), observed(tmp_path, samples(32, 6.0, seed=2))
    assert [one.kind for one in unlike(here, there, "eval")] == ["unlike"]
    assert "eval" in unlike(here, there, "eval")[0].text


@pytest.mark.parametrize("seed", range(10))
def test_two_sets_of_one_source_are_alike(tmp_path: Path, seed: int) -> None:
    here, there = observed(tmp_path, samples(48, seed=seed)), observed(tmp_path, samples(32, seed=100 + seed))
    assert unlike(here, there, "eval") == []


def test_coverage_is_the_share_of_another_set_within_what_was_seen(tmp_path: Path) -> None:
    here = observed(tmp_path, [{"x": np.full((1, 6), 1.0, np.float32)}] * 2)
    inside = observed(tmp_path, [{"x": np.full((1, 6), 0.5, np.float32)}])
    beyond = observed(tmp_path, [{"x": np.float32([[0.5, 0.5, 0.5, 0.5, 0.5, 3.0]])}])
    assert (cover(here, inside, "eval").inside, cover(here, inside, "eval").beyond) == (1.0, 0)
    found = cover(here, beyond, "eval")
    assert found.inside < 1.0 and found.samples == 1
    assert found.factor >= 3.0 and found.tensor in ("x", "r")
