"""Scopes as data: a model, and the groups that must be found in it."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
import onnx
import pytest

from benchmarks.graphs import transformer
from tests.model.making import model, save, value
from workbench.core.graph import Graph, Layer, Tensor
from workbench.core.scopes import Scope, ScopeOrigin
from workbench.model import engine_scopes, find_all_scopes, find_scopes, open_model
from workbench.model.scopes.dividing import LARGE

DATA = Path(__file__).parent / "data"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
REAL = os.environ.get("WORKBENCH_REAL_MODELS", "")


def graph_of(*nodes: tuple[str, str, str], inputs: tuple[str, ...] = ("x",), outputs: tuple[str, ...] = ()) -> Graph:
    """Nodes as (name, op and inputs, output): `("/a/Add", "Add x y", "z")`."""
    layers = []
    for number, (name, call, output) in enumerate(nodes):
        op, *reads = call.split()
        layers.append(Layer(f"n{number}", name, op, tuple(reads), (output,), sources=(f"n{number}",)))
    return Graph("g", tuple(layers), {}, inputs, outputs or (nodes[-1][2],))


def without_names(graph: Graph) -> Graph:
    layers = tuple(msgspec.structs.replace(layer, name="", scope=()) for layer in graph.layers)
    return msgspec.structs.replace(graph, layers=layers)


def named(scope: Scope) -> dict[str, Scope]:
    return {each.id: each for each in scope.walk()}


def times(scope: Scope) -> list[int]:
    """How often the repeated structures of a tree occur."""
    return sorted(Counter(each.alike for each in scope.walk() if each.alike).values(), reverse=True)


def assert_sound(scope: Scope, graph: Graph) -> None:
    """Every layer in exactly one group, ids unique, no group of one, and alike groups of one form."""
    assert sorted(scope.all_layers()) == sorted(layer.id for layer in graph.layers)
    groups = list(scope.walk())[1:]
    assert len({group.id for group in groups} | {""}) == len(groups) + 1
    assert all(group.name and group.id for group in groups)
    assert all(len(group.layers) + len(group.children) > 1 for group in groups)
    ops = {layer.id: layer.op for layer in graph.layers}
    forms: dict[str, tuple[object, ...]] = {}
    for group in groups:
        form = ([ops[layer] for layer in group.layers], [child.alike for child in group.children])
        assert not group.alike or forms.setdefault(group.alike, form) == form


# what exporters write


def test_modules_come_from_the_metadata_of_torchs_exporter() -> None:
    graph = open_model(DATA / "encoder_dynamo.onnx").graph
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    groups = named(scope)
    assert [child.name for child in scope.children] == ["layers.0", "layers.1", "layers.2", "head"]
    assert {"layers.1/attn", "layers.1/attn/qkv", "layers.1/mlp"} <= groups.keys()
    assert groups["layers.1/attn/qkv"].name == "qkv"
    assert all(group.origin is ScopeOrigin.METADATA for group in scope.children)
    assert len({group.alike for group in scope.children[:3]}) == 1
    assert groups["layers.0"].alike and groups["layers.0"].alike != groups["layers.0/attn"].alike
    split = next(layer.id for layer in graph.layers if layer.op == "Split")
    assert split in groups["layers.0/attn"].layers, "a node without metadata stands between its neighbours"


def test_modules_come_from_names_that_are_paths() -> None:
    graph = open_model(DATA / "encoder_legacy.onnx").graph
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    assert [child.name for child in scope.children] == ["layers.0", "layers.1", "layers.2", "head"]
    assert {group.origin for group in scope.children} == {ScopeOrigin.NAMES}
    assert {len(list(group.all_layers())) for group in scope.children[:3]} == {54}
    assert len({group.alike for group in scope.children[:3]}) == 1


NAMESPACE = ": m.Net/layers.0: m.Block/layers.0.attn: m.Attention/matmul: aten.matmul.default"
METADATA: list[tuple[str, str, tuple[str, ...]]] = [
    ("pkg.torch.onnx.name_scopes", "['', 'layers.0', 'layers.0.attn', 'matmul']", ("layers.0", "attn")),
    ("pkg.torch.onnx.name_scopes", "['', \"it's\", 'relu']", ("it's",)),
    ("pkg.torch.onnx.name_scopes", "['', 'relu']", ()),
    ("pkg.torch.onnx.name_scopes", "__import__('os').system('false')", ()),
    ("pkg.torch.onnx.name_scopes", "[" * 30_000, ()),
    ("namespace", NAMESPACE, ("layers.0", "attn")),
    ("namespace", "com.microsoft", ()),
    ("namespace", "", ()),
    ("author", "['', 'a', 'b']", ()),
]


@pytest.mark.parametrize(("key", "text", "expected"), METADATA, ids=range(len(METADATA)))
def test_metadata_gives_the_path_of_a_layer(key: str, text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    node.metadata_props.add(key=key, value=text)
    opened = open_model(save(model([node], [value("x")], [value("y")]), tmp_path))
    assert opened.graph.layers[0].scope == expected


# names


def test_names_of_tensors_make_no_group() -> None:
    graph = graph_of(("a", "Relu /in/x", "/blocks.0/y"), ("b", "Relu /blocks.0/y", "/blocks.0/z"), inputs=("/in/x",))
    assert find_scopes(graph) == Scope("", "", layers=("n0", "n1"))


def test_groups_of_one_and_groups_of_groups_are_merged() -> None:
    graph = graph_of(
        ("/model/net/stem/conv/Conv", "Conv x", "a"),
        ("/model/net/body/inner/Relu", "Relu a", "b"),
        ("/model/net/body/inner/Neg", "Neg b", "c"),
        ("/model/net/act/Relu", "Relu c", "d"),
        ("/model/net/act/Relu_1", "Relu a", "e"),
    )
    scope = find_scopes(graph)
    assert scope.layers == ("n0", "n3", "n4"), "an activation that two places share is no group"
    assert [(child.id, child.name) for child in scope.children] == [("model/net/body/inner", "body/inner")]


def test_half_the_names_are_enough() -> None:
    whole = transformer(300)
    drawn = random.Random(0)
    half = [msgspec.structs.replace(x, name=x.name if drawn.random() < 0.5 else "") for x in whole.layers]
    graph = msgspec.structs.replace(whole, layers=tuple(half))
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    right = {layer: group.id for group in find_scopes(whole).walk() for layer in group.layers}
    found = {layer: group.id for group in scope.walk() for layer in group.layers}
    blocks = sum(right[layer].split("/")[:2] == found[layer].split("/")[:2] for layer in right)
    assert blocks > 0.9 * len(right), "nearly every node stands in its block"


def test_a_few_names_say_nothing_of_the_whole() -> None:
    bare = without_names(transformer(300))
    layers = list(bare.layers)
    for place in (100, 140):
        layers[place] = msgspec.structs.replace(layers[place], name="/odd/one/Mul")
    scope = find_scopes(msgspec.structs.replace(bare, layers=tuple(layers)))
    assert all(group.origin is not ScopeOrigin.NAMES for group in scope.walk())


HOSTILE = (
    "/" * 10_000,
    "/".join(f"p{i}" for i in range(3_000)),
    "/" + "a" * 9_000 + "/b",
    "//\0//ü/\ud800/x",
    "/~1/x",
    "~1/~1/x",
)


def test_names_made_to_harm_stay_small() -> None:
    nodes = [(name, f"Relu t{i}", f"t{i + 1}") for i, name in enumerate(name for name in HOSTILE for _ in range(200))]
    graph = graph_of(*nodes, inputs=("t0",))
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    assert max(len(group.id) for group in scope.walk()) < 300
    assert depth(scope) < 40


def depth(scope: Scope) -> int:
    return 1 + max(map(depth, scope.children), default=0)


# structure


class Found(NamedTuple):
    items: int  # members of the whole graph
    repeats: list[int]  # how often each repeated group occurs


LIGHT_MODELS = {
    "light_resnet50": Found(27, [10, 3, 2]),
    "light_densenet121": Found(63, [57, 3]),
    "light_inception_v1": Found(20, [4, 3]),
    "light_inception_v2": Found(48, [4]),
    "light_shufflenet": Found(27, [13, 3]),
    "light_squeezenet": Found(30, [4]),
}
REAL_MODELS = {
    "minilm_l6_int8": Found(29, [5, 5]),
    "ppocr_cls_v2": Found(44, [6, 3, 3, 2, 2]),
    "swift_f0": Found(38, [2]),
}


@pytest.mark.parametrize("name", LIGHT_MODELS)
def test_blocks_of_nets_without_names_are_found(name: str) -> None:
    check(LIGHT / f"{name}.onnx", LIGHT_MODELS[name])


@pytest.mark.skipif(not REAL, reason="WORKBENCH_REAL_MODELS names no folder")
@pytest.mark.parametrize("name", REAL_MODELS)
def test_blocks_of_real_models_are_found(name: str) -> None:
    check(Path(REAL) / f"{name}.onnx", REAL_MODELS[name])


def check(path: Path, expected: Found) -> None:
    graph = open_model(path).graph
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    assert (len(scope.layers) + len(scope.children), times(scope)) == expected
    assert find_scopes(graph) == scope


def test_a_transformer_without_names_falls_into_its_layers() -> None:
    graph = without_names(transformer(1000))
    scope = find_scopes(graph)
    assert_sound(scope, graph)
    assert max(times(scope)) > 15
    assert len(scope.layers) + len(scope.children) < 30


def test_small_graphs_stay_flat() -> None:
    chain = [("", f"Relu t{i}", f"t{i + 1}") for i in range(LARGE)]
    assert find_scopes(graph_of(*chain, inputs=("t0",))).children == ()


def test_the_place_of_constants_in_the_file_does_not_matter() -> None:
    def block(number: int, source: str, target: str) -> list[tuple[str, str, str]]:
        inner = f"s{number}"
        return [
            (f"/b{number}/Mul", f"Mul {source} c{number}", inner),
            (f"/b{number}/Add", f"Add {inner} {source}", target),
        ]

    constants = [(f"/b{number}/Constant", "Constant", f"c{number}") for number in (1, 0)]
    scope = find_scopes(graph_of(*constants, *block(0, "x", "y"), *block(1, "y", "z")))
    first, second = scope.children
    assert first.alike == second.alike != ""
    assert (first.layers, second.layers) == (("n1", "n2", "n3"), ("n0", "n4", "n5"))


@pytest.mark.parametrize(
    ("call", "is_alike"),
    [("Add s1 y", True), ("Add y s1", False), ("Add s1 s1", False), ("Sub s1 y", False), ("Add s1 y y", False)],
)
def test_alike_means_the_same_ops_joined_in_the_same_way(call: str, is_alike: bool) -> None:
    graph = graph_of(
        ("/a/Neg", "Neg x", "s0"), ("/a/Add", "Add s0 x", "y"), ("/b/Neg", "Neg y", "s1"), ("/b/Add", call, "z")
    )
    first, second = find_scopes(graph).children
    assert (first.alike == second.alike != "") is is_alike
    assert is_alike or not first.alike


def test_a_cycle_between_groups_does_no_harm() -> None:
    nodes = [(f"/{'ab'[i % 2]}/Relu", f"Relu t{i}", f"t{i + 1}") for i in range(200)]
    nodes += [("/a/Add", "Add t3 t5", "u"), ("/b/Add", "Add u t6", "v")]
    graph = graph_of(*nodes, inputs=("t0",))
    assert_sound(find_scopes(graph), graph)


@pytest.mark.parametrize("seed", range(6))
def test_any_graph_has_sound_scopes(seed: int) -> None:
    drawn = random.Random(seed)
    nodes = []
    for i in range(400):
        reads = " ".join(f"t{max(0, i - drawn.randrange(1, 2 + seed * 10))}" for _ in range(drawn.randrange(4)))
        name = drawn.choice(["", "", f"/m/b{i // 20}/op", f"/m/b{i // 20}/s{drawn.randrange(3)}/op"])
        nodes.append((name, f"{drawn.choice(['Add', 'Relu', 'Conv'])} {reads}", f"t{i + 1}"))
    graph = graph_of(*nodes, inputs=("t0",))
    assert_sound(find_scopes(graph), graph)


# bodies and engines


def test_bodies_have_trees_of_their_own() -> None:
    graph = open_model(Path(__file__).parents[2] / "sample_models" / "silero_vad" / "silero_vad.onnx").graph
    found = find_all_scopes(graph)
    assert {"", "n2.then_branch", "n2.else_branch"} <= found.keys()
    assert sum(len(list(scope.all_layers())) for scope in found.values()) == sum(1 for _ in graph.walk())
    assert found["n2.then_branch"].children


def test_engine_layers_stand_where_their_nodes_stood() -> None:
    source = find_scopes(
        graph_of(
            ("/a/Conv", "Conv x", "p"),
            ("/a/Relu", "Relu p", "q"),
            ("/b/If", "If q", "r"),
            ("/b/Neg", "Neg r", "s"),
            ("/Add", "Add q s", "t"),
        )
    )
    layers = (
        Layer("l0", "fused", "Conv", ("x",), ("q",), sources=("n0", "n1")),
        Layer("l1", "reorder", "Reorder", ("q",), ("q2",)),
        Layer("l2", "then", "Relu", ("q2",), ("r",), sources=("n2.then_branch.n0",)),
        Layer("l3", "copy", "Copy", ("r",), ("r2",)),
        Layer("l4", "neg", "Neg", ("r2",), ("s",), sources=("n3",)),
        Layer("l5", "both", "Add", ("q", "s"), ("t",), sources=("n1", "n4")),
    )
    engine = Graph("e", layers, {"x": Tensor("x")}, ("x",), ("t",))
    scope = engine_scopes(engine, source)
    assert_sound(scope, engine)
    assert scope.layers == ("l0", "l1", "l5"), "alone in its group, l0 stands beside it"
    assert [(child.id, child.layers, child.origin) for child in scope.children] == [
        ("b", ("l2", "l3", "l4"), ScopeOrigin.SOURCES)
    ]


def test_an_engine_that_names_nothing_is_flat() -> None:
    graph = transformer(200)
    bare = tuple(msgspec.structs.replace(layer, sources=()) for layer in graph.layers)
    scope = engine_scopes(msgspec.structs.replace(graph, layers=bare), find_scopes(graph))
    assert len(scope.layers) == len(graph.layers) and not scope.children
