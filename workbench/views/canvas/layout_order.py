"""Order within the ranks, so that few lines cross: a depth-first start, barycentre sweeps, then swaps of neighbours.

Sweeps as in Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993), with dagre's stop
after four rounds without gain. Where a line meets an open group counts: its port's place is a share of its slot.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.views.canvas.layout_items import Items, Line
from workbench.views.canvas.layout_problem import Check, no_check

PATIENCE = 4
ROUNDS = ((6_000, 24), (25_000, 10), (80_000, 4))  # (up to so many items, so many rounds); none beyond


@dataclass(frozen=True)
class _Ends:
    """The far ends of each item's lines to one side, and where on them as a share of their width; [] for middles."""

    items: list[list[int]]
    shares: list[list[float]]

    @classmethod
    def of(cls, lines: list[list[Line]], widths: list[float]) -> _Ends:
        shares = [
            [line.other_at / (widths[line.other] + 1.0) for line in mine] if any(line.other_at for line in mine) else []
            for mine in lines
        ]
        return cls([[line.other for line in mine] for mine in lines], shares)

    def places(self, item: int, slots: list[int]) -> Sequence[float]:
        shares = self.shares[item]
        if not shares:
            return [slots[other] for other in self.items[item]]
        return [slots[other] + share for other, share in zip(self.items[item], shares, strict=True)]


class _Order:
    """Slots of the items. `starts[i]` is where an item's downward lines leave it; [] for its middle."""

    def __init__(self, items: Items) -> None:
        self.items = items
        self.slots = [0] * items.count
        self.ups, self.downs = _Ends.of(items.up, items.widths), _Ends.of(items.down, items.widths)
        self.starts = [[line.at for line in lines] if any(line.at for line in lines) else [] for lines in items.down]

    def number(self, row: list[int]) -> None:
        for slot, item in enumerate(row):
            self.slots[item] = slot


def order_ranks(items: Items, check: Check = no_check) -> int:
    """Sort `items.rows` in place. Returns the crossings that are left."""
    items.rows = _first_order(items)
    order = _Order(items)
    for row in items.rows:
        order.number(row)
    rounds = next((rounds for limit, rounds in ROUNDS if items.count <= limit), 0)
    best = _sweep(order, rounds, check)
    return _swap(order, check) if best and rounds else best


def _first_order(items: Items) -> list[list[int]]:
    """Depth first along the longest way: the trunk comes out leftmost, shortcuts nest beside it without crossing."""
    height = [1] * items.count
    for row in reversed(items.rows):
        for item in row:
            height[item] = 1 + max((height[line.other] for line in items.down[item]), default=0)
    rows: list[list[int]] = [[] for _ in items.rows]
    seen = [False] * items.count
    for root in (*items.entry, *range(items.members, items.nodes), *range(items.members)):
        stack = [root] if not items.up[root] else []
        while stack:
            item = stack.pop()
            if seen[item]:
                continue
            seen[item] = True
            rows[items.rank[item]].append(item)
            stack += sorted((line.other for line in items.down[item]), key=lambda child: (height[child], -child))
    return rows


def _sweep(order: _Order, rounds: int, check: Check) -> int:
    items = order.items
    rows = items.rows
    best, best_rows, stale = _crossings(order), [row[:] for row in rows], 0
    for turn in range(rounds):
        if best == 0 or stale >= PATIENCE:
            break
        check()
        downwards = turn % 2 == 0
        ends = order.ups if downwards else order.downs
        for row in rows if downwards else reversed(rows):
            if len(row) > 1 and not _is_given(items, row):
                _sort_row(order, row, ends, to_right=turn % 4 >= 2)
        crossings = _crossings(order)
        stale += 1
        if crossings < best:
            best, best_rows, stale = crossings, [row[:] for row in rows], 0
    items.rows = best_rows
    for row in best_rows:
        order.number(row)
    return best


def _is_given(items: Items, row: list[int]) -> bool:
    return bool(items.entry and row) and items.rank[row[0]] == 0


def _sort_row(order: _Order, row: list[int], ends: _Ends, to_right: bool) -> None:
    """By the mean place of the neighbours; items without any keep their place; equals keep or turn their order."""
    slots, others, shares = order.slots, ends.items, ends.shares
    sign = -1 if to_right else 1
    keys: dict[int, tuple[float, int]] = {}
    for item in row:
        far = others[item]
        if len(far) == 1 and not shares[item]:  # most of all, by far
            keys[item] = (slots[far[0]], sign * slots[item])
        elif far:
            keys[item] = (sum(ends.places(item, slots)) / len(far), sign * slots[item])
    ranked = iter(sorted(keys, key=keys.__getitem__))
    row[:] = [next(ranked) if item in keys else item for item in row]
    order.number(row)


def _crossings(order: _Order) -> int:
    pairs = pairwise(order.items.rows)
    return sum(_crossings_below(order, row) for row, below in pairs if len(row) > 1 or len(below) > 1)


def _crossings_below(order: _Order, row: list[int]) -> int:
    """Inversions among the ends of the lines that leave `row` downwards."""
    slots, others, shares = order.slots, order.downs.items, order.downs.shares
    passed: list[float] = []
    crossings = 0
    for item in row:
        far = others[item]
        if len(far) == 1 and not shares[item]:
            slot = slots[far[0]]
            crossings += len(passed) - bisect_right(passed, slot)
            insort(passed, slot)
            continue
        places = order.downs.places(item, slots)
        starts = order.starts[item]
        for group in _by_start(places, starts) if starts else [places]:
            for place in group:
                crossings += len(passed) - bisect_right(passed, place)
            for place in group:
                insort(passed, place)
    return crossings


def _by_start(places: Sequence[float], starts: list[float]) -> list[list[float]]:
    """The lines of an open group, by the port they leave from."""
    groups: dict[float, list[float]] = {}
    for start, place in sorted(zip(starts, places, strict=True)):
        groups.setdefault(start, []).append(place)
    return list(groups.values())


def _swap(order: _Order, check: Check) -> int:
    """Exchange neighbours while that removes crossings."""
    slots, ups, downs = order.slots, order.ups, order.downs
    for _ in range(8):
        check()
        gained = 0
        for row in order.items.rows:
            if _is_given(order.items, row):
                continue
            for left in range(len(row) - 1):
                a, b = row[left], row[left + 1]
                gain = _gain(ups, a, b, slots) + _gain(downs, a, b, slots)
                if gain > 0:
                    row[left], row[left + 1] = b, a
                    slots[a], slots[b] = left + 1, left
                    gained += gain
        if gained == 0:
            break
    return _crossings(order)


def _gain(ends: _Ends, left: int, right: int, slots: list[int]) -> int:
    """Crossings of the lines of two neighbours now, less those after an exchange."""
    gain = 0
    there = ends.places(right, slots)
    for here in ends.places(left, slots):
        for other in there:
            gain += (here > other) - (here < other)
    return gain
