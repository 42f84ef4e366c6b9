"""What holds of every picture: nothing overlaps, groups hold their own only, lines are whole and keep off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.views.canvas.layout import HEADER, Placement
from workbench.views.canvas.scene import HEIGHT, Scene

Floats = NDArray[np.float64]
SLACK = 0.75  # px that rounding may take


def box_rects(placed: Placement, widths: Floats) -> Floats:
    """left, top, right, bottom."""
    half = widths / 2
    return np.stack([placed.x - half, placed.y - HEIGHT / 2, placed.x + half, placed.y + HEIGHT / 2], axis=1)


def frame_rects(placed: Placement) -> Floats:
    left, top, width, height = placed.frames.T
    return np.stack([left, top, left + width, top + height], axis=1)


def overlaps(a: Floats, b: Floats) -> NDArray[np.bool_]:
    """(n, m): do they share some area?"""
    wide = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    high = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    return (wide > SLACK) & (high > SLACK)


def contains(outer: Floats, inner: Floats) -> bool:
    return bool((outer[:2] <= inner[:2] + SLACK).all() and (outer[2:] + SLACK >= inner[2:]).all())


def assert_tidy(scene: Scene) -> None:
    assert_boxes_apart(scene)
    assert_groups_hold_their_own(scene)
    assert_lines_are_whole(scene)
    assert_lines_keep_off(scene)


def assert_boxes_apart(scene: Scene) -> None:
    rects = box_rects(scene.placed, scene.widths)
    both = overlaps(rects, rects)
    assert int(both.sum()) == scene.count, "boxes overlap"
    assert rects[:, 0].min(initial=0) >= -SLACK and rects[:, 1].min(initial=0) >= -SLACK
    assert rects[:, 2].max(initial=0) <= scene.placed.width + SLACK
    assert rects[:, 3].max(initial=0) <= scene.placed.height + SLACK


def assert_groups_hold_their_own(scene: Scene) -> None:
    boxes, frames, groups = box_rects(scene.placed, scene.widths), frame_rects(scene.placed), scene.groups
    shared = overlaps(frames, boxes)
    for group, frame in enumerate(frames):
        inside = set(range(int(groups.first[group]), int(groups.last[group])))
        assert set(np.flatnonzero(shared[group]).tolist()) == inside, groups.ids[group]
        assert all(contains(frame, boxes[box]) for box in inside), groups.ids[group]
        assert all(boxes[box][1] >= frame[1] + HEADER for box in inside), "a box covers a header"
        if groups.parent[group] >= 0:
            assert contains(frames[int(groups.parent[group])], frame), groups.ids[group]
    for a, b in zip(*np.nonzero(overlaps(frames, frames)), strict=True):
        assert a == b or b in _ancestors(scene, int(a)) or a in _ancestors(scene, int(b)), "groups overlap"


def _ancestors(scene: Scene, group: int) -> set[int]:
    found = set()
    while (group := int(scene.groups.parent[group])) >= 0:
        found.add(group)
    return found


def assert_lines_are_whole(scene: Scene) -> None:
    """From border to border without a gap, whichever of both stands above."""
    placed, lines = scene.placed, scene.placed.lines
    for edge, ends in enumerate(scene.edges.tolist()):
        assert lines.last[edge] >= 0
        runs = lines.runs[lines.way(np.asarray([edge]))[lines.segment]]
        runs = runs[np.lexsort((runs[:, 3], runs[:, 1]))]
        np.testing.assert_allclose(runs[1:, :2], runs[:-1, 2:], atol=SLACK)
        upper, lower = sorted(ends, key=lambda box: placed.y[box])
        assert runs[0, 1] == placed.y[upper] + HEIGHT / 2
        assert runs[-1, 3] == placed.y[lower] - HEIGHT / 2


def assert_lines_keep_off(scene: Scene) -> None:
    """No line runs through a box that it does not lead from or to."""
    lines, rects = scene.placed.lines, box_rects(scene.placed, scene.widths)
    inner = rects + np.asarray([1.0, 1.0, -1.0, -1.0])
    for segments in np.array_split(np.arange(len(lines.parent)), max(len(lines.parent) // 400, 1)):
        mask = np.zeros(len(lines.parent), dtype=np.bool_)
        mask[segments] = True
        pieces = lines.pieces_of(mask)
        spans = np.stack(
            [
                np.minimum(pieces[:, 0], pieces[:, 2]) - SLACK,
                pieces[:, 1],
                np.maximum(pieces[:, 0], pieces[:, 2]) + SLACK,
                pieces[:, 3],
            ],
            axis=1,
        )
        assert not overlaps(spans, inner).any(), "a line runs through a box"
