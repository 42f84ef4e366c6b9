"""Where the arrow keys lead, and what lies under a point or in a band."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.scene import HEIGHT, Scene

Ints = NDArray[np.int64]


def box_at(scene: Scene, x: float, y: float, slack: float = 0.0) -> int:
    """The box under a world point, or -1."""
    placed = scene.placed
    hit = np.abs(placed.y - y) <= HEIGHT / 2 + slack
    hit &= np.abs(placed.x - x) <= scene.widths / 2 + slack
    found = np.flatnonzero(hit)
    if not len(found):
        return -1
    distance = np.abs(placed.x[found] - x) + np.abs(placed.y[found] - y)
    return int(found[np.argmin(distance)])


def boxes_in(scene: Scene, x1: float, y1: float, x2: float, y2: float) -> Ints:
    """Boxes that a world rectangle touches."""
    left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    placed, half = scene.placed, scene.widths / 2
    mask = (placed.x + half >= left) & (placed.x - half <= right)
    mask &= (placed.y + HEIGHT / 2 >= top) & (placed.y - HEIGHT / 2 <= bottom)
    return np.flatnonzero(mask)


def below(scene: Scene, box: int) -> int:
    """The consumer most straight below; -1 at the end."""
    return _nearest(scene, box, scene.edges[scene.edges[:, 0] == box, 1])


def above(scene: Scene, box: int) -> int:
    """The producer most straight above; -1 at the start."""
    return _nearest(scene, box, scene.edges[scene.edges[:, 1] == box, 0])


def beside(scene: Scene, box: int, step: int) -> int:
    """The next box of the same rank, to the right (1) or left (-1); -1 at the end."""
    placed = scene.placed
    row = np.flatnonzero(placed.rank == placed.rank[box])
    at = np.flatnonzero(placed.slot[row] == placed.slot[box] + step)
    return int(row[at[0]]) if len(at) else -1


def first(scene: Scene) -> int:
    """Where the keyboard starts: top left."""
    return int(np.lexsort((scene.placed.x, scene.placed.y))[0]) if scene.count else -1


def last(scene: Scene) -> int:
    """Bottom right."""
    return int(np.lexsort((scene.placed.x, scene.placed.y))[-1]) if scene.count else -1


def entrance(scene: Scene, group: str) -> int:
    """The first box inside an open group; -1 where there is no such group."""
    if group not in scene.groups.ids:
        return -1
    number = scene.groups.ids.index(group)
    inside = np.arange(int(scene.groups.first[number]), int(scene.groups.last[number]))
    return int(inside[np.lexsort((scene.placed.x[inside], scene.placed.y[inside]))[0]]) if len(inside) else -1


def _nearest(scene: Scene, box: int, others: Ints) -> int:
    if not len(others):
        return -1
    placed = scene.placed
    aside = np.abs(placed.x[others] - placed.x[box])
    away = np.abs(placed.y[others] - placed.y[box])
    return int(others[np.lexsort((others, away, np.round(aside)))[0]])
