"""One scope laid out: ranks, their order, x, y and lines. Parts without a line between them stand side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.views.canvas.layout_items import Items, make_items
from workbench.views.canvas.layout_order import order_ranks
from workbench.views.canvas.layout_place import place_items
from workbench.views.canvas.layout_problem import Check, Floats, Ints, Problem, Solution, no_check
from workbench.views.canvas.layout_rank import rank_nodes
from workbench.views.canvas.layout_route import route, stack_rows

COMPONENT_GAP = 56.0
SHELF_RATIO = 1.4  # shelves of loose parts are about so many times as wide as high


def solve(problem: Problem, check: Check = no_check) -> Solution:
    """Equal problems have equal solutions, always."""
    if problem.nodes == problem.members:
        parts = _components(problem)
        if len(parts) > 1:
            return _pack(problem, parts, check)
    return _solve_one(problem, check)


def _solve_one(problem: Problem, check: Check) -> Solution:
    check()
    items = make_items(problem, rank_nodes(problem))
    crossings = order_ranks(items, check)
    check()
    x = place_items(items)
    check()
    left, width = _extent(problem, items, x)
    x = [place - left for place in x]
    rows = stack_rows(problem, items, x)
    routes = route(problem, items, x, rows)
    n = problem.members
    return Solution(
        x=np.asarray(x[:n], dtype=np.float64),
        y=np.asarray(rows.y[:n], dtype=np.float64),
        rank=np.asarray(items.rank[:n], dtype=np.int64),
        port_x=np.asarray(x[n : problem.nodes], dtype=np.float64),
        width=width,
        height=rows.height,
        runs=routes.runs,
        bent=routes.bent,
        segment=routes.segment,
        parent=routes.parent,
        wire_segment=routes.wire_segment,
        crossings=crossings,
    )


def _extent(problem: Problem, items: Items, x: list[float]) -> tuple[float, float]:
    """The left border, and the width: both sides of what is inside are free, and a header has its room."""
    left = min((place - width / 2 for place, width in zip(x, items.widths, strict=True)), default=0.0)
    right = max((place + width / 2 for place, width in zip(x, items.widths, strict=True)), default=0.0)
    width = right - left + 2 * problem.side
    more = max(problem.least_width - width, 0.0)
    return left - problem.side - more / 2, width + more


def _components(problem: Problem) -> list[list[int]]:
    """Members of each connected part, in the order of their first."""
    leader = list(range(problem.members))

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for wire in problem.wires:
        a, b = find(wire.upper), find(wire.lower)
        leader[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for node in range(problem.members):
        groups.setdefault(find(node), []).append(node)
    return list(groups.values())


def _part(problem: Problem, nodes: list[int], place: dict[int, int], wires: list[int]) -> Problem:
    """The problem of some of the members. `place` numbers them."""
    signals: dict[int, int] = {}
    mine = []
    for index in wires:
        wire = problem.wires[index]
        signal = signals.setdefault(wire.signal, len(signals))
        mine.append(wire._replace(signal=signal, upper=place[wire.upper], lower=place[wire.lower]))
    return replace(
        problem,
        widths=[problem.widths[node] for node in nodes],
        heights=[problem.heights[node] for node in nodes],
        loose=[problem.loose[node] for node in nodes],
        wires=mine,
        head=0.0,
        foot=0.0,
        side=0.0,
        least_width=0.0,
    )


class _Shelves:
    """Rectangles side by side, then on the next shelf."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._left = self._top = self._shelf = 0.0
        self.right = self.bottom = 0.0
        self.ranks = self._ranks_here = 0

    def put(self, width: float, height: float, ranks: int) -> tuple[float, float]:
        """Where its top left corner comes; `self.ranks` is the first rank of its shelf."""
        if self._left and self._left + width > self._limit:
            self._left, self._top, self._shelf = 0.0, self._top + self._shelf + COMPONENT_GAP, 0.0
            self.ranks, self._ranks_here = self.ranks + self._ranks_here, 0
        corner = self._left, self._top
        self.right = max(self.right, self._left + width)
        self._left += width + COMPONENT_GAP
        self._shelf = max(self._shelf, height)
        self.bottom = self._top + self._shelf
        self._ranks_here = max(self._ranks_here, ranks)
        return corner


def _pack(problem: Problem, parts: list[list[int]], check: Check) -> Solution:
    """Parts on shelves, about as wide as high; the first part keeps the top left corner."""
    home = {node: (part, place) for part, nodes in enumerate(parts) for place, node in enumerate(nodes)}
    wires: list[list[int]] = [[] for _ in parts]
    for index, wire in enumerate(problem.wires):
        wires[home[wire.upper][0]].append(index)
    solved = []
    for nodes, mine in zip(parts, wires, strict=True):
        solved.append(_solve_one(_part(problem, nodes, {node: home[node][1] for node in nodes}, mine), check))
    area = sum((part.width + COMPONENT_GAP) * (part.height + COMPONENT_GAP) for part in solved)
    shelves = _Shelves(max(max(part.width for part in solved), SHELF_RATIO * area**0.5))
    moved, ranks = [], []
    for part in solved:
        left, top = shelves.put(part.width, part.height, int(part.rank.max(initial=0)) + 1)
        moved.append(_moved(part, left + problem.side, top + problem.head))
        ranks.append(part.rank + shelves.ranks)
    width, height = shelves.right + 2 * problem.side, shelves.bottom + problem.head + problem.foot
    return _join(problem, parts, wires, moved, ranks, max(width, problem.least_width), height)


def _moved(part: Solution, dx: float, dy: float) -> Solution:
    return replace(part, x=part.x + dx, y=part.y + dy, runs=part.runs + np.asarray([dx, dy, dx, dy]))


def _join(
    problem: Problem,
    parts: list[list[int]],
    wires: list[list[int]],
    solved: list[Solution],
    ranks: list[Ints],
    width: float,
    height: float,
) -> Solution:
    nodes = np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])
    starts = np.cumsum([0, *(len(part.parent) for part in solved)]).tolist()
    wire_segment = np.full(len(problem.wires), -1, dtype=np.int64)
    for mine, part, start in zip(wires, solved, starts, strict=False):
        wire_segment[mine] = part.wire_segment + start
    parent = [np.where(p.parent < 0, -1, p.parent + s) for p, s in zip(solved, starts, strict=False)]
    return Solution(
        x=_scattered(nodes, [part.x for part in solved]),
        y=_scattered(nodes, [part.y for part in solved]),
        rank=_scattered(nodes, [part.astype(np.float64) for part in ranks]).astype(np.int64),
        port_x=np.empty(0),
        width=width,
        height=height,
        runs=np.concatenate([part.runs for part in solved]),
        bent=np.concatenate([part.bent for part in solved]),
        segment=np.concatenate([p.segment + s for p, s in zip(solved, starts, strict=False)]),
        parent=np.concatenate(parent),
        wire_segment=wire_segment,
        crossings=sum(part.crossings for part in solved),
    )


def _scattered(nodes: Ints, parts: list[Floats]) -> Floats:
    """Values of the parts, in the order of the whole."""
    values = np.concatenate(parts)
    result = np.empty(len(values))
    result[nodes] = values
    return result
