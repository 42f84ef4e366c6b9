"""Layered layout, top to bottom: boxes and arrows in, positions and routed lines out. Plain numpy, no Qt.

The classic four steps (Sugiyama, Tagawa and Toda 1981): break cycles, give every box a rank, order the ranks so that
few lines cross, choose x. Long edges run through dummies, one shared chain for each source, so that a mask read by
every layer of a transformer costs one line and not layers² of them. Equal input gives equal output, always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.layout_items import make_items
from workbench.views.canvas.layout_order import order_ranks
from workbench.views.canvas.layout_place import place_items
from workbench.views.canvas.layout_rank import rank_nodes
from workbench.views.canvas.layout_route import Lines, MovedLines, join_lines, route

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPONENT_GAP = 56.0


@dataclass(frozen=True)
class Placement:
    """Where everything stands, in world units (pixels at zoom 1). The top left corner of the drawing is (0, 0).

    `x`, `y` are centres, one per node; `rank` counts from the top, `slot` from the left within a rank. `lines` are the
    routes. `crossings` counts pairs of line pieces that cross between neighbouring ranks.
    """

    x: Floats
    y: Floats
    rank: Ints
    slot: Ints
    lines: Lines
    width: float
    height: float
    crossings: int


def arrange(widths: Floats, edges: Ints, height: float) -> Placement:
    """Place `len(widths)` boxes of one height; `edges` (k, 2) leads from producer to consumer, by index."""
    groups = _components(len(widths), edges)
    if len(groups) == 1:
        return _arrange_one(widths, edges, height)
    return _pack([_arrange_part(nodes, widths, edges, height) for nodes in groups], len(widths), len(edges))


def _arrange_one(widths: Floats, edges: Ints, height: float) -> Placement:
    ranks, arrows = rank_nodes(len(widths), edges)
    items = make_items(ranks, arrows)
    crossings = order_ranks(items)
    item_x = place_items(items, widths)
    y, lines = route(items, item_x, widths, height, edges)
    x, rank = item_x[: items.nodes], np.asarray(ranks, dtype=np.int64)
    right = max(float(np.max(item_x, initial=0.0)), float(np.max(x + widths / 2, initial=0.0)))
    bottom = float(np.max(y, initial=0.0)) + height / 2
    return Placement(x, y, rank, _slots(rank, x), lines, right, bottom, crossings)


def _components(count: int, edges: Ints) -> list[Ints]:
    """Indices of each connected part, in the order of their first node."""
    leader = list(range(count))

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for source, target in edges.tolist():
        a, b = find(source), find(target)
        leader[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for node in range(count):
        groups.setdefault(find(node), []).append(node)
    return [np.asarray(group, dtype=np.int64) for group in groups.values()] or [np.empty(0, dtype=np.int64)]


@dataclass(frozen=True)
class _Part:
    """One connected part: its nodes and edges by index in the whole graph, and its own placement."""

    nodes: Ints
    edges: Ints
    placed: Placement

    @property
    def ranks(self) -> int:
        return int(np.max(self.placed.rank, initial=0)) + 1


def _arrange_part(nodes: Ints, widths: Floats, edges: Ints, height: float) -> _Part:
    local = np.full(len(widths), -1, dtype=np.int64)
    local[nodes] = np.arange(len(nodes))
    inside = np.flatnonzero(local[edges[:, 0]] >= 0)
    return _Part(nodes, inside, _arrange_one(widths[nodes], local[edges[inside]], height))


def _pack(parts: list[_Part], node_count: int, edge_count: int) -> Placement:
    """Parts side by side on shelves, about as wide as high; the first part keeps the top left corner."""
    area = sum((p.placed.width + COMPONENT_GAP) * (p.placed.height + COMPONENT_GAP) for p in parts)
    limit = max(max(p.placed.width for p in parts), 1.4 * area**0.5)
    x, y = np.zeros(node_count), np.zeros(node_count)
    rank = np.zeros(node_count, dtype=np.int64)
    left = top = shelf = right = 0.0
    first_rank = ranks_here = 0
    moved = []
    for part in parts:
        if left and left + part.placed.width > limit:
            left, top, shelf = 0.0, top + shelf + COMPONENT_GAP, 0.0
            first_rank, ranks_here = first_rank + ranks_here, 0
        x[part.nodes], y[part.nodes] = part.placed.x + left, part.placed.y + top
        rank[part.nodes] = part.placed.rank + first_rank
        moved.append(MovedLines(part.placed.lines, part.nodes, part.edges, (left, top)))
        right = max(right, left + part.placed.width)
        left += part.placed.width + COMPONENT_GAP
        shelf = max(shelf, part.placed.height)
        ranks_here = max(ranks_here, part.ranks)
    crossings = sum(part.placed.crossings for part in parts)
    lines = join_lines(moved, edge_count)
    return Placement(x, y, rank, _slots(rank, x), lines, right, top + shelf, crossings)


def _slots(rank: Ints, x: Floats) -> Ints:
    """Place from the left within the rank."""
    order = np.lexsort((x, rank))
    starts = np.searchsorted(rank[order], rank[order], side="left")
    slots = np.empty(len(rank), dtype=np.int64)
    slots[order] = np.arange(len(rank)) - starts
    return slots
