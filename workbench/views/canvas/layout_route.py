"""y of the ranks, and the lines: straight through the rows and curved between them, never through a foreign box."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workbench.views.canvas.layout_items import Items
from workbench.views.canvas.layout_problem import Bools, Floats, Ints, Problem

RANK_GAP = 28.0
RANK_GAP_MOST = 84.0
GAP_PER_SHIFT = 0.07  # a row's gap grows with the widest sideways run in it
PORT_GAP = 16.0  # in place of RANK_GAP, beside the border of a group
PORT_SHARE = 0.32  # lines leave and enter within this share of a loose box's width, each side of its middle
STRAIGHT = 0.25  # lines whose ends are nearer sideways are vertical


@dataclass(frozen=True)
class Routes:
    """Runs of all wires, and what hangs on what: see `Solution`."""

    runs: Floats
    bent: Bools
    segment: Ints
    parent: Ints
    wire_segment: Ints


@dataclass(frozen=True)
class Rows:
    """Top and bottom of each rank, and y of the centre of every item."""

    top: list[float]
    bottom: list[float]
    y: list[float]
    height: float  # of the whole drawing


def stack_rows(problem: Problem, items: Items, x: list[float]) -> Rows:
    """Ranks below each other. Members stand in the middle of their row; what nothing leads to, at its bottom."""
    high = [0.0] * max(len(items.rows), 1)
    for node, height in enumerate(problem.heights):
        high[items.rank[node]] = max(high[items.rank[node]], height)
    if problem.tops:  # lines run straight through the header
        high[0] = problem.head
    top, bottom = [], []
    place = 0.0 if problem.tops else problem.head
    for rank, gap in enumerate(_gaps(problem, items, x)):
        top.append(place)
        bottom.append(place + high[rank])
        place += high[rank] + gap
    y = [(top[rank] + bottom[rank]) / 2 for rank in items.rank]
    y[problem.members : problem.members + problem.tops] = [0.0] * problem.tops
    for node, height in enumerate(problem.heights):
        if not items.up[node]:
            y[node] = bottom[items.rank[node]] - height / 2
    return Rows(top, bottom, y, bottom[-1] + (0.0 if problem.bottoms else problem.foot))


def _gaps(problem: Problem, items: Items, x: list[float]) -> list[float]:
    """Below each rank, whole pixels."""
    shift = [0.0] * max(len(items.rows), 1)
    for item, lines in enumerate(items.down):
        rank = items.rank[item]
        for line in lines:
            aside = abs(x[item] + line.at - x[line.other] - line.other_at)
            shift[rank] = max(shift[rank], aside)
    gaps = [float(round(min(max(RANK_GAP + GAP_PER_SHIFT * widest, RANK_GAP), RANK_GAP_MOST))) for widest in shift]
    if problem.tops:
        gaps[0] += PORT_GAP - RANK_GAP
    if problem.bottoms and len(gaps) > 1:
        gaps[-2] += PORT_GAP - RANK_GAP
    return gaps


@dataclass
class _Pen:
    """Draws one segment after the other; equal columns grow into one straight run."""

    straight: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    curves: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    start: float = 0.0  # of the vertical run that is open

    def begin(self, x: float, y: float, parent: int) -> None:
        self.parent.append(parent)
        self.x, self.y, self.start = x, y, y

    def down(self, y: float) -> None:
        self.y = y

    def bend(self, x: float, y: float) -> None:
        self.end()
        self.curves.append((self.x, self.y, x, y, len(self.parent) - 1))
        self.x, self.y, self.start = x, y, y

    def end(self) -> None:
        if self.y > self.start:
            self.straight.append((self.x, self.start, self.x, self.y, len(self.parent) - 1))
        self.start = self.y

    def routes(self, wire_segment: list[int]) -> Routes:
        table = np.asarray(self.straight + self.curves, dtype=np.float64).reshape(-1, 5)
        bent = np.arange(len(table)) >= len(self.straight)
        segment = table[:, 4].astype(np.int64)
        parent, last = (np.asarray(numbers, dtype=np.int64) for numbers in (self.parent, wire_segment))
        return Routes(table[:, :4].copy(), bent, segment, parent, last)


class _Router:
    def __init__(self, problem: Problem, items: Items, x: list[float], rows: Rows) -> None:
        self._problem, self._items, self._x, self._rows = problem, items, x, rows
        self._reach = [w * PORT_SHARE if loose else 0.0 for w, loose in zip(problem.widths, problem.loose, strict=True)]
        self._reach += [0.0] * (items.count - problem.members)
        self._half = [height / 2 for height in problem.heights] + [0.0] * (items.count - problem.members)
        self._pen = _Pen()
        self._wire_segment = [-1] * len(problem.wires)

    def run(self) -> Routes:
        for signal, spine in enumerate(self._items.spine):
            self._signal(signal, spine)
        for index in self._items.direct:
            wire = self._problem.wires[index]
            self._branch(wire.upper, index, -1)
        return self._pen.routes(self._wire_segment)

    def _signal(self, signal: int, spine: list[int]) -> None:
        """The spine from its node down, and at each of its places the wires that leave it."""
        ends: dict[int, list[int]] = {}
        for holder, wire in self._items.taps[signal]:
            ends.setdefault(holder, []).append(wire)
        if not self._items.taps[signal]:
            return
        source = self._problem.wires[self._items.taps[signal][0].wire].upper
        for wire in ends.get(source, ()):
            self._branch(source, wire, -1)
        above, trunk = source, -1
        is_new = True
        for place, dummy in enumerate(spine):
            if is_new:
                trunk = self._begin(above, self._at(signal, above), trunk)
            self._hop(above, dummy, self._at(signal, above), 0.0)
            leaving = ends.get(dummy, [])
            if len(leaving) == 1 and place == len(spine) - 1:
                self._go_on(dummy, leaving[0])
                return
            is_new = bool(leaving)
            if is_new:
                self._pen.end()
                for wire in leaving:
                    self._branch(dummy, wire, trunk)
            above = dummy

    def _at(self, signal: int, item: int) -> float:
        if item >= self._items.nodes:
            return 0.0
        return self._problem.wires[self._items.taps[signal][0].wire].upper_at

    def _begin(self, item: int, at: float, parent: int) -> int:
        """A segment that starts at an item; its x is corrected by the first hop."""
        below = self._rows.bottom[self._items.rank[item]] if item >= self._items.nodes else self._low(item)
        self._pen.begin(self._x[item] + at, below, parent)
        return len(self._pen.parent) - 1

    def _low(self, item: int) -> float:
        return self._rows.y[item] + self._half[item]

    def _branch(self, holder: int, index: int, parent: int) -> None:
        """A wire's own segment, from the item that holds it to its end."""
        wire = self._problem.wires[index]
        self._begin(holder, wire.upper_at if holder == wire.upper else 0.0, parent)
        self._go_on(holder, index)

    def _go_on(self, holder: int, index: int) -> None:
        wire = self._problem.wires[index]
        self._hop(holder, wire.lower, wire.upper_at if holder == wire.upper else 0.0, wire.lower_at)
        self._pen.end()
        self._wire_segment[index] = len(self._pen.parent) - 1

    def _hop(self, upper: int, lower: int, upper_at: float, lower_at: float) -> None:
        """From one item to one of a rank below: straight down wherever both allow it."""
        rows, rank = self._rows, self._items.rank
        start, end = self._ends(upper, lower, upper_at, lower_at)
        if self._pen.start == self._pen.y:  # the segment starts here: loose boxes let it slide
            self._pen.x = start
        self._pen.down(rows.bottom[rank[upper]])
        if abs(start - end) > STRAIGHT:
            self._pen.bend(end, rows.top[rank[lower]])
        is_dummy = lower >= self._items.nodes
        self._pen.down(rows.bottom[rank[lower]] if is_dummy else rows.y[lower] - self._half[lower])

    def _ends(self, upper: int, lower: int, upper_at: float, lower_at: float) -> tuple[float, float]:
        a, b = self._x[upper] + upper_at, self._x[lower] + lower_at
        lo = max(a - self._reach[upper], b - self._reach[lower])
        hi = min(a + self._reach[upper], b + self._reach[lower])
        if lo <= hi:
            return (lo + hi) / 2, (lo + hi) / 2
        if a < b:
            return a + self._reach[upper], b - self._reach[lower]
        return a - self._reach[upper], b + self._reach[lower]


def route(problem: Problem, items: Items, x: list[float], rows: Rows) -> Routes:
    """The lines of all wires. `x` are centres of the items."""
    return _Router(problem, items, x, rows).run()
