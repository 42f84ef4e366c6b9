"""Layouts of graphs with groups, compared as data."""

from __future__ import annotations

import numpy as np
import pytest

from tests.views.canvas.checks import assert_tidy
from tests.views.canvas.graphs import blocks, layer, wide_blocks
from workbench.core.graph import Graph
from workbench.core.scopes import Scope
from workbench.views.canvas.grouping import everything, first_opened, seen_boxes, to_depth
from workbench.views.canvas.layout import Memo, Outline, arrange
from workbench.views.canvas.nest import WIDE, Nest
from workbench.views.canvas.scene import Scene, build_scene


def measure(text: str, mono: bool) -> float:
    return len(text) * (6.0 if mono else 7.0)


def scene_of(graph: Graph, scopes: dict[str, Scope], opened: frozenset[str] | None = None) -> Scene:
    body = Nest(graph, measure, scopes).body(())
    return build_scene(body, everything(body) if opened is None else opened)


def random_groups(seed: int, count: int) -> tuple[Graph, dict[str, Scope]]:
    """Layers that read some of the layers shortly before them, put into groups of groups without regard to that.

    So groups read each other both ways, and lines cross several borders.
    """
    rng = np.random.default_rng(seed)
    layers = []
    for i in range(count):
        reads = {f"t{max(0, i - int(back))}" for back in rng.integers(0, 9, rng.integers(1, 3))}
        op = str(rng.choice(["Add", "BatchNormalization", "Conv", "Relu"]))
        layers.append(layer(f"n{i}", op, " ".join(sorted(reads)), f"t{i + 1}"))
    homes = [(int(i // 20 + rng.integers(0, 2)), int(i // 5 % 4), int(rng.integers(0, 3))) for i in range(count)]
    outer = []
    for a in sorted({home[0] for home in homes}):
        inner = []
        for b in sorted({home[1] for home in homes if home[0] == a}):
            mine = [i for i, home in enumerate(homes) if home[:2] == (a, b)]
            inner.append(Scope(f"{a}/{b}", f"{b}", layers=tuple(f"n{i}" for i in mine if homes[i][2])))
        loose = tuple(f"n{i}" for i, home in enumerate(homes) if home[0] == a and not home[2])
        outer.append(Scope(f"{a}", f"group {a}", layers=loose, children=tuple(inner)))
    return Graph("random", tuple(layers), {}, ("t0",), (f"t{count}",)), {"": Scope("", "", children=tuple(outer))}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_stands_open_nothing_overlaps_and_lines_keep_off(seed: int) -> None:
    graph, scopes = random_groups(seed, 70)
    body = Nest(graph, measure, scopes).body(())
    memo = Memo()
    rng = np.random.default_rng(seed)
    some = frozenset(group.id for group in body.groups if rng.random() < 0.6)
    for opened in (frozenset(), to_depth(body, 1), some, everything(body)):
        assert_tidy(build_scene(body, opened, memo))


def test_a_chain_of_groups_is_one_straight_line() -> None:
    layers = tuple(layer(f"n{i}", "Relu", f"t{i}", f"t{i + 1}") for i in range(12))
    inner = [Scope(f"s{k}", f"s{k}", layers=tuple(f"n{i}" for i in range(3 * k, 3 * k + 3))) for k in range(4)]
    outer = Scope("all", "all", children=tuple(inner))
    scene = scene_of(Graph("g", layers, {}, ("t0",), ("t12",)), {"": Scope("", "", children=(outer,))})
    assert np.ptp(scene.placed.x) < 1e-6
    assert not scene.placed.lines.bent.any()
    assert scene.placed.crossings == 0


def test_signals_enter_a_group_in_the_order_in_which_they_come() -> None:
    edges = [(0, 1), (2, 3), (1, 4), (3, 6), (4, 6), (6, 7), (8, 9), (8, 10), (10, 11), (7, 10), (4, 11)]
    parent = [12] * 4 + [13] * 4 + [14] * 4 + [-1] * 3
    placed = arrange(Outline([80.0] * 12, 32.0, parent, [60.0] * 3, np.asarray(edges)))
    assert placed.crossings == 0  # the middle group by itself would have what it hands on the other way round


def test_residual_blocks_need_no_crossing_and_their_trunk_is_straight() -> None:
    scene = scene_of(*blocks(6))
    trunk = [scene.index[f"n{i}"] for i in range(26)]
    assert np.ptp(scene.placed.x[trunk]) < 1e-6
    assert_tidy(scene)


def test_a_diamond_of_groups_keeps_its_order() -> None:
    layers = [layer("n0", "Split", "x", "a b c")]
    scopes = []
    for k, name in enumerate("abc"):
        layers += [
            layer(f"n{1 + 2 * k}", "Abs", name, f"{name}1"),
            layer(f"n{2 + 2 * k}", "Neg", f"{name}1", f"{name}2"),
        ]
        scopes.append(Scope(name, name, layers=(f"n{1 + 2 * k}", f"n{2 + 2 * k}")))
    layers.append(layer("n7", "Concat", "a2 b2 c2", "y"))
    graph = Graph("g", tuple(layers), {}, ("x",), ("y",))
    for opened in (frozenset("abc"), frozenset("b"), frozenset[str]()):
        scene = scene_of(graph, {"": Scope("", "", children=tuple(scopes))}, opened)
        ends = [int(scene.box_of[scene.body.place[f"n{i}"]]) for i in (1, 3, 5)]
        assert (np.diff(scene.placed.x[ends]) > 0).all()
        assert scene.placed.crossings == 0
        assert scene.placed.x[scene.index["n7"]] == pytest.approx(scene.placed.x[ends[1]])


def test_groups_that_read_each_other_are_drawn() -> None:
    """a: 0, 2; b: 1, 3; a chain through both, to and fro."""
    layers = tuple(layer(f"n{i}", "Relu", f"t{i}", f"t{i + 1}") for i in range(4))
    scopes = (Scope("a", "a", layers=("n0", "n2")), Scope("b", "b", layers=("n1", "n3")))
    scene = scene_of(Graph("g", layers, {}, ("t0",), ("t4",)), {"": Scope("", "", children=scopes)})
    assert_tidy(scene)
    assert len(scene.edges) == 5


def test_equal_blocks_are_laid_out_once() -> None:
    memo = Memo()
    body = Nest(*_unzipped(blocks(40))).body(())
    scene = build_scene(body, everything(body), memo)
    assert len(scene.groups) == 81
    assert len(memo) == 3  # the body, one block and its mlp
    frames = scene.placed.frames[[scene.groups.ids.index(f"body/{k}") for k in range(40)]]
    assert np.ptp(frames[:, 2:], axis=0).max() == 0
    again = build_scene(body, everything(body), memo)
    assert again.placed.x.tobytes() == scene.placed.x.tobytes()
    assert again.placed.lines.runs.tobytes() == scene.placed.lines.runs.tobytes()


def _unzipped(made: tuple[Graph, dict[str, Scope]]) -> tuple[Graph, object, dict[str, Scope]]:
    return made[0], measure, made[1]


def test_layouts_that_no_picture_needs_are_forgotten() -> None:
    body = Nest(*_unzipped(blocks(4))).body(())
    memo = Memo()
    for _ in range(Memo.KEPT + 3):
        build_scene(body, everything(body), memo)
    for _ in range(Memo.KEPT + 2):
        build_scene(body, frozenset(), memo)
    assert len(memo) == 0


def test_edges_of_a_closed_group_are_those_of_its_layers() -> None:
    graph, scopes = blocks(2)
    scene = scene_of(graph, scopes, frozenset(["body"]))
    pairs = {(scene.ids[u], scene.ids[v]): scene.edge_tensors[e] for e, (u, v) in enumerate(scene.edges.tolist())}
    assert pairs == {
        ("input:x", "n0"): ("x",), ("n0", "group:body/0"): ("h0",), ("input:mask", "group:body/0"): ("mask",),
        ("group:body/0", "group:body/1"): ("h1",), ("input:mask", "group:body/1"): ("mask",),
        ("group:body/1", "n9"): ("h2",), ("n9", "output:y"): ("y",),
    }  # fmt: skip
    assert scene.members(scene.index["group:body/1"]) == ("n5", "n6", "n7", "n8")


def test_the_first_picture_is_an_overview() -> None:
    body = Nest(*_unzipped(blocks(120))).body(())
    assert seen_boxes(body, everything(body)) == len(body.boxes)
    assert seen_boxes(body, first_opened(body)) == 125
    small = Nest(*_unzipped(blocks(5))).body(())
    assert first_opened(small) == everything(small)


def test_groups_stay_closed_at_first_where_open_ones_would_be_too_wide_for_the_pane() -> None:
    wide, narrow = Nest(*_unzipped(wide_blocks(12, 14))), Nest(*_unzipped(wide_blocks(12, 3)))
    assert wide.scene(()).count == 14
    assert wide.scene(()).placed.width <= WIDE
    assert narrow.scene(()).count == len(narrow.body(()).boxes)
    few = Nest(*_unzipped(wide_blocks(2, 14)))  # four boxes would say nothing
    assert few.scene(()).count == len(few.body(()).boxes)


def test_a_group_of_one_box_is_that_box() -> None:
    layers = (layer("n0", "Relu", "x", "a"), layer("n1", "Abs", "a", "b"), layer("n2", "Neg", "b", "y"))
    scopes = (Scope("one", "one", layers=("n0",)), Scope("two", "two", layers=("n1", "n2")))
    scene = scene_of(Graph("g", layers, {}, ("x",), ("y",)), {"": Scope("", "", children=scopes)})
    assert scene.groups.ids == ["two"]
