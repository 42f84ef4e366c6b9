"""What of a graph becomes boxes and edges."""

from __future__ import annotations

import pytest

from tests.views.canvas.graphs import control_flow, layer, residual
from workbench.core.graph import Graph, LayerKind, Tensor
from workbench.views.canvas.boxes import look_of
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.scene import Look, Scene, shape_text


def scene_of(graph: Graph) -> Scene:
    return Nest(graph, lambda text, mono: 6.0 * len(text)).scene(())


def links(scene: Scene) -> set[tuple[str, str]]:
    return {(scene.ids[u], scene.ids[v]) for u, v in scene.edges.tolist()}


def test_constants_are_not_drawn_and_inputs_and_outputs_are_pills() -> None:
    scene = scene_of(residual())
    assert scene.ids == ["input:x", "n0", "n1", "n3", "n4", "n5", "output:y"]
    assert scene.titles[0] == "x  batch×3×32×32"
    assert [scene.looks[i] == Look.PILL for i in range(7)] == [True, *[False] * 5, True]


def test_edges_follow_the_tensors() -> None:
    assert links(scene_of(residual())) == {
        ("input:x", "n0"), ("n0", "n1"), ("n1", "n3"), ("n3", "n4"), ("n4", "n5"), ("n1", "n5"), ("n5", "output:y"),
    }  # fmt: skip


def test_two_tensors_between_two_layers_are_one_edge() -> None:
    graph = Graph("g", (layer("n0", "Split", "x", "a b"), layer("n1", "Mul", "a b a", "y")), {}, ("x",), ("y",))
    scene = scene_of(graph)
    edge = scene.edges.tolist().index([scene.index["n0"], scene.index["n1"]])
    assert scene.edge_tensors[edge] == ("a", "b")


def test_weights_made_of_a_constant_shape_are_constants() -> None:
    graph = Graph(
        "g",
        (layer("n0", "ConstantOfShape", "s", "w"), layer("n1", "Conv", "x w", "y")),
        {"s": Tensor("s", (4,), constant=True)},
        ("x",),
        ("y",),
    )
    assert "n0" not in scene_of(graph).index


def test_what_a_body_borrows_leads_into_its_layer_and_is_a_pill_inside() -> None:
    nest = Nest(control_flow(), lambda text, mono: 6.0 * len(text))
    assert ("input:x", "n1") in links(nest.scene(()))
    body = nest.scene(("n1.else_branch",))
    assert links(body) == {("outer:x", "n1.else_branch.n0"), ("n1.else_branch.n0", "output:e")}
    assert body.titles[0] == "x  4"


def test_holders_and_siblings_of_bodies() -> None:
    nest = Nest(control_flow(), lambda text, mono: 6.0)
    deep = "n1.then_branch.n0.body.n0"
    assert nest.path_of(deep) == ("n1.then_branch", "n1.then_branch.n0.body")
    assert nest.holders([deep], ()) == {"n1"}
    assert nest.holders([deep], ("n1.then_branch",)) == {"n1.then_branch.n0"}
    assert nest.siblings(("n1.then_branch",)) == [("n1.then_branch",), ("n1.else_branch",)]


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor("t", (1, 3, 224)), "1×3×224"),
        (Tensor("t", ("batch", 80)), "batch×80"),
        (Tensor("t", ()), "scalar"),
        (Tensor("t"), ""),
        (None, ""),
        (Tensor("t", ("unk__12", "a.very.long.dynamic.dimension")), "?×?"),
    ],
)
def test_shapes_in_words(tensor: Tensor | None, text: str) -> None:
    assert shape_text(tensor, 8) == text


@pytest.mark.parametrize(
    ("op", "kind", "look"),
    [
        ("Conv", LayerKind.COMPUTE, Look.WEIGHTED),
        ("FusedMatMul", LayerKind.COMPUTE, Look.WEIGHTED),
        ("Relu", LayerKind.COMPUTE, Look.PLAIN),
        ("Reshape", LayerKind.COMPUTE, Look.SHAPE),
        ("Reorder", LayerKind.REFORMAT, Look.REFORMAT),
        ("QuantizeLinear", LayerKind.COMPUTE, Look.REFORMAT),
        ("Loop", LayerKind.CONTROL, Look.CONTROL),
    ],
)
def test_looks(op: str, kind: LayerKind, look: Look) -> None:
    assert look_of(layer("n0", op, "", "", kind=kind)) is look
