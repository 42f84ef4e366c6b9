"""The layout, compared as data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from workbench.views.canvas import layout_items
from workbench.views.canvas.layout import Outline, Placement, arrange
from workbench.views.canvas.layout_place import LINE_GAP, NODE_GAP

HEIGHT = 34.0


def place(count: int, pairs: list[tuple[int, int]], widths: list[float] | None = None) -> Placement:
    return arrange(
        Outline(
            list(widths or [100.0] * count), HEIGHT, [-1] * count, [], np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        )
    )


def random_graph(seed: int, count: int) -> tuple[list[tuple[int, int]], list[float]]:
    rng = np.random.default_rng(seed)
    pairs = [(int(rng.integers(max(0, v - 12), v)), v) for v in range(1, count) for _ in range(rng.integers(1, 3))]
    return pairs, [float(w) for w in rng.integers(50, 220, count)]


def assert_no_overlap(placed: Placement, widths: np.ndarray) -> None:
    for rank in np.unique(placed.rank):
        row = np.flatnonzero(placed.rank == rank)
        row = row[np.argsort(placed.x[row])]
        for a, b in pairwise(row.tolist()):
            if placed.y[a] == placed.y[b]:
                assert placed.x[b] - placed.x[a] >= (widths[a] + widths[b]) / 2 + NODE_GAP - 1e-6


def test_a_chain_is_one_vertical_line_whatever_its_widths() -> None:
    placed = place(6, [(i, i + 1) for i in range(5)], [80.0, 200.0, 60.0, 120.0, 90.0, 216.0])
    assert np.ptp(placed.x) == 0
    assert (np.diff(placed.y) > HEIGHT).all()
    assert np.ptp(placed.lines.pieces()[:, [0, 2]]) == 0


def test_the_trunk_stays_straight_beside_shortcuts() -> None:
    trunk = [(i, i + 1) for i in range(9)]
    placed = place(10, [*trunk, (1, 4), (4, 7), (2, 8)])
    assert np.ptp(placed.x) == 0
    assert placed.crossings <= 2  # (4, 7) and (2, 8) and the branch of (1, 4)
    side = placed.lines.pieces_of(placed.lines.target < 0)
    assert (np.abs(side[:, [0, 2]].max(axis=1) - placed.x[0]) > 0).all()


def test_nested_shortcuts_need_no_crossing() -> None:
    """The shape of a U-Net."""
    depth = 12
    trunk = [(i, i + 1) for i in range(2 * depth - 1)]
    skips = [(i, 2 * depth - 1 - i) for i in range(depth - 1)]
    placed = place(2 * depth, trunk + skips)
    assert placed.crossings == 0
    assert np.ptp(placed.x) == 0


def test_equal_branches_keep_their_order() -> None:
    branches = 5
    pairs = [(0, 1 + i) for i in range(branches)] + [(1 + i, 6) for i in range(branches)]
    placed = place(7, pairs)
    assert placed.slot[1:6].tolist() == [0, 1, 2, 3, 4]
    assert (np.diff(placed.x[1:6]) > 0).all()


def test_crossings_that_an_exchange_removes_are_removed() -> None:
    """Two producers whose consumers come in the other order."""
    assert place(4, [(0, 3), (1, 2)]).crossings == 0
    assert place(6, [(0, 1), (0, 2), (1, 5), (2, 4), (1, 3), (2, 3)]).crossings == 0


def test_a_complete_pair_of_pairs_has_its_one_crossing() -> None:
    assert place(4, [(0, 2), (0, 3), (1, 2), (1, 3)]).crossings == 1


@pytest.mark.parametrize("seed", range(6))
def test_boxes_never_overlap(seed: int) -> None:
    pairs, widths = random_graph(seed, 120)
    assert_no_overlap(place(120, pairs, widths), np.asarray(widths))


@pytest.mark.parametrize("seed", range(4))
def test_lines_never_run_through_foreign_boxes(seed: int) -> None:
    pairs, widths = random_graph(seed, 80)
    placed = place(80, pairs, widths)
    lines = placed.lines
    for box in range(80):
        pieces = lines.pieces_of((lines.owner != box) & (lines.target != box))
        left, right = placed.x[box] - widths[box] / 2, placed.x[box] + widths[box] / 2
        top, bottom = placed.y[box] - HEIGHT / 2 + 1, placed.y[box] + HEIGHT / 2 - 1
        inside = (pieces[:, 3] > top) & (pieces[:, 1] < bottom)
        inside &= (np.maximum(pieces[:, 0], pieces[:, 2]) > left) & (np.minimum(pieces[:, 0], pieces[:, 2]) < right)
        assert not inside.any()


def test_every_edge_leads_down_and_its_route_is_whole() -> None:
    pairs, widths = random_graph(3, 60)
    placed = place(60, pairs, widths)
    for edge, (u, v) in enumerate(pairs):
        assert placed.y[u] < placed.y[v]
        way = runs_of(placed, edge)
        assert way[0, :2].tolist() == [placed.lines.exit_x[edge], placed.lines.exit_y[edge]]
        assert (way[0, 1], way[-1, 3]) == (placed.y[u] + HEIGHT / 2, placed.y[v] - HEIGHT / 2)
        np.testing.assert_allclose(way[1:, :2], way[:-1, 2:])


def runs_of(placed: Placement, edge: int) -> np.ndarray:
    """Of one edge, from its producer down."""
    lines = placed.lines
    runs = lines.runs[lines.way(np.asarray([edge]))[lines.segment]]
    return runs[np.argsort(runs[:, 1])]


def test_equal_input_gives_equal_output() -> None:
    pairs, widths = random_graph(7, 150)
    one, two = place(150, pairs, widths), place(150, pairs, widths)
    assert one.x.tobytes() == two.x.tobytes()
    assert one.lines.pieces().tobytes() == two.lines.pieces().tobytes()


def test_a_mask_read_by_every_layer_costs_one_line() -> None:
    """One shared chain, so pieces grow with the layers and not with their square."""
    layers = 60
    pairs = [(0, 2 + i) for i in range(layers)] + [(1 + i, 2 + i) for i in range(layers)]
    placed = place(layers + 2, pairs)
    spine = (placed.lines.owner == 0) & (placed.lines.target < 0)
    assert spine[placed.lines.segment].sum() <= layers


def test_sources_stand_just_above_what_reads_them() -> None:
    """A side input of the end of a long chain, and a branch of two nodes whose producer is read there anyway."""
    chain = [(i, i + 1) for i in range(10)]
    placed = place(15, [*chain, (11, 10), (12, 13), (13, 14), (14, 10), (12, 10)])
    assert placed.rank[11] == placed.rank[10] - 1
    assert placed.rank[[14, 13, 12]].tolist() == [9, 8, 7]


def test_cycles_and_loops_are_drawn_and_do_not_hang() -> None:
    placed = place(4, [(0, 1), (1, 2), (2, 0), (2, 3), (3, 3)])
    assert len(set(placed.y.tolist())) >= 3
    assert np.isfinite(placed.lines.pieces()).all()


def test_nothing_and_one_box() -> None:
    assert place(0, []).height == 0
    assert place(1, []).width == 100


def test_parts_without_edges_between_them_stand_side_by_side() -> None:
    placed = place(40, [(i, i + 1) for i in range(8)])
    assert placed.x[0] == placed.x.min()
    corners = {(x, y) for x, y in zip(placed.x.tolist(), placed.y.tolist(), strict=True)}
    assert len(corners) == 40
    assert placed.width < 40 * 100
    assert_no_overlap(placed, np.full(40, 100.0))


def test_a_graph_beyond_the_budget_of_dummies_is_still_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_items, "DUMMIES_FLOOR", 20)
    monkeypatch.setattr(layout_items, "DUMMIES_PER_NODE", 0)
    pairs = [(i, i + 1) for i in range(30)] + [(i, i + 15) for i in range(15)]
    placed = place(31, pairs)
    for u, v in pairs:
        assert ((placed.lines.owner == u) & (placed.lines.target == v)).any()
    assert LINE_GAP < NODE_GAP
