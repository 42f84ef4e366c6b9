"""One pass over samples: what it looks at, what it refuses, how it stops, how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import BY_MAX, CONV_BN, conv_bn_constants, seen, write_model
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.precision import (
    Observations,
    StaleObservationsError,
    load_observations,
    observe,
    observe_amaxes,
    save_observations,
)

TWO_MATMULS = """
(float[1,4] x) => (float[1,2] z) {
  y = MatMul (x, a)
  r = Relu (y)
  z = MatMul (r, b)
}
"""
EYES = {"a": np.diag(np.float32([1, -1, 2, 0])), "b": np.ones((4, 2), np.float32)}


def test_inputs_of_quantizable_nodes_are_observed_exactly(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    found = seen(model, {"x": np.float32([[1, 2, 3, 4]])}, {"x": np.float32([[-9, 0, 0, 0]])})
    assert list(found.histograms) == ["x", "r"]
    assert found.samples == 2
    assert (found.histograms["x"].low, found.histograms["x"].high) == (-9.0, 4.0)
    assert (found.histograms["r"].low, found.histograms["r"].high) == (0.0, 6.0)
    assert found.is_non_negative("r")
    assert not found.is_non_negative("x")
    assert found.range("x", BY_MAX) == (-9.0, 4.0)


def test_what_batchnorm_folding_merged_is_not_observed_twice(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    found = seen(model, {"x": np.ones((1, 3, 8, 8), np.float32)})
    assert list(found.histograms) == ["x"]


def test_saved_observations_come_back_whole(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    found = seen(model, {"x": np.float32([[1, 2, 3, 4]])})
    found.notes = ("a note, with ünïcode",)
    path = tmp_path / "ranges.npz"
    save_observations(found, path)
    back = load_observations(path)
    assert (back.samples, back.notes, list(back.histograms)) == (1, found.notes, list(found.histograms))
    for name, histogram in found.histograms.items():
        again = back.histograms[name]
        np.testing.assert_array_equal(again.counts, histogram.counts)
        assert (again.top, again.low, again.high) == (histogram.top, histogram.low, histogram.high)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 broken"])
def test_a_file_that_holds_no_calibration_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ranges.npz"
    path.write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"ranges\.npz holds no calibration"):
        load_observations(path)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "ranges.npz"
    np.savez(path, head=np.array([{"evil": 1}], dtype=object))
    with pytest.raises(WorkbenchError, match="holds no calibration"):
        load_observations(path)


def test_progress_and_cancel_come_between_samples(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    steps: list[tuple[int, int]] = []
    feeds = [{"x": np.ones((1, 4), np.float32)}] * 5
    with pytest.raises(Cancelled):
        observe(
            model,
            model.shapes,
            feeds,
            total=5,
            progress=lambda done, total: steps.append((done, total)),
            cancelled=lambda: len(steps) > 2,
        )
    assert steps == [(0, 5), (1, 5), (2, 5)]


@pytest.mark.parametrize(
    ("feeds", "reason"),
    [
        ([], "calibration set is empty"),
        ([{"x": np.float32([[1, 2, 3, np.nan]])}], "sample 0 holds NaN or infinities in input 'x'"),
        ([{"x": np.ones((1, 5), np.float32)}], "sample 0 does not run"),
    ],
)
def test_feeds_that_cannot_be_used_are_named(tmp_path: Path, feeds: list[dict[str, np.ndarray]], reason: str) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    with pytest.raises(WorkbenchError, match=reason):
        seen(model, *feeds)


def test_a_model_without_conv_matmul_or_gemm_has_nothing_to_quantize(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[4] x) => (float[4] y) { y = Relu (x) }")
    with pytest.raises(WorkbenchError, match="Nothing to quantize"):
        seen(model, {"x": np.ones(4, np.float32)})


def test_infinities_inside_the_model_are_left_out_and_said(tmp_path: Path) -> None:
    text = "(float[1,4] x) => (float[1,2] z) { y = Log (x) z = MatMul (y, b) }"
    model = write_model(tmp_path, text, {"b": np.ones((4, 2), np.float32)})
    found = seen(model, {"x": np.float32([[0, 1, 2, 3]])})
    assert found.histograms["y"].skipped == 1
    assert "left out of the ranges of 1 tensors ('y')" in found.notes[0]


def test_an_unseen_tensor_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(WorkbenchError, match=r"saw no values of 'ghost'.*Calibrate again"):
        Observations().threshold("ghost", BY_MAX)


def random_feeds(count: int, width: int = 4) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(11)
    return [{"x": (rng.standard_normal((1, width)) * 3 ** (i % 4)).astype(np.float32)} for i in range(count)]


def in_file(found: Observations, folder: Path) -> Observations:
    path = folder / "part.npz"
    save_observations(found, path)
    return load_observations(path)


def assert_same(first: Observations, second: Observations) -> None:
    """Bit for bit, everything."""
    assert (first.samples, first.notes, first.amaxes) == (second.samples, second.notes, second.amaxes)
    assert list(first.histograms) == list(second.histograms)
    for name, one in first.histograms.items():
        other = second.histograms[name]
        np.testing.assert_array_equal(one.counts, other.counts)
        assert (one.top, one.low, one.high, one.skipped) == (other.top, other.low, other.high, other.skipped)
        for kept, twin in ((first.channels[name], second.channels[name]), (first.peaks[name], second.peaks[name])):
            for field in vars(kept):
                np.testing.assert_array_equal(getattr(kept, field), getattr(twin, field))
    assert first.trail.marks == second.trail.marks
    np.testing.assert_array_equal(first.trail.thresholds, second.trail.thresholds)
    assert {name: rows.tolist() for name, rows in first.rows.items()} == {
        name: rows.tolist() for name, rows in second.rows.items()
    }


@pytest.mark.parametrize("stop", [1, 7, 16, 29])
def test_a_pass_that_goes_on_from_a_file_is_one_that_was_never_interrupted(tmp_path: Path, stop: int) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    feeds = random_feeds(30)
    whole = seen(model, *feeds)
    kept: list[Observations] = []
    with pytest.raises(Cancelled):
        observe(
            model,
            model.shapes,
            feeds,
            total=30,
            cancelled=Countdown(stop),
            keep=lambda part: kept.append(in_file(part, tmp_path)),
        )
    assert kept[-1].samples == stop
    again = observe(model, model.shapes, feeds[stop:], total=30, seen=kept[-1])
    assert_same(again, whole)


class Countdown:
    """False so many times, then True."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_the_order_of_samples_changes_no_histogram(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    feeds = random_feeds(12)
    first, second = seen(model, *feeds), seen(model, *feeds[::-1])
    for name, one in first.histograms.items():
        np.testing.assert_array_equal(one.counts, second.histograms[name].counts)


def test_observations_of_another_graph_are_not_gone_on_with(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    other = write_model(tmp_path, CONV_BN, conv_bn_constants(), name="other.onnx")
    with pytest.raises(StaleObservationsError):
        observe(
            model, model.shapes, random_feeds(2), total=2, seen=seen(other, {"x": np.ones((1, 3, 8, 8), np.float32)})
        )


def test_every_channel_has_a_range_and_dead_ones_are_known(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    found = seen(model, {"x": np.float32([[1, 2, 3, 4]])}, {"x": np.float32([[-9, 0, 1, 0]])})
    channels = found.channels["r"]  # r = relu(x * [1, -1, 2, 0])
    assert channels.low.tolist() == [0, 0, 2, 0]
    assert channels.high.tolist() == [1, 0, 6, 0]
    assert channels.dead.tolist() == [1, 3]


def test_the_largest_value_of_every_tensor_is_found_without_keeping_any(tmp_path: Path) -> None:
    model = write_model(tmp_path, TWO_MATMULS, EYES)
    feeds = [{"x": np.float32([[1, 2, 3, 70000]])}, {"x": np.float32([[-9, -40000, 0, 0]])}]
    amaxes = observe_amaxes(
        model, model.shapes, feeds, total=2, progress=lambda done, total: None, cancelled=lambda: False
    )
    assert amaxes == {"x": 70000.0, "y": 40000.0, "r": 40000.0, "z": 40000.0}
    assert Observations(amaxes=amaxes).amax("y") == 40000.0
    assert Observations(amaxes=amaxes).amax("ghost") is None
