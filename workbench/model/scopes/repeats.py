"""Repeats in a row of classes: A B A B A B is three times (A B)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PERIOD_MOST = 48
TIMES_LEAST = 3

Row = list[tuple[int, int]]  # start and end of each piece


def repeated(classes: Sequence[int]) -> Row:
    """The row in pieces, each a single place or one turn of a repeat of two or more classes.

    From the left, the repeat that reaches furthest; of those the one with the shortest period. What repeats a single
    class stays single places.
    """
    row = np.asarray(classes, dtype=np.int64)
    reach = {period: _reach(row, period) for period in range(1, min(PERIOD_MOST, len(row) // TIMES_LEAST) + 1)}
    pieces: Row = []
    place = 0
    while place < len(row):
        period, times = _longest(reach, place)
        step = period if times >= TIMES_LEAST else 1
        for _ in range(times if times >= TIMES_LEAST else 1):
            pieces.append((place, place + step))
            place += step
    return pieces


def _reach(row: np.ndarray[tuple[int], np.dtype[np.int64]], period: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many places from each on equal the one a period later."""
    same = row[:-period] == row[period:]
    breaks = np.flatnonzero(~same)
    next_break = np.append(breaks, len(same))[np.searchsorted(breaks, np.arange(len(same)))]
    return next_break - np.arange(len(same))


def _longest(reach: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]], place: int) -> tuple[int, int]:
    best, found = 0, (1, 1)
    for period, counts in reach.items():
        if place < len(counts) and counts[place]:
            times = 1 + int(counts[place]) // period
            if times >= TIMES_LEAST and times * period > best:
                best, found = times * period, (period, times)
    return found
