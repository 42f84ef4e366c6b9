"""What a search finds, in which order, and how it goes from hit to hit."""

from __future__ import annotations

import pytest

from tests.views.canvas.graphs import control_flow, residual
from workbench.core.graph import Graph, Layer
from workbench.session.search_index import SearchIndex


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("conv", ["n0", "n3"]),
        ("CONV stem", ["n0"]),
        ("stem conv", ["n0"]),
        ("op:relu", ["n1", "n4"]),
        ("name:block", ["n3", "n5"]),
        ("name:block op:add", ["n5"]),
        ("tensor:w1", ["n2", "n3"]),
        ("attribute:kernel_shape", ["n3"]),
        ("kernel_shape=[3,", ["n3"]),
        ("id:n4", ["n4"]),
        ("op:", []),
        ("", []),
        ("  ", []),
        ("nobody", []),
        ("name:relu", []),
    ],
)
def test_every_word_must_stand_in_a_node(text: str, found: list[str]) -> None:
    assert SearchIndex(residual()).find(text) == found


def test_what_is_in_bodies_is_found_in_the_order_of_the_graph() -> None:
    index = SearchIndex(control_flow())
    assert index.find("neg") == ["n1.then_branch.n0.body.n0"]
    assert index.find("op:") == [] and index.find("n1.") == [node.id for node in index.layers if "n1." in node.id]


def test_colons_of_names_are_part_of_the_word() -> None:
    layer = Layer("n0", "scope:conv:0", "Conv", ("gpu_0/x:0",), ("y",))
    index = SearchIndex(Graph("g", (layer,)))
    assert index.find("conv:0") == index.find("gpu_0/x:0") == index.find("scope:conv") == ["n0"]


def test_the_best_come_first_in_a_list() -> None:
    names = ("attention_add", "x", "Add", "y")
    layers = tuple(Layer(f"n{i}", name, "Mul", ("add_out",) if i == 1 else ()) for i, name in enumerate(names))
    assert [layer.id for layer in SearchIndex(Graph("g", layers)).best("add", 10)] == ["n2", "n0", "n1"]
    assert len(SearchIndex(Graph("g", layers)).best("", 2)) == 2


def test_texts_made_piece_by_piece_find_the_same() -> None:
    index = SearchIndex(residual())
    while index.prepare(2):
        pass
    assert index.find("conv") == SearchIndex(residual()).find("conv")
