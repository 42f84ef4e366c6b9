"""Layered layout, top to bottom: boxes, groups and edges in, positions and routed lines out. Plain numpy, no Qt.

The classic four steps (Sugiyama, Tagawa and Toda 1981): break cycles, give every box a rank, order the ranks so that
few lines cross, choose x. Long edges run through dummies, one shared chain for each source, so that a mask read by
every layer of a transformer costs one line and not layers² of them. An open group is laid out on its own, and groups of
equal structure once: 50,000 nodes of a transformer are a dozen small problems. Equal input gives equal output, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.views.canvas.layout_flat import Flat, roots
from workbench.views.canvas.layout_problem import Bools, Check, Floats, Ints, no_check
from workbench.views.canvas.layout_tree import HEADER, Memo, Outline, arrange_tree

__all__ = ["HEADER", "Check", "Lines", "Memo", "Outline", "Placement", "arrange", "no_check"]

STEPS = 14  # straight pieces of one curve, seen from near


@dataclass(frozen=True)
class Lines:
    """Routes as runs (m, 4: x1, y1, x2, y2), downwards: straight, or `bent` curves that start and end vertically.

    Runs between two branchings are one `segment`; all edges of a box share segments as long as they run together.
    `parent` is the segment nearer to the producer, -1 at its start. By segment: `owner` is the producer, `target` the
    consumer where it is the last one of an edge, else -1. By edge: `last` is its last segment.
    """

    runs: Floats
    bent: Bools
    segment: Ints
    parent: Ints
    owner: Ints
    target: Ints
    last: Ints
    exit_x: Floats  # by edge: where it leaves its producer
    exit_y: Floats

    def pieces(self, steps: int = STEPS) -> Floats:
        """All runs as straight pieces."""
        return self.pieces_of(np.ones(len(self.parent), dtype=np.bool_), steps)

    def pieces_of(self, segments: Bools, steps: int = STEPS) -> Floats:
        """Those of some segments, given as a mask."""
        runs = segments[self.segment]
        return np.concatenate([self.runs[runs & ~self.bent], curve(self.runs[runs & self.bent], steps)])

    def way(self, edges: Ints) -> Bools:
        """Segments on the way of some edges."""
        mask = np.zeros(len(self.parent), dtype=np.bool_)
        here = np.unique(self.last[edges])
        here = here[here >= 0]
        while len(here):
            mask[here] = True
            here = np.unique(self.parent[here])
            here = here[here >= 0]
            here = here[~mask[here]]
        return mask


def curve(ends: Floats, steps: int) -> Floats:
    """Cubic curves that leave and arrive vertically, as straight pieces (n * steps, 4)."""
    t = (1 - np.cos(np.linspace(0.0, np.pi, steps + 1))) / 2  # finer where it turns
    x1, y1, x2, y2 = (ends[:, i, None] for i in range(4))
    x = x1 + (x2 - x1) * (3 * t**2 - 2 * t**3)
    middle = (y1 + y2) / 2
    y = y1 * (1 - t) ** 3 + 3 * middle * t * (1 - t) + y2 * t**3
    return np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=2).reshape(-1, 4)


@dataclass(frozen=True)
class Placement:
    """Where everything stands, in world units (pixels at zoom 1). The top left corner of the drawing is (0, 0).

    `x`, `y` are centres, one per box; `rank` numbers the rows (no two open groups share one), `slot` counts from the
    left within a row. `frames` (g, 4: x, y, width, height) are the open groups. `crossings` counts pairs of lines that
    cross between neighbouring ranks.
    """

    x: Floats
    y: Floats
    rank: Ints
    frames: Floats
    lines: Lines
    width: float
    height: float
    crossings: int

    @cached_property
    def slot(self) -> Ints:
        order = np.lexsort((self.x, self.rank))
        starts = np.searchsorted(self.rank[order], self.rank[order], side="left")
        slots = np.empty(len(self.rank), dtype=np.int64)
        slots[order] = np.arange(len(self.rank)) - starts
        return slots


def arrange(outline: Outline, memo: Memo | None = None, check: Check = no_check) -> Placement:
    """Place boxes and open groups. `memo` keeps layouts of groups from one call to the next."""
    flat = arrange_tree(outline, Memo() if memo is None else memo, check)
    return Placement(
        flat.x, flat.y, flat.row, flat.frames, _lines(flat, outline.edges), flat.width, flat.height, flat.crossings
    )


def _lines(flat: Flat, edges: Ints) -> Lines:
    root = roots(flat.parent)
    owner = flat.owner[root]
    last = _last_segments(owner, flat.target, edges, flat.boxes)
    first_run = np.full(len(flat.parent), -1, dtype=np.int64)
    order = np.argsort(-flat.runs[:, 1], kind="stable")  # the highest run of a segment is written last
    first_run[flat.segment[order]] = order
    exits = np.zeros((len(edges), 2))
    has_line = last >= 0
    exits[has_line] = flat.runs[first_run[root[last[has_line]]], :2]
    return Lines(
        flat.runs,
        flat.bent,
        flat.segment,
        flat.parent,
        owner,
        flat.target,
        last,
        exits[:, 0].copy(),
        exits[:, 1].copy(),
    )


def _last_segments(owner: Ints, target: Ints, edges: Ints, boxes: int) -> Ints:
    """For each edge the segment that ends it, -1 for loops, which have no line."""
    ends = np.flatnonzero(target >= 0)
    keys = owner[ends] * boxes + target[ends]
    order = np.argsort(keys, kind="stable")
    wanted = edges[:, 0] * boxes + edges[:, 1]
    found = np.searchsorted(keys, wanted, sorter=order)
    last = np.full(len(edges), -1, dtype=np.int64)
    inside = found < len(keys)
    place = ends[order[found[inside]]]
    matches = keys[order[found[inside]]] == wanted[inside]
    last[np.flatnonzero(inside)[matches]] = place[matches]
    return last
