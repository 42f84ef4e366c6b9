"""The streaming histogram: exact merges, nothing lost, bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np

from workbench.precision.histogram import BINS, Histogram


def test_widening_gives_the_counts_of_a_histogram_that_was_wide_from_the_start() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(5000) * scale for scale in (1.0, 0.1, 7.0, 40.0)]
    grown = Histogram()
    for part in parts:
        grown.add(part)
    wide = Histogram(top=grown.top)
    wide.add(np.concatenate(parts))
    assert grown.top > 40.0
    np.testing.assert_array_equal(grown.counts, wide.counts)


def test_low_and_high_are_signed_and_every_value_counts_once() -> None:
    histogram = Histogram()
    histogram.add(np.array([[-3.0, 1.0], [0.0, 2.0]], np.float32))
    histogram.add(np.zeros((0, 4), np.float32))
    assert (histogram.low, histogram.high, histogram.amax, histogram.count) == (-3.0, 2.0, 3.0, 4)
    assert histogram.top == 4.0
    places = {value: int(np.floor(value * BINS / 4.0)) + BINS for value in (-3.0, 0.0, 1.0, 2.0)}
    assert np.flatnonzero(histogram.counts).tolist() == list(places.values())
    assert histogram.magnitudes.sum() == 4


def test_zeros_alone_have_no_range_until_something_else_comes() -> None:
    histogram = Histogram()
    histogram.add(np.zeros(10))
    assert (histogram.top, histogram.amax, histogram.count) == (0.0, 0.0, 10)
    histogram.add(np.array([4.0]))
    assert histogram.top == 8.0  # the power of two above
    assert histogram.counts[BINS] == 10


def test_nan_and_infinities_are_left_out_and_counted() -> None:
    histogram = Histogram()
    histogram.add(np.array([np.nan, np.inf, -np.inf, 1.0]))
    assert (histogram.skipped, histogram.count, histogram.high) == (3, 1, 1.0)


def test_a_large_array_needs_no_more_than_a_chunk_of_memory() -> None:
    values = np.ones(8_000_000, np.float32)
    histogram = Histogram()
    tracemalloc.start()
    histogram.add(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert histogram.count == values.size
    assert peak < values.nbytes * 1.5  # in one piece it would be 5 times that
