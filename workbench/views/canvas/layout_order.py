"""Order within the ranks, so that few lines cross: a depth-first start, barycentre sweeps, then swaps of neighbours.

Sweeps as in Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993), with dagre's stop
after four rounds without gain. Where a line meets an open group counts: its port's place is a share of its slot.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from workbench.views.canvas.layout_items import Items, Line

PATIENCE = 4
ROUNDS = ((6_000, 24), (25_000, 10), (80_000, 4))  # (up to so many items, so many rounds); none beyond

End = tuple[int, float]  # an item, and where on it as a share of its width, from its middle


class _Order:
    """`ups[i]` and `downs[i]` are the far ends of an item's lines; `starts[i]` where its downward lines leave it."""

    def __init__(self, items: Items) -> None:
        self.items = items
        self.slots = [0] * items.count
        spans = [width + 1.0 for width in items.widths]

        def ends(lines: list[Line]) -> list[End]:
            return [(line.other, line.other_at / spans[line.other] if line.other_at else 0.0) for line in lines]

        self.ups = [ends(lines) for lines in items.up]
        self.downs = [ends(lines) for lines in items.down]
        self.starts = [[line.at for line in lines] if any(line.at for line in lines) else [] for lines in items.down]

    def number(self, row: list[int]) -> None:
        for slot, item in enumerate(row):
            self.slots[item] = slot


def order_ranks(items: Items) -> int:
    """Sort `items.rows` in place. Returns the crossings that are left."""
    items.rows = _first_order(items)
    order = _Order(items)
    for row in items.rows:
        order.number(row)
    rounds = next((rounds for limit, rounds in ROUNDS if items.count <= limit), 0)
    best = _sweep(order, rounds)
    return _swap(order) if best and rounds else best


def _first_order(items: Items) -> list[list[int]]:
    """Depth first along the longest way: the trunk comes out leftmost, shortcuts nest beside it without crossing."""
    height = [1] * items.count
    for row in reversed(items.rows):
        for item in row:
            height[item] = 1 + max((height[line.other] for line in items.down[item]), default=0)
    rows: list[list[int]] = [[] for _ in items.rows]
    seen = [False] * items.count
    for root in (*range(items.members, items.nodes), *range(items.members)):
        stack = [root] if not items.up[root] else []
        while stack:
            item = stack.pop()
            if seen[item]:
                continue
            seen[item] = True
            rows[items.rank[item]].append(item)
            stack += sorted((line.other for line in items.down[item]), key=lambda child: (height[child], -child))
    return rows


def _sweep(order: _Order, rounds: int) -> int:
    items = order.items
    rows = items.rows
    best, best_rows, stale = _crossings(order), [row[:] for row in rows], 0
    for turn in range(rounds):
        if best == 0 or stale >= PATIENCE:
            break
        downwards = turn % 2 == 0
        ends = order.ups if downwards else order.downs
        for row in rows if downwards else reversed(rows):
            if len(row) > 1:
                _sort_row(order, row, ends, to_right=turn % 4 >= 2)
        crossings = _crossings(order)
        stale += 1
        if crossings < best:
            best, best_rows, stale = crossings, [row[:] for row in rows], 0
    items.rows = best_rows
    for row in best_rows:
        order.number(row)
    return best


def _sort_row(order: _Order, row: list[int], ends: list[list[End]], to_right: bool) -> None:
    """By the mean place of the neighbours; items without any keep their place; equals keep or turn their order."""
    slots = order.slots
    free = [item for item in row if ends[item]]
    sign = -1 if to_right else 1
    keys = {item: sum(slots[n] + share for n, share in ends[item]) / len(ends[item]) for item in free}
    ranked = iter(sorted(free, key=lambda item: (keys[item], sign * slots[item])))
    row[:] = [next(ranked) if ends[item] else item for item in row]
    order.number(row)


def _crossings(order: _Order) -> int:
    pairs = pairwise(order.items.rows)
    return sum(_crossings_below(order, row) for row, below in pairs if len(row) > 1 or len(below) > 1)


def _crossings_below(order: _Order, row: list[int]) -> int:
    """Inversions among the ends of the lines that leave `row` downwards."""
    slots = order.slots
    passed: list[float] = []
    crossings = 0
    for item in row:
        places = [slots[child] + share for child, share in order.downs[item]]
        starts = order.starts[item]
        for group in _by_start(places, starts) if starts else [places]:
            for place in group:
                crossings += len(passed) - bisect_right(passed, place)
            for place in group:
                insort(passed, place)
    return crossings


def _by_start(places: list[float], starts: list[float]) -> list[list[float]]:
    """The lines of an open group, by the port they leave from."""
    groups: dict[float, list[float]] = {}
    for start, place in sorted(zip(starts, places, strict=True)):
        groups.setdefault(start, []).append(place)
    return list(groups.values())


def _swap(order: _Order) -> int:
    """Exchange neighbours while that removes crossings."""
    slots, ups, downs = order.slots, order.ups, order.downs
    for _ in range(8):
        gained = 0
        for row in order.items.rows:
            for left in range(len(row) - 1):
                a, b = row[left], row[left + 1]
                gain = _gain(ups[a], ups[b], slots) + _gain(downs[a], downs[b], slots)
                if gain > 0:
                    row[left], row[left + 1] = b, a
                    slots[a], slots[b] = left + 1, left
                    gained += gain
        if gained == 0:
            break
    return _crossings(order)


def _gain(left: list[End], right: list[End], slots: list[int]) -> int:
    """Crossings of the lines of two neighbours now, less those after an exchange."""
    gain = 0
    for a, a_share in left:
        here = slots[a] + a_share
        for b, b_share in right:
            there = slots[b] + b_share
            gain += (here > there) - (here < there)
    return gain
