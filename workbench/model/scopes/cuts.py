"""Where a graph without names falls apart by itself: at nodes that no edge jumps over.

A node that every path runs through ends a block: the sum of a residual block, the Concat of an inception module. In
topological order these are the nodes which no edge jumps over, so that all are found in O(V + E). Values that are read
all over the graph (an attention mask, the skips of a U-Net) jump over everything; the furthest read are left out, by
halves, until blocks show.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHORTEST = 16  # values that are read over fewer places always count

Edges = Sequence[Sequence[int]]


def reading_order(producers: Edges) -> list[int]:
    """Topological order in which each item stands as near before its first reader as can be: depth first from the ends.

    Items of a cycle, which groups can be in, come in some order, always the same.
    """
    is_read = [False] * len(producers)
    for makers in producers:
        for maker in makers:
            is_read[maker] = True
    order: list[int] = []
    state = bytearray(len(producers))  # 0 new, 1 on the stack, 2 done
    for end in [item for item, read in enumerate(is_read) if not read] + list(range(len(producers))):
        stack = [end]
        while stack:
            item = stack[-1]
            if state[item]:
                stack.pop()
                if state[item] == 1:
                    state[item] = 2
                    order.append(item)
                continue
            state[item] = 1
            stack.extend([maker for maker in reversed(producers[item]) if not state[maker]])
    return order


def cut_places(producers: Edges, order: Sequence[int], size_most: int) -> NDArray[np.int64]:
    """Places in `order` of the cut nodes; the furthest read values are left out until the parts are small enough."""
    starts, ends = _spans(producers, order)
    longest = len(order)
    best = _cuts(starts, ends, len(order))
    while _largest_gap(best, len(order)) > size_most and longest // 2 >= SHORTEST:
        longest //= 2
        near = ends - starts <= longest
        found = _cuts(starts[near], ends[near], len(order))
        if _largest_gap(found, len(order)) <= _largest_gap(best, len(order)) / 2:
            best = found
    return best


def _spans(producers: Edges, order: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From where to where each item is of use: its own place and that of its furthest reader, in order."""
    place = np.empty(len(order), dtype=np.int64)
    place[np.asarray(order, dtype=np.int64)] = np.arange(len(order))
    readers = place[np.repeat(np.arange(len(order)), [len(makers) for makers in producers])]
    makers = np.asarray([maker for found in producers for maker in found], dtype=np.int64)
    starts, ends = place.copy(), place.copy()
    np.minimum.at(starts, makers, readers)
    np.maximum.at(ends, makers, readers)
    is_read = starts < ends
    return starts[is_read], ends[is_read]


def _cuts(starts: NDArray[np.int64], ends: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    over = np.bincount(starts + 1, minlength=count + 1) - np.bincount(ends, minlength=count + 1)
    return np.flatnonzero(np.cumsum(over)[:count] == 0)


def _largest_gap(cuts: NDArray[np.int64], count: int) -> int:
    return int(np.max(np.diff(np.concatenate(([-1], cuts, [count])))))


def segments(order: Sequence[int], cuts: set[int]) -> list[list[int]]:
    """The order in pieces: one ends behind every cut at which paths part, where the next node is none."""
    ends = [i + 1 for i, (item, after) in enumerate(itertools.pairwise(order)) if item in cuts and after not in cuts]
    return [list(order[a:b]) for a, b in itertools.pairwise([0, *ends, len(order)])]
