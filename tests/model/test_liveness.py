from __future__ import annotations

from tests.pipeline.fusing import BYTES, fp32, source
from workbench.core.graph import Graph
from workbench.model.liveness import memory_plan


def test_a_tensor_is_held_until_its_last_reader() -> None:
    """`c` is read by a Conv and, three nodes later, by the Add of the shortcut."""
    plan = memory_plan(source(), dict.fromkeys("abcdefg", BYTES))
    lives = {life.tensor: (life.first, life.last) for life in plan.lives}
    assert lives["a"] == (0, 1) and lives["c"] == (2, 5)
    assert plan.alive_bytes == (BYTES, 2 * BYTES, 2 * BYTES, 2 * BYTES, 3 * BYTES, 3 * BYTES, 2 * BYTES, BYTES)


def test_the_peak_says_who_holds_it() -> None:
    plan = memory_plan(source(), dict.fromkeys("abcdefg", BYTES) | {"e": 5 * BYTES})
    assert plan.peak_bytes == 7 * BYTES and plan.steps[plan.peak_step] == "n4"
    assert next(iter(plan.held_at(plan.peak_step))).tensor == "e"


def test_tensors_without_a_size_are_counted_not_guessed() -> None:
    assert memory_plan(source()).unknown == 7 and memory_plan(source()).peak_bytes == 0


def test_an_engine_holds_less_than_its_source_where_nodes_are_fused() -> None:
    names = dict.fromkeys(fp32().graph.tensors, BYTES)
    assert memory_plan(fp32().graph, names).peak_bytes <= 3 * BYTES


def test_an_empty_graph_holds_nothing() -> None:
    assert memory_plan(Graph("empty")).peak_bytes == 0 and memory_plan(Graph("empty")).peak_step == 0
