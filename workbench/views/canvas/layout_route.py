"""y of the ranks, and the lines: straight through the rows and curved between them, never through a foreign box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.layout_items import Items

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RANK_GAP = 28.0
RANK_GAP_MOST = 84.0
GAP_PER_SHIFT = 0.07  # a row's gap grows with the widest sideways run in it
PORT_SHARE = 0.32  # lines leave and enter within this share of a box's width, each side of its middle
STEPS = 14  # straight pieces of one curve


@dataclass(frozen=True)
class Lines:
    """Routes as straight pieces (m, 4: x1, y1, x2, y2), downwards. All edges of a node share its spine.

    `owner` is the producer of each piece; `target` the consumer of a branch piece, -1 on the spine. Per edge, in the
    order asked for: `exit_x`, `exit_y` where it leaves its producer, `branch_y` where it leaves the spine.
    """

    pieces: Floats
    owner: Ints
    target: Ints
    exit_x: Floats
    exit_y: Floats
    branch_y: Floats


class _Pen:
    """Collects pieces; curves are evaluated together at the end."""

    def __init__(self) -> None:
        self.straight: list[tuple[float, float, float, float, int, int]] = []
        self.curves: list[tuple[float, float, float, float, int, int]] = []

    def line(self, start: tuple[float, float], end: tuple[float, float], owner: int, target: int) -> None:
        bent = abs(start[0] - end[0]) > 0.25
        (self.curves if bent else self.straight).append((*start, *end, owner, target))

    def pieces(self) -> tuple[Floats, Ints, Ints]:
        straight = np.asarray(self.straight, dtype=np.float64).reshape(-1, 6)
        curves = np.asarray(self.curves, dtype=np.float64).reshape(-1, 6)
        bends = _curve(curves[:, :4])
        table = np.vstack([straight, np.hstack([bends, np.repeat(curves[:, 4:], STEPS, axis=0)])])
        return table[:, :4].copy(), table[:, 4].astype(np.int64), table[:, 5].astype(np.int64)


def _curve(ends: Floats) -> Floats:
    """Cubic curves that leave and arrive vertically, as pieces (n * STEPS, 4)."""
    t = np.linspace(0.0, 1.0, STEPS + 1)
    x1, y1, x2, y2 = (ends[:, i, None] for i in range(4))
    x = x1 + (x2 - x1) * (3 * t**2 - 2 * t**3)
    middle = (y1 + y2) / 2
    y = y1 * (1 - t) ** 3 + 3 * middle * t * (1 - t) + y2 * t**3
    return np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=2).reshape(-1, 4)


def route(items: Items, x: Floats, widths: Floats, height: float, edges: Ints) -> tuple[Floats, Lines]:
    """Centre y of every node, and the lines of `edges`. `x` holds the centres of all items."""
    row_y = _rows(items, x, height)
    y = row_y[np.asarray(items.rank, dtype=np.int64)] if items.count else np.empty(0)
    half = height / 2
    port = _Ports(items, x, widths)
    pen = _Pen()
    for u in range(items.nodes):
        _draw_spine(pen, port, items, u, x, y, half)
    found: dict[tuple[int, int], tuple[float, float, float]] = {}
    for (u, v), holder in items.parent.items():
        start, end = port.of(holder, v)
        pen.line((start, float(y[holder]) + half), (end, float(y[v]) - half), u, v)
        first = start if holder == u else port.of(u, items.spine[u][0])[0]
        found[u, v] = first, float(y[u]) + half, float(y[holder]) + half
    for u, v in items.direct:
        start, end = port.of(u, v)
        pen.line((start, float(y[u]) + half), (end, float(y[v]) - half), u, v)
        found[u, v] = start, float(y[u]) + half, float(y[u]) + half
    pieces, owner, target = pen.pieces()
    return y[: items.nodes], Lines(pieces, owner, target, *_per_edge(found, edges))


def _rows(items: Items, x: Floats, height: float) -> Floats:
    shift = [0.0] * max(len(items.rows), 1)
    for item, children in enumerate(items.down):
        for child in children:
            rank = items.rank[item]
            shift[rank] = max(shift[rank], abs(float(x[item]) - float(x[child])))
    gaps = np.clip(RANK_GAP + GAP_PER_SHIFT * np.asarray(shift), RANK_GAP, RANK_GAP_MOST)
    tops = np.concatenate([[0.0], np.cumsum(height + gaps)[:-1]])
    return np.asarray(np.round(tops + height / 2))


class _Ports:
    """Where a line leaves its upper and enters its lower item: straight down wherever both boxes allow it."""

    def __init__(self, items: Items, x: Floats, widths: Floats) -> None:
        reach = np.concatenate([widths * PORT_SHARE, np.zeros(items.count - items.nodes)])
        self._lo: list[float] = (x - reach).tolist()
        self._hi: list[float] = (x + reach).tolist()
        self._x: list[float] = x.tolist()

    def of(self, upper: int, lower: int) -> tuple[float, float]:
        lo = max(self._lo[upper], self._lo[lower])
        hi = min(self._hi[upper], self._hi[lower])
        if lo <= hi:
            return (lo + hi) / 2, (lo + hi) / 2
        if self._x[upper] < self._x[lower]:
            return self._hi[upper], self._lo[lower]
        return self._lo[upper], self._hi[lower]


def _draw_spine(pen: _Pen, port: _Ports, items: Items, u: int, x: Floats, y: Floats, half: float) -> None:
    """The shared chain from u to its last dummy; straight runs are one piece."""
    above = u
    run: tuple[float, float] | None = None  # start of the vertical run that is open
    for dummy in items.spine[u]:
        start, end = port.of(above, dummy)
        bottom, top = float(y[above]) + half, float(y[dummy]) - half
        if run is None or run[0] != end or start != end:
            if run is not None:
                pen.line(run, (run[0], bottom), u, -1)
            pen.line((start, bottom), (end, top), u, -1)
            run = end, top
        above = dummy
    if run is not None:
        pen.line(run, (run[0], float(y[above]) + half), u, -1)


def _per_edge(found: dict[tuple[int, int], tuple[float, float, float]], edges: Ints) -> tuple[Floats, Floats, Floats]:
    rows = [found.get((u, v)) or found.get((v, u), (0.0, 0.0, 0.0)) for u, v in edges.tolist()]
    table = np.asarray(rows, dtype=np.float64).reshape(-1, 3)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


@dataclass(frozen=True)
class MovedLines:
    """Lines of one part of a graph: its nodes and edges by their index in the whole, and where the part was put."""

    lines: Lines
    nodes: Ints
    edges: Ints
    shift: tuple[float, float]


def join_lines(parts: list[MovedLines], edge_count: int) -> Lines:
    """The lines of all parts as one."""
    exit_x, exit_y, branch_y = np.zeros(edge_count), np.zeros(edge_count), np.zeros(edge_count)
    pieces, owner, target = [], [], []
    for part in parts:
        lines, (dx, dy) = part.lines, part.shift
        pieces.append(lines.pieces + np.asarray([dx, dy, dx, dy]))
        owner.append(part.nodes[lines.owner])
        target.append(np.where(lines.target < 0, -1, part.nodes[lines.target]))
        exit_x[part.edges] = lines.exit_x + dx
        exit_y[part.edges] = lines.exit_y + dy
        branch_y[part.edges] = lines.branch_y + dy
    return Lines(np.vstack(pieces), np.concatenate(owner), np.concatenate(target), exit_x, exit_y, branch_y)
