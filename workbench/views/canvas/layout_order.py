"""Order within the ranks, so that few lines cross: a depth-first start, barycentre sweeps, then swaps of neighbours.

Sweeps as in Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993), with dagre's stop
after four rounds without gain.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from workbench.views.canvas.layout_items import Items

PATIENCE = 4
ROUNDS = ((6_000, 24), (25_000, 10), (80_000, 4))  # (up to so many items, so many rounds); none beyond


def order_ranks(items: Items) -> int:
    """Sort `items.rows` in place. Returns the crossings that are left."""
    items.rows = _first_order(items)
    slots = [0] * items.count
    for row in items.rows:
        _number(row, slots)
    rounds = next((rounds for limit, rounds in ROUNDS if items.count <= limit), 0)
    best = _sweep(items, slots, rounds)
    return _swap(items, slots) if best and rounds else best


def _number(row: list[int], slots: list[int]) -> None:
    for slot, item in enumerate(row):
        slots[item] = slot


def _first_order(items: Items) -> list[list[int]]:
    """Depth first along the longest way: the trunk comes out leftmost, shortcuts nest beside it without crossing."""
    height = [1] * items.count
    for row in reversed(items.rows):
        for item in row:
            height[item] = 1 + max((height[child] for child in items.down[item]), default=0)
    rows: list[list[int]] = [[] for _ in items.rows]
    seen = [False] * items.count
    for root in range(items.nodes):
        stack = [root] if not items.up[root] else []
        while stack:
            item = stack.pop()
            if seen[item]:
                continue
            seen[item] = True
            rows[items.rank[item]].append(item)
            stack += sorted(items.down[item], key=lambda child: (height[child], -child))
    return rows


def _sweep(items: Items, slots: list[int], rounds: int) -> int:
    rows = items.rows
    best, best_rows, stale = _crossings(items, slots), [row[:] for row in rows], 0
    for turn in range(rounds):
        if best == 0 or stale >= PATIENCE:
            break
        downwards = turn % 2 == 0
        neighbours = items.up if downwards else items.down
        for row in rows if downwards else reversed(rows):
            if len(row) > 1:
                _sort_row(row, neighbours, slots, to_right=turn % 4 >= 2)
        crossings = _crossings(items, slots)
        stale += 1
        if crossings < best:
            best, best_rows, stale = crossings, [row[:] for row in rows], 0
    items.rows = best_rows
    for row in best_rows:
        _number(row, slots)
    return best


def _sort_row(row: list[int], neighbours: list[list[int]], slots: list[int], to_right: bool) -> None:
    """By the mean slot of the neighbours; items without any keep their place; equals keep or turn their order."""
    free = [item for item in row if neighbours[item]]
    sign = -1 if to_right else 1
    keys = {item: sum(slots[n] for n in neighbours[item]) / len(neighbours[item]) for item in free}
    ranked = iter(sorted(free, key=lambda item: (keys[item], sign * slots[item])))
    row[:] = [next(ranked) if neighbours[item] else item for item in row]
    _number(row, slots)


def _crossings(items: Items, slots: list[int]) -> int:
    rows = items.rows
    return sum(
        _crossings_below(row, items.down, slots) for row, below in pairwise(rows) if len(row) > 1 and len(below) > 1
    )


def _crossings_below(row: list[int], down: list[list[int]], slots: list[int]) -> int:
    """Inversions among the ends of the lines that leave `row` downwards."""
    ends: list[int] = []
    crossings = 0
    for item in row:
        targets = [slots[child] for child in down[item]]
        for slot in targets:
            crossings += len(ends) - bisect_right(ends, slot)
        for slot in targets:
            insort(ends, slot)
    return crossings


def _swap(items: Items, slots: list[int]) -> int:
    """Exchange neighbours while that removes crossings."""
    rows, up, down = items.rows, items.up, items.down
    for _ in range(8):
        gained = 0
        for row in rows:
            for left in range(len(row) - 1):
                a, b = row[left], row[left + 1]
                gain = _gain(up[a], up[b], slots) + _gain(down[a], down[b], slots)
                if gain > 0:
                    row[left], row[left + 1] = b, a
                    slots[a], slots[b] = left + 1, left
                    gained += gain
        if gained == 0:
            break
    return _crossings(items, slots)


def _gain(left: list[int], right: list[int], slots: list[int]) -> int:
    """Crossings of the lines of two neighbours now, less those after an exchange."""
    gain = 0
    for a in left:
        here = slots[a]
        for b in right:
            there = slots[b]
            gain += (here > there) - (here < there)
    return gain
