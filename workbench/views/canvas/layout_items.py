"""Items: nodes and the dummies through which long wires run, so that every line joins neighbouring ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.views.canvas.layout_problem import Problem, Wire

DUMMIES_FLOOR = 40_000  # a graph may always have so many dummies
DUMMIES_PER_NODE = 6


class Line(NamedTuple):
    """Seen from one end: the item at the other, and where the line meets each of both, from their middles."""

    other: int
    at: float
    other_at: float


class Tap(NamedTuple):
    """The end of a wire: from the item that holds it (its upper node, or a dummy of its signal) to its lower node."""

    holder: int
    wire: int


@dataclass
class Items:
    """Nodes are 0..nodes-1 (members, then ports), dummies follow. `rows` are the ranks, each from left to right.

    `up` and `down` lead to items of the neighbouring ranks. `spine[s]` is the chain of dummies that all long wires of
    signal s share, from top to bottom; `length` of a dummy's spine by item. `taps[s]` are the ends of its wires.
    `direct` wires are too long for the budget: drawn as one curve. `entry` is the order of the first row, where given.
    """

    members: int
    nodes: int
    rank: list[int]
    widths: list[float]
    rows: list[list[int]] = field(default_factory=list)
    up: list[list[Line]] = field(default_factory=list)
    down: list[list[Line]] = field(default_factory=list)
    spine: list[list[int]] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    taps: list[list[Tap]] = field(default_factory=list)
    entry: list[int] = field(default_factory=list)
    direct: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rank)

    def join(self, upper: int, lower: int, upper_at: float = 0.0, lower_at: float = 0.0) -> None:
        self.down[upper].append(Line(lower, upper_at, lower_at))
        self.up[lower].append(Line(upper, lower_at, upper_at))


def make_items(problem: Problem, ranks: list[int]) -> Items:
    """Rows are in index order still."""
    signals: list[list[int]] = [[] for _ in range(1 + max((wire.signal for wire in problem.wires), default=-1))]
    for index, wire in enumerate(problem.wires):
        signals[wire.signal].append(index)
    spans = [*problem.widths, *[0.0] * (problem.nodes - problem.members)]
    items = Items(problem.members, problem.nodes, list(ranks), spans)
    items.up, items.down = [[] for _ in ranks], [[] for _ in ranks]
    items.length = [0] * problem.nodes
    items.entry = [problem.members + port for port in problem.entry]
    limit = _longest_span(problem.wires, signals, ranks)
    for wires in signals:
        _add_signal(items, problem.wires, wires, limit)
    items.rows = [[] for _ in range(max(items.rank, default=-1) + 1)]
    for item, rank in enumerate(items.rank):
        items.rows[rank].append(item)
    return items


def _longest_span(wires: list[Wire], signals: list[list[int]], ranks: list[int]) -> int:
    """The span up to which wires get dummies: all of them, unless the graph would grow beyond reason."""
    reach = [max((ranks[wires[w].lower] - ranks[wires[w].upper] for w in signal), default=0) for signal in signals]
    budget = max(DUMMIES_FLOOR, DUMMIES_PER_NODE * len(ranks))
    limit = max(reach, default=0)
    while limit > 1 and sum(min(span, limit) for span in reach) > budget:
        limit //= 2
    return limit


def _add_signal(items: Items, all_wires: list[Wire], wires: list[int], limit: int) -> None:
    upper, at = all_wires[wires[0]].upper, all_wires[wires[0]].upper_at
    top = items.rank[upper]
    near = [w for w in wires if items.rank[all_wires[w].lower] - top <= limit]
    items.direct += [w for w in wires if items.rank[all_wires[w].lower] - top > limit]
    chain = [upper]
    bottom = max((items.rank[all_wires[w].lower] for w in near), default=top)
    for rank in range(top + 1, bottom):
        dummy = items.count
        items.rank.append(rank)
        items.widths.append(0.0)
        items.length.append(bottom - top - 1)
        items.up.append([])
        items.down.append([])
        items.join(chain[-1], dummy, at if len(chain) == 1 else 0.0)
        chain.append(dummy)
    items.spine.append(chain[1:])
    items.taps.append([Tap(chain[items.rank[all_wires[w].lower] - top - 1], w) for w in near])
    for holder, w in items.taps[-1]:
        items.join(holder, all_wires[w].lower, at if holder == upper else 0.0, all_wires[w].lower_at)
