from __future__ import annotations

import itertools

import msgspec

from tests.pipeline.fusing import BYTES, fp32, node, source
from workbench.core.graph import Graph, LayerKind, Tensor
from workbench.model.liveness import memory_plan

SIZES = dict.fromkeys("abcdefg", BYTES)


def test_a_tensor_is_held_until_its_last_reader() -> None:
    """`c` is read by a Conv and, three nodes later, by the Add of the shortcut."""
    plan = memory_plan(source(), SIZES)
    lives = {life.tensor: (life.first, life.last) for life in plan.lives}
    assert lives["a"] == (0, 1) and lives["c"] == (2, 5)
    assert plan.alive_bytes == (BYTES, 2 * BYTES, 2 * BYTES, 2 * BYTES, 3 * BYTES, 3 * BYTES, BYTES, BYTES)


def test_a_flattened_tensor_has_the_buffer_of_the_one_it_was() -> None:
    plan = memory_plan(source(), SIZES)
    (flattened,) = [life for life in plan.lives if life.views]
    assert (flattened.tensor, flattened.views) == ("f", ("g",)) and flattened.last == 7


def test_the_peak_says_who_holds_it() -> None:
    plan = memory_plan(source(), SIZES | {"e": 5 * BYTES})
    assert plan.peak_bytes == 7 * BYTES and plan.steps[plan.peak_step] == "n4"
    assert next(iter(plan.held_at(plan.peak_step))).tensor == "e"


def test_buffers_that_meet_never_share_a_byte_and_others_do() -> None:
    plan = memory_plan(source(), {name: size * BYTES for size, name in enumerate("abcdefg", 1)})
    for one, other in itertools.combinations(plan.lives, 2):
        meets = one.first <= other.last and other.first <= one.last
        shares = one.offset < other.offset + other.size_bytes and other.offset < one.offset + one.size_bytes
        assert not (meets and shares), (one, other)
    assert plan.inner_peak_bytes <= plan.pool_bytes < sum(life.size_bytes for life in plan.lives)
    assert plan.reuse > 1


def test_inputs_and_outputs_lie_outside_the_pool() -> None:
    tensors = {name: Tensor(name, (250,), "float32", BYTES) for name in "xay"}
    graph = Graph("ends", (node(0, "Relu", "x", "a"), node(1, "Relu", "a", "y")), tensors, ("x",), ("y",))
    plan = memory_plan(graph)
    assert (plan.pool_bytes, plan.ends_bytes, plan.peak_bytes) == (BYTES, 2 * BYTES, 2 * BYTES)


def test_a_view_of_an_input_that_is_an_output_is_a_copy() -> None:
    tensors = {name: Tensor(name, (250,), "float32", BYTES) for name in "xy"}
    plan = memory_plan(Graph("copied", (node(0, "Reshape", "x", "y"),), tensors, ("x",), ("y",)))
    assert plan.ends_bytes == 2 * BYTES and plan.pool_bytes == 0


def test_two_outputs_with_the_same_values_have_memory_of_their_own() -> None:
    tensors = {name: Tensor(name, (250,), "float32", BYTES) for name in "xayz"}
    layers = (node(0, "Relu", "x", "a"), node(1, "Reshape", "a", "y"), node(2, "Flatten", "a", "z"))
    assert memory_plan(Graph("twice", layers, tensors, ("x",), ("y", "z"))).ends_bytes == 3 * BYTES
    assert memory_plan(Graph("again", layers, tensors, ("x",), ("a", "y"))).ends_bytes == 3 * BYTES


def test_what_only_a_body_reads_is_held_until_the_layer_that_has_the_body() -> None:
    """`a` is read two nodes later, inside a branch of a branch of the If; its inputs name the condition only."""
    tensors = {name: Tensor(name, (250,), "float32", BYTES) for name in "xabcy"}
    inner = Graph("inner", (node(0, "Relu", "a", "u"),), {"u": Tensor("u")}, (), ("u",))
    branch = Graph("branch", (node(0, "Relu", "x", "v"),), {"v": Tensor("v")}, (), ("v",), {"n0.then_branch": inner})
    layers = (node(0, "Relu", "x", "a"), node(1, "Relu", "x", "b"), node(2, "Relu", "b", "c"), node(3, "If", "c", "y"))
    plan = memory_plan(Graph("branches", layers, tensors, ("x",), ("y",), {"n3.then_branch": branch}))
    lives = {life.tensor: (life.first, life.last) for life in plan.lives}
    assert lives["a"] == (0, 3) and lives["x"] == (0, 3) and "u" not in lives


def test_tensors_without_a_size_are_counted_not_guessed() -> None:
    assert memory_plan(source()).unknown == 6 and memory_plan(source()).peak_bytes == 0


def test_an_engine_holds_less_than_its_source_where_nodes_are_fused() -> None:
    names = dict.fromkeys(fp32().graph.tensors, BYTES)
    assert memory_plan(fp32().graph, names).peak_bytes <= 3 * BYTES


def test_an_empty_graph_holds_nothing() -> None:
    plan = memory_plan(Graph("empty"))
    assert (plan.peak_bytes, plan.peak_step, plan.pool_bytes, plan.reuse) == (0, 0, 0, 1.0)


def test_what_is_made_of_constants_alone_is_a_weight() -> None:
    """TensorRT transposes weights in a kernel of its own, and keeps no activation memory for that."""
    tensors = {name: Tensor(name, (250,), "float32", BYTES) for name in "xwy"}
    made = msgspec.structs.replace(node(0, "Transpose", "", "w"), kind=LayerKind.CONSTANT)
    plan = memory_plan(Graph("folded", (made, node(1, "Gemm", "x w", "y")), tensors, ("x",), ("y",)))
    assert plan.pool_bytes == 0 and [life.tensor for life in plan.lives] == ["x", "y"]
