"""An absorbed node is exact where the engine's edges leave no room for a kernel, and inferred where they do."""

from __future__ import annotations

import pytest

from workbench.backends._closure import Owners, Scope
from workbench.backends._proof import proven_views
from workbench.core.graph import Graph, Layer, LayerKind


def node(ident: str, op: str, reads: str, makes: str) -> Layer:
    return Layer(ident, "", op, tuple(reads.split()), tuple(makes.split()))


SOURCE = Graph(
    "g",
    (node("n0", "Conv", "x", "a"), node("n1", "Reshape", "a", "b"), node("n2", "Gemm", "b", "y")),
    inputs=("x",),
    outputs=("y",),
)
NAMED: Owners = {"n0": {"l0": True}, "n1": {"l1": False}, "n2": {"l1": True}}


def layer(ident: str, reads: str, makes: str, kind: LayerKind = LayerKind.COMPUTE) -> Layer:
    return Layer(ident, "", "", tuple(reads.split()), tuple(makes.split()), kind=kind)


def proven(*layers: Layer, source: Graph = SOURCE, owners: Owners = NAMED) -> set[str]:
    return proven_views(Scope(source), layers, owners, set())


def test_a_tensor_that_goes_straight_from_one_layer_to_the_next_leaves_no_room() -> None:
    assert proven(layer("l0", "x", "t"), layer("l1", "t", "y")) == {"n1"}


def test_layers_that_only_wait_are_no_room() -> None:
    assert proven(layer("l0", "x", "t"), layer("s", "", "", LayerKind.SYNC), layer("l1", "t", "y")) == {"n1"}


@pytest.mark.parametrize("kind", [LayerKind.COMPUTE, LayerKind.REFORMAT])
def test_a_nameless_layer_between_may_be_the_node(kind: LayerKind) -> None:
    assert not proven(layer("l0", "x", "t"), layer("l9", "t", "u", kind), layer("l1", "u", "y"))


def test_so_may_one_on_a_second_way_beside_the_straight_one() -> None:
    assert not proven(layer("l0", "x", "t"), layer("l9", "t", "u"), layer("l1", "t u", "y"))


def test_what_stands_between_nodes_of_one_layer_runs_in_it() -> None:
    owners: Owners = {"n0": {"l0": True}, "n1": {"l0": False}, "n2": {"l0": True}}
    assert proven(layer("l0", "x", "y"), owners=owners) == {"n1"}


def test_a_concat_is_written_in_place_where_all_its_makers_hand_over_to_its_reader() -> None:
    source = Graph(
        "g",
        (
            node("n0", "Conv", "x", "a"),
            node("n1", "Conv", "x", "b"),
            node("n2", "Concat", "a b", "c"),
            node("n3", "Conv", "c", "y"),
        ),
        inputs=("x",),
        outputs=("y",),
    )
    owners: Owners = {"n0": {"l0": True}, "n1": {"l1": True}, "n2": {"l2": False}, "n3": {"l2": True}}
    whole = (layer("l0", "x", "t"), layer("l1", "x", "t"), layer("l2", "t", "y"))
    assert proven(*whole, source=source, owners=owners) == {"n2"}
    half = (layer("l0", "x", "u"), layer("l1", "x", "t"), layer("l9", "u", "t"), layer("l2", "t", "y"))
    assert not proven(*half, source=source, owners=owners)


def test_ends_of_the_graph_count_by_their_names() -> None:
    source = Graph("g", (node("n0", "Reshape", "x", "a"), node("n1", "Gemm", "a", "y")), inputs=("x",), outputs=("y",))
    owners: Owners = {"n0": {"l0": False}, "n1": {"l0": True}}
    assert proven(layer("l0", "x", "y"), source=source, owners=owners) == {"n0"}
    assert not proven(layer("l9", "x", "t"), layer("l0", "t", "y"), source=source, owners=owners)


def test_a_neighbour_whose_layer_is_only_believed_proves_nothing() -> None:
    owners: Owners = {"n0": {"l0": False}, "n1": {"l1": False}, "n2": {"l1": True}}
    assert not proven(layer("l0", "x", "t"), layer("l1", "t", "y"), owners=owners)
