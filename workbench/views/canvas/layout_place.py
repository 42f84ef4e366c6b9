"""x: items are joined into straight vertical blocks, blocks keep their distances and move towards their neighbours.

Blocks and their compaction follow Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2001). Instead
of four alignments and their mean, which bends a trunk at every join, alignments are taken greedily, longest straight
way first: the trunk of a network is one vertical line and shortcuts run beside it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.layout_items import Items

Floats = NDArray[np.float64]

NODE_GAP = 28.0
LINE_GAP = 14.0  # between a line and a node, or two lines
ROUNDS = 12
MIXED = 1 << 40  # sorts lines between a node and a dummy behind all others


def place_items(items: Items, widths: Floats) -> Floats:
    """Centre x of every item; no two of a row nearer than their widths and the gap, in the order of the rows."""
    if not items.count:
        return np.empty(0)
    block = _blocks(items, _aligned(items))
    half = [float(w) / 2 for w in widths] + [0.0] * (items.count - items.nodes)
    apart = _separations(items, block, half)
    count = max(block) + 1
    x = _relax(_compact(count, apart), apart, _pulls(items, block, count))
    result = np.asarray([x[b] for b in block])
    left = float(np.min(result - np.asarray(half)))
    return result - left


def _aligned(items: Items) -> list[int]:
    """For each item the item below it that shares its x, or -1."""
    below, above = [-1] * items.count, [-1] * items.count
    slots = [0] * items.count
    for row in items.rows:
        for slot, item in enumerate(row):
            slots[item] = slot
    taken: list[list[tuple[int, int]]] = [[] for _ in items.rows]
    for _, a, b in sorted(_candidates(items)):
        if below[a] < 0 and above[b] < 0 and _fits(taken[items.rank[a]], slots[a], slots[b]):
            below[a], above[b] = b, a
            insort(taken[items.rank[a]], (slots[a], slots[b]))
    return below


def _fits(taken: list[tuple[int, int]], top: int, bottom: int) -> bool:
    """True if the line crosses no alignment taken before."""
    place = bisect_left(taken, (top, bottom))
    before_ok = place == 0 or taken[place - 1][1] < bottom
    return before_ok and (place == len(taken) or taken[place][1] > bottom)


def _candidates(items: Items) -> list[tuple[int, int, int]]:
    """(order, upper, lower) for every line: the longer the straight way it could be part of, the earlier."""
    nodes = items.nodes
    to_top, to_bottom = [1] * items.count, [1] * items.count
    for row in items.rows:
        for item in row:
            if item < nodes:
                to_top[item] += max((to_top[p] for p in items.up[item] if p < nodes), default=0)
    for row in reversed(items.rows):
        for item in row:
            if item < nodes:
                to_bottom[item] += max((to_bottom[c] for c in items.down[item] if c < nodes), default=0)
    lines = []
    for a, children in enumerate(items.down):
        for b in children:
            if a < nodes and b < nodes:
                order = -2 * (to_top[a] + to_bottom[b])
            elif a >= nodes and b >= nodes:
                order = 1 - 2 * len(items.spine[items.owner[a]])
            else:
                order = MIXED + (a >= nodes)
            lines.append((order, a, b))
    return lines


def _blocks(items: Items, below: list[int]) -> list[int]:
    block = [-1] * items.count
    count = 0
    for row in items.rows:
        for item in row:
            if block[item] >= 0:
                continue
            here = item
            while here >= 0:
                block[here] = count
                here = below[here]
            count += 1
    return block


def _separations(items: Items, block: list[int], half: list[float]) -> dict[tuple[int, int], float]:
    """Least distance of neighbouring blocks, left one first."""
    apart: dict[tuple[int, int], float] = {}
    for row in items.rows:
        for a, b in pairwise(row):
            gap = NODE_GAP if a < items.nodes and b < items.nodes else LINE_GAP
            key = block[a], block[b]
            apart[key] = max(apart.get(key, 0.0), half[a] + half[b] + gap)
    return apart


Distances = dict[tuple[int, int], float]
Pulls = list[dict[int, float]]


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


def _pulls(items: Items, block: list[int], count: int) -> Pulls:
    """Between blocks that lines join: how strongly. Long lines pull more, as their bends are seen more."""
    pulls: Pulls = [{} for _ in range(count)]
    for a, children in enumerate(items.down):
        for b in children:
            p, q = block[a], block[b]
            if p != q:
                weight = 1.0 + (a >= items.nodes) + 2.0 * (a >= items.nodes and b >= items.nodes)
                pulls[p][q] = pulls[p].get(q, 0.0) + weight
                pulls[q][p] = pulls[q].get(p, 0.0) + weight
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
            wish = _median(sorted((x[other], weight) for other, weight in pulls[block].items()))
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
