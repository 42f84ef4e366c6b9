"""x: items are joined into straight vertical blocks, blocks keep their distances and move towards their neighbours.

Blocks and their compaction follow Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2001), with
sizes and ports as in Rüegg et al., "Size- and port-aware horizontal node coordinate assignment" (2015). Instead of four
alignments and their mean, which bends a trunk at every join, alignments are taken greedily, longest straight way first:
the trunk of a network is one vertical line and shortcuts run beside it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.layout_items import Items, Line

Floats = NDArray[np.float64]

NODE_GAP = 28.0
LINE_GAP = 14.0  # between a line and a node, or two lines
ROUNDS = 12
MIXED = 1 << 40  # sorts lines between a node and a dummy behind all others

Distances = dict[tuple[int, int], float]
Pulls = list[list[tuple[int, float, float]]]  # per block: another block, how far right of it, how strongly


def place_items(items: Items) -> list[float]:
    """Centre x of every item; no two of a row nearer than their widths and the gap, in the order of the rows."""
    if not items.count:
        return []
    block, shift, count = _blocks(items, _aligned(items))
    apart = _separations(items, block, shift)
    x = _relax(_compact(count, apart), apart, _pulls(items, block, shift, count))
    return [x[b] + s for b, s in zip(block, shift, strict=True)]


def _aligned(items: Items) -> list[tuple[int, float]]:
    """For each item the item below it whose line runs straight down, or -1, and how far right of it that stands."""
    below: list[tuple[int, float]] = [(-1, 0.0)] * items.count
    is_taken = [False] * items.count
    slots = [0] * items.count
    for row in items.rows:
        for slot, item in enumerate(row):
            slots[item] = slot
    taken: list[list[tuple[int, int]]] = [[] for _ in items.rows]
    for _, _, a, b, aside in sorted(_candidates(items, slots)):
        if below[a][0] < 0 and not is_taken[b] and _fits(taken[items.rank[a]], slots[a], slots[b]):
            below[a], is_taken[b] = (b, aside), True
            insort(taken[items.rank[a]], (slots[a], slots[b]))
    return below


def _fits(taken: list[tuple[int, int]], top: int, bottom: int) -> bool:
    """True if the line crosses no alignment taken before."""
    place = bisect_left(taken, (top, bottom))
    before_ok = place == 0 or taken[place - 1][1] < bottom
    return before_ok and (place == len(taken) or taken[place][1] > bottom)


def _candidates(items: Items, slots: list[int]) -> list[tuple[int, int, int, int, float]]:
    """(order, off, upper, lower, shift) for every line: the longer the straight way it could be part of, the earlier.

    Of equally long ways the middle one comes first: `off` is how far a line is from the middle of both its bundles.
    """
    off_down, off_up = _off_middle(items.down, slots), _off_middle(items.up, slots)
    nodes = items.nodes
    to_top, to_bottom = [1] * items.count, [1] * items.count
    for row in items.rows:
        for item in row:
            if item < nodes:
                to_top[item] += max((to_top[line.other] for line in items.up[item] if line.other < nodes), default=0)
    for row in reversed(items.rows):
        for item in row:
            if item < nodes:
                below = (to_bottom[line.other] for line in items.down[item] if line.other < nodes)
                to_bottom[item] += max(below, default=0)
    lines = []
    for a, children in enumerate(items.down):
        for b, at, other_at in children:
            if a < nodes and b < nodes:
                order = -2 * (to_top[a] + to_bottom[b])
            elif a >= nodes and b >= nodes:
                order = 1 - 2 * items.length[a]
            else:
                order = MIXED + (a >= nodes)
            off = off_down.get((a, b), 0) + off_up.get((b, a), 0)
            lines.append((order, off, a, b, at - other_at))
    return lines


def _off_middle(bundles: list[list[Line]], slots: list[int]) -> dict[tuple[int, int], int]:
    """By (item, other): twice the places between a line and the middle of all on that side; none for a single one."""
    off = {}
    for item, lines in enumerate(bundles):
        if len(lines) < 2:
            continue
        others = sorted({line.other for line in lines}, key=slots.__getitem__)
        for place, other in enumerate(others):
            off[item, other] = abs(2 * place - len(others) + 1)
    return off


def _blocks(items: Items, below: list[tuple[int, float]]) -> tuple[list[int], list[float], int]:
    """The block of every item, how far right of the block it stands, and the number of blocks."""
    block, shift = [-1] * items.count, [0.0] * items.count
    count = 0
    for row in items.rows:
        for item in row:
            if block[item] >= 0:
                continue
            here, aside = item, 0.0
            while here >= 0:
                block[here], shift[here] = count, aside
                here, step = below[here]
                aside += step
            count += 1
    return block, shift, count


def _separations(items: Items, block: list[int], shift: list[float]) -> Distances:
    """Least distance of neighbouring blocks, left one first."""
    apart: Distances = {}
    for row in items.rows:
        for a, b in pairwise(row):
            gap = NODE_GAP if a < items.members and b < items.members else LINE_GAP
            key = block[a], block[b]
            distance = (items.widths[a] + items.widths[b]) / 2 + gap + shift[a] - shift[b]
            apart[key] = max(apart.get(key, distance), distance)
    return apart


def _compact(count: int, apart: Distances) -> list[float]:
    """The middle between all blocks pushed left and all pushed right: in order, and fair to both sides."""
    right_of: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for (a, b), distance in apart.items():
        right_of[a].append((b, distance))
    order = _left_to_right(right_of)
    lo = [0.0] * count
    for a in order:
        for b, distance in right_of[a]:
            lo[b] = max(lo[b], lo[a] + distance)
    hi = [max(lo)] * count
    for a in reversed(order):
        for b, distance in right_of[a]:
            hi[a] = min(hi[a], hi[b] - distance)
    return [(a + b) / 2 for a, b in zip(lo, hi, strict=True)]


def _left_to_right(right_of: list[list[tuple[int, float]]]) -> list[int]:
    missing = [0] * len(right_of)
    for targets in right_of:
        for b, _ in targets:
            missing[b] += 1
    ready = deque(block for block, left in enumerate(missing) if left == 0)
    order = []
    while ready:
        a = ready.popleft()
        order.append(a)
        for b, _ in right_of[a]:
            missing[b] -= 1
            if missing[b] == 0:
                ready.append(b)
    return order


def _pulls(items: Items, block: list[int], shift: list[float], count: int) -> Pulls:
    """Between blocks that lines join: where to, and how strongly. Long lines pull more: their bends are seen more."""
    pulls: Pulls = [[] for _ in range(count)]
    for a, children in enumerate(items.down):
        for b, at, other_at in children:
            p, q = block[a], block[b]
            if p != q:
                weight = 1.0 + (a >= items.nodes) + 2.0 * (a >= items.nodes and b >= items.nodes)
                aside = shift[a] + at - shift[b] - other_at
                pulls[p].append((q, -aside, weight))
                pulls[q].append((p, aside, weight))
    return pulls


def _relax(x: list[float], apart: Distances, pulls: Pulls) -> list[float]:
    """Every block in turn to the weighted median of what it is joined to, as far as its neighbours let it."""
    left: list[list[tuple[int, float]]] = [[] for _ in x]
    right: list[list[tuple[int, float]]] = [[] for _ in x]
    for (a, b), distance in apart.items():
        right[a].append((b, distance))
        left[b].append((a, distance))
    order = _left_to_right(right)
    for turn in range(ROUNDS):
        moved = 0.0
        for block in order if turn % 2 else reversed(order):
            if not pulls[block]:
                continue
            wish = _median(sorted((x[other] + aside, weight) for other, aside, weight in pulls[block]))
            wish = max([wish, *(x[other] + distance for other, distance in left[block])])
            wish = min([wish, *(x[other] - distance for other, distance in right[block])])
            moved = max(moved, abs(wish - x[block]))
            x[block] = wish
        if moved < 0.5:
            break
    return x


def _median(points: list[tuple[float, float]]) -> float:
    """Weighted; the middle between both where two points are equally good."""
    half = sum(weight for _, weight in points) / 2
    passed = 0.0
    for index, (value, weight) in enumerate(points):
        passed += weight
        if passed > half:
            return value
        if passed == half:
            return (value + points[index + 1][0]) / 2
    return points[-1][0]
