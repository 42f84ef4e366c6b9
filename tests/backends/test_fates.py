"""The fate of every source node: rules of the shared closure, on graphs written by hand."""

from __future__ import annotations

from workbench.backends._branches import with_branches
from workbench.backends._fates import resolve_fates
from workbench.backends._names import converts_for_others, known_sources
from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.model import Model


def node(index: int, op: str, inputs: str, outputs: str, prefix: str = "") -> Layer:
    name = f"{prefix}n{index}"
    return Layer(name, "", op, tuple(inputs.split()), tuple(outputs.split()), sources=(name,))


def model(nodes: list[Layer], outputs: str = "y", constants: str = "", **bodies: Graph) -> Model:
    tensors = {name: Tensor(name, constant=True) for name in constants.split()}
    keyed = {key.replace("__", "."): body for key, body in bodies.items()}
    graph = Graph("g", tuple(nodes), tensors, ("x",), tuple(outputs.split()), keyed)
    return Model("m.onnx", graph, 17, 9, "", 0, 0, 0, "", (), (), {})


def layer(index: int, sources: str, inputs: str = "", outputs: str = "", **more: object) -> Layer:
    return Layer(
        f"l{index}", "", str(more.pop("op", "Op")), tuple(inputs.split()), tuple(outputs.split()),
        sources=tuple(sources.split()), **more,
    )  # fmt: skip


def kinds(fates: dict[str, Fate]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {key: (fate.kind.value, fate.layers) for key, fate in fates.items()}


CONV_BN_RELU = [
    node(0, "Conv", "x w", "a"),
    node(1, "BatchNormalization", "a s b m v", "c"),
    node(2, "Relu", "c", "d"),
    node(3, "Conv", "d w", "y"),
]


def test_an_unnamed_conv_goes_to_the_batch_norm_that_was_named() -> None:
    done, fates = resolve_fates(model(CONV_BN_RELU), [layer(0, "n1"), layer(1, "n3")])
    assert done[0].sources == ("n0", "n1", "n2")
    assert not done[0].sources_exact
    assert done[1].sources_exact
    assert fates["n0"] == Fate(FateKind.FUSED, ("l0",), exact=False)
    assert fates["n1"] == Fate(FateKind.FUSED, ("l0",), exact=True)
    assert fates["n3"] == Fate(FateKind.ALONE, ("l1",))


def test_what_hangs_on_a_shape_alone_is_folded_where_an_engine_only_copies_it() -> None:
    _, fates = resolve_fates(model([node(0, "EyeLike", "x", "y")]), [layer(0, "", outputs="y")])
    assert fates["n0"] == Fate(FateKind.FOLDED)


def test_an_unnamed_relu_belongs_to_its_producer_not_to_the_conv_behind_it() -> None:
    _, fates = resolve_fates(model(CONV_BN_RELU), [layer(0, "n0 n1"), layer(1, "n3")])
    assert fates["n2"].layers == ("l0",)


def test_an_unnamed_residual_add_belongs_to_the_last_conv_that_it_reads() -> None:
    nodes = [
        node(0, "Conv", "x w", "a"),
        node(1, "Conv", "a w", "b"),
        node(2, "Add", "b a", "c"),
        node(3, "Relu", "c", "d"),
        node(4, "MaxPool", "d", "y"),
    ]
    done, _ = resolve_fates(model(nodes), [layer(0, "n0"), layer(1, "n1"), layer(2, "n4")])
    assert [each.sources for each in done] == [("n0",), ("n1", "n2", "n3"), ("n4",)]


def test_constants_shapes_and_dead_nodes_need_no_layer() -> None:
    nodes = [
        node(0, "Constant", "", "k"),
        node(1, "Mul", "k w", "kw"),
        node(2, "Shape", "x", "s"),
        node(3, "Gather", "s k", "g"),
        node(4, "Relu", "x", "y"),
        node(5, "Neg", "x", "unread"),
        node(6, "RandomNormalLike", "w", "noise"),
    ]
    _, fates = resolve_fates(model(nodes, "y kw g noise", "w"), [layer(0, "n4")])
    folded = {key for key, fate in fates.items() if fate.kind is FateKind.FOLDED}
    assert folded == {"n0", "n1", "n2", "n3"}
    assert fates["n5"].kind is FateKind.REMOVED
    assert fates["n6"].kind is not FateKind.FOLDED  # random is never constant


def test_what_a_pass_removed_keeps_its_reason() -> None:
    nodes = [node(0, "Identity", "x", "a"), node(1, "Relu", "a", "b"), node(2, "Dropout", "b", "y")]
    removed = {"n0": "removed", "n2": "absorbed"}
    _, fates = resolve_fates(model(nodes), [layer(0, "n1")], removed)
    assert kinds(fates) == {"n0": ("removed", ()), "n1": ("alone", ("l0",)), "n2": ("absorbed", ("l0",))}


def test_a_node_in_two_compute_layers_is_split_and_one_beside_a_reformat_is_not() -> None:
    nodes = [node(0, "Conv", "x w", "a"), node(1, "LSTM", "a w", "y")]
    reformat = layer(0, "n0", kind=LayerKind.REFORMAT)
    _, fates = resolve_fates(model(nodes), [reformat, layer(1, "n0"), layer(2, "n1"), layer(3, "n1")])
    assert kinds(fates) == {"n0": ("alone", ("l0", "l1")), "n1": ("split", ("l2", "l3"))}


def test_a_reformat_that_helps_a_node_does_not_decide_where_it_went() -> None:
    quantize = layer(0, "n0", kind=LayerKind.REFORMAT)
    done, fates = resolve_fates(model(CONV_BN_RELU), [quantize, layer(1, "n1 n2"), layer(2, "n3")])
    assert fates["n0"].layers == ("l0", "l1")
    assert done[1].sources == ("n0", "n1", "n2")


def test_a_nameless_layer_takes_the_nodes_between_its_neighbours() -> None:
    nodes = [node(0, "Conv", "x w", "a"), node(1, "LSTM", "a w", "b"), node(2, "Conv", "b w", "y")]
    layers = [
        layer(0, "n0", "x", "t0"),
        layer(1, "", "t0", "t1", op="RNNSeq"),
        layer(2, "", "t1", "t2", kind=LayerKind.REFORMAT),
        layer(3, "n2", "t2", "y"),
    ]
    done, fates = resolve_fates(model(nodes), layers, op_hints={"RNNSeq": frozenset({"LSTM"})})
    assert done[1].sources == ("n1",)
    assert done[2].sources == ()
    assert fates["n1"] == Fate(FateKind.ALONE, ("l1",), exact=False)


def test_nodes_in_bodies_inherit_unless_the_engine_shows_them() -> None:
    body = Graph("then", (node(0, "Relu", "a", "t", "n1.then_branch."),), outputs=("t",))
    nodes = [node(0, "Conv", "x w", "a"), node(1, "If", "x", "y")]
    source = model(nodes, n1__then_branch=body)
    _, fates = resolve_fates(source, [layer(0, "n0"), layer(1, "n1", kind=LayerKind.CONTROL)])
    assert fates["n1.then_branch.n0"].layers == ("l1",)
    assert fates["n0"].kind is FateKind.ALONE  # only the body reads it, which counts
    shown = layer(2, "n1.then_branch.n0")
    _, fates = resolve_fates(source, [layer(0, "n0"), layer(1, "n1", kind=LayerKind.CONTROL), shown])
    assert fates["n1.then_branch.n0"] == Fate(FateKind.ALONE, ("l2",))


def test_a_loop_of_which_only_the_body_is_shown_has_the_jumps_beside_it_or_the_layers_of_the_body() -> None:
    nodes = (node(0, "MatMul", "a w", "t", "n0.body."), node(1, "Identity", "c", "d", "n0.body."))
    body = Graph("body", nodes, inputs=("a", "c"), outputs=("d", "t"))
    source = model([node(0, "Loop", "x", "y")], n0__body=body)
    shown = layer(1, "n0.body.n0")
    _, fates = resolve_fates(source, [shown, layer(2, "", kind=LayerKind.CONTROL)])
    assert fates["n0"] == Fate(FateKind.ALONE, ("l2",), exact=False)
    assert fates["n0.body.n1"].layers == ("l2",)
    _, fates = resolve_fates(source, [shown])
    assert fates["n0"] == Fate(FateKind.FUSED, ("l1",), exact=False)


def test_a_concat_in_place_belongs_to_all_that_write_into_it() -> None:
    nodes = [
        node(0, "Conv", "x w", "a"),
        node(1, "Conv", "x w", "b"),
        node(2, "Concat", "a b", "c"),
        node(3, "Relu", "c", "d"),
        node(4, "Tanh", "c", "e"),
    ]
    layers = [layer(0, "n0"), layer(1, "n1"), layer(2, "n3"), layer(3, "n4")]
    _, fates = resolve_fates(model(nodes, "d e"), layers)
    assert fates["n2"] == Fate(FateKind.ABSORBED, ("l0", "l1"), exact=False)


def test_a_model_of_views_alone_leaves_nothing_unknown() -> None:
    _, fates = resolve_fates(model([node(0, "Identity", "x", "y")]), [])
    assert fates["n0"].kind is FateKind.ABSORBED


def test_ids_that_do_not_exist_are_dropped() -> None:
    done, _ = resolve_fates(model(CONV_BN_RELU), [layer(0, "n0 n1 n2 n3 n99")])
    assert done[0].sources == ("n0", "n1", "n2", "n3")


def test_added_nodes_count_only_where_they_stand_alone() -> None:
    assert known_sources(["n2+n3", "n4", "n5+n6:quantize_x"]) == ("n2", "n3", "n4")
    assert known_sources(["n5+n6:quantize_x"]) == ("n5", "n6")
    assert known_sources(["n5/MatMulScaleFusion/", "Reorder"]) == ("n5",)
    assert converts_for_others(["n5:quantize_x", "unknown"]) == "quantize_x"
    assert converts_for_others(["n5:quantize_x", "n4"]) == ""


FUNCTION = Graph(
    "f", (node(0, "Conv", "a w", "h", "n1.body."), node(1, "Relu", "h", "b", "n1.body.")), {}, ("a",), ("b",)
)


def test_a_call_of_a_function_goes_where_the_nodes_of_the_function_went() -> None:
    nodes = [node(0, "Neg", "x", "a"), node(1, "own.block", "a", "b"), node(2, "Abs", "b", "y")]
    done, fates = resolve_fates(
        model(nodes, n1__body=FUNCTION), [layer(0, "n0"), layer(1, "n1.body.n0"), layer(2, "n2")]
    )
    assert kinds(fates)["n1"] == ("fused", ("l1",))
    assert kinds(fates)["n1.body.n1"] == ("fused", ("l1",))
    assert (done[1].sources, done[1].title) == (("n1", "n1.body.n0", "n1.body.n1"), "Conv+Relu")


def test_nodes_of_a_function_that_an_engine_runs_whole_share_the_fate_of_the_call() -> None:
    nodes = [node(0, "Neg", "x", "a"), node(1, "own.block", "a", "y")]
    done, fates = resolve_fates(model(nodes, n1__body=FUNCTION), [layer(0, "n0"), layer(1, "n1")])
    assert {key: found for key, found in kinds(fates).items() if key != "n0"} == {
        "n1": ("alone", ("l1",)), "n1.body.n0": ("fused", ("l1",)), "n1.body.n1": ("fused", ("l1",))
    }  # fmt: skip
    assert done[1].title == "own.block"


def decided() -> tuple[Model, dict[str, str]]:
    """x -> Relu -> If (decided: its else branch is gone, its body is a Conv of the Relu's result) -> MatMul -> y."""
    then = Graph("t", (node(0, "Conv", "a w", "q", "n1.then_branch."),), {"q": Tensor("q")}, (), ("q",))
    other = Graph("e", (node(0, "Abs", "a", "q", "n1.else_branch."),), {"q": Tensor("q")}, (), ("q",))
    nodes = [node(0, "Relu", "x", "a"), node(1, "If", "c", "b"), node(2, "MatMul", "b v", "y")]
    made = model(nodes, constants="w v c", n1__then_branch=then, n1__else_branch=other)
    return made, {"n1": "folded", "n1.else_branch.n0": "removed"}


def test_a_branch_that_was_decided_stands_in_the_graph_around_it() -> None:
    """The layer that names nobody takes the node between its neighbours, which stand outside the branch."""
    made, removed = decided()
    engine = [layer(0, "n0", "x", "a"), layer(1, "", "a", "b", op="Convolution"), layer(2, "n2", "b", "y")]
    done, fates = resolve_fates(made, engine, removed)
    assert done[1].sources == ("n1.then_branch.n0",) and not done[1].sources_exact
    assert kinds(fates) == {
        "n0": ("alone", ("l0",)),
        "n1": ("folded", ()),
        "n1.then_branch.n0": ("alone", ("l1",)),
        "n1.else_branch.n0": ("removed", ()),
        "n2": ("alone", ("l2",)),
    }


def test_an_if_that_was_not_decided_keeps_its_bodies() -> None:
    made, _ = decided()
    graph = with_branches(made.graph, {})
    assert graph == made.graph


def test_names_of_a_taken_branch_are_not_taken_for_those_around_it() -> None:
    """Both branches, and the graph itself, may call a tensor the same."""
    made, removed = decided()
    graph = with_branches(made.graph, removed)
    assert [one.id for one in graph.layers] == ["n0", "n1", "n1.then_branch.n0", "n2"]
    assert graph.layers[1].outputs == ()
    assert graph.layers[2].outputs == ("n1.then_branch:q",) and graph.layers[2].inputs == ("a", "w")
    assert graph.layers[3].inputs == ("n1.then_branch:q", "v") and not graph.subgraphs


def test_a_branch_in_a_taken_branch_is_taken_too() -> None:
    deep = Graph("d", (node(0, "Exp", "p", "r", "n1.then_branch.n1.then_branch."),), {}, (), ("r",))
    gone = Graph("g", (node(0, "Abs", "p", "r", "n1.then_branch.n1.else_branch."),), {}, (), ("r",))
    inner = (node(0, "Conv", "a w", "p", "n1.then_branch."), node(1, "If", "c", "q", "n1.then_branch."))
    bodies = {"n1.then_branch.n1.then_branch": deep, "n1.then_branch.n1.else_branch": gone}
    then = Graph("t", inner, {}, (), ("q",), bodies)
    nodes = [node(0, "Relu", "x", "a"), node(1, "If", "c", "y")]
    made = model(nodes, constants="w c", n1__then_branch=then, n1__else_branch=Graph("e", (), {}, (), ("a",)))
    removed = {"n1": "folded", "n1.then_branch.n1": "folded", "n1.then_branch.n1.else_branch.n0": "removed"}
    graph = with_branches(made.graph, removed)
    assert [one.op for one in graph.layers] == ["Relu", "If", "Conv", "If", "Exp"] and not graph.subgraphs
    assert graph.outputs == graph.layers[-1].outputs
    assert graph.layers[-1].inputs == graph.layers[2].outputs


def test_a_loop_in_a_taken_branch_reads_the_branch() -> None:
    body = Graph("b", (node(0, "Neg", "q", "z", "n1.then_branch.n1.body."),), {}, (), ("z",))
    inner = (node(0, "Conv", "a w", "q", "n1.then_branch."), node(1, "Loop", "m", "s", "n1.then_branch."))
    then = Graph("t", inner, {}, (), ("s",), {"n1.then_branch.n1.body": body})
    other = Graph("e", (node(0, "Abs", "a", "s", "n1.else_branch."),), {}, (), ("s",))
    nodes = [node(0, "Relu", "x", "a"), node(1, "If", "c", "y")]
    made = model(nodes, constants="w c m", n1__then_branch=then, n1__else_branch=other)
    graph = with_branches(made.graph, {"n1": "folded", "n1.else_branch.n0": "removed"})
    (kept,) = graph.subgraphs.values()
    assert kept.layers[0].inputs == ("n1.then_branch:q",) and kept.layers[0].outputs == ("z",)
