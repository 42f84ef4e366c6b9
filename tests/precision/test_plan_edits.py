"""Edits of a plan: strokes merge, the later one wins, nothing grows with their number, and nothing said is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.precision.models import blocks_model, constants_model, write_model
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision.matching import Matcher
from workbench.precision.plan_diff import diff_plans
from workbench.precision.plan_edits import (
    GROUPS_MOST,
    drop_shadowed,
    erase,
    move_rule,
    paint,
    put_rule,
    set_scope,
    stroke,
)
from workbench.precision.rules import Explanation

FP32, FP16, INT8, BF16 = Precision.FP32, Precision.FP16, Precision.INT8, Precision.BF16
FIRST = "/layers/0/attn/MatMul"


@pytest.fixture
def matcher(tmp_path: Path) -> Matcher:
    return Matcher(blocks_model(tmp_path))


def asked(matcher: Matcher, plan: PrecisionPlan) -> str:
    return " ".join(Explanation(matcher, plan).asked.values())


def test_strokes_of_one_precision_make_one_rule_that_names_nodes(matcher: Matcher) -> None:
    plan = paint(matcher, PrecisionPlan(INT8), ["n1"], FP16)
    plan = paint(matcher, plan, ["n0"], FP16)
    assert plan.rules == (Rule(FP16, nodes=(FIRST, "/layers/0/attn/Relu")),)
    assert asked(matcher, plan) == "fp16 fp16 int8 int8 int8 int8"


def test_a_later_stroke_over_the_same_node_wins_and_a_rule_without_nodes_goes(matcher: Matcher) -> None:
    plan = paint(matcher, PrecisionPlan(INT8), ["n0", "n1"], FP16)
    plan = paint(matcher, plan, ["n1"], FP32)
    assert [rule.nodes for rule in plan.rules] == [(FIRST,), ("/layers/0/attn/Relu",)]
    plan = paint(matcher, plan, ["n0"], FP32)
    assert [(rule.precision, len(rule.nodes)) for rule in plan.rules] == [(FP32, 2)]


def test_a_stroke_wins_over_every_rule_before_it(matcher: Matcher) -> None:
    plan = paint(matcher, PrecisionPlan(INT8), ["n0"], FP16)
    plan = put_rule(plan, Rule(BF16, op="MatMul"))
    plan = paint(matcher, plan, ["n0", "n2"], FP16)
    assert asked(matcher, plan) == "fp16 int8 fp16 bf16 int8 bf16"
    assert [rule.is_painted for rule in plan.rules] == [False, True]


def test_paint_in_the_default_is_an_eraser_unless_a_rule_speaks_against_it(matcher: Matcher) -> None:
    plan = paint(matcher, PrecisionPlan(INT8), ["n0", "n1"], FP16)
    assert paint(matcher, plan, ["n0", "n1"], INT8) == PrecisionPlan(INT8)
    ruled = put_rule(PrecisionPlan(INT8), Rule(FP32, op="MatMul"))
    plan = paint(matcher, ruled, ["n0", "n1"], INT8)
    assert plan.rules == (*ruled.rules, Rule(INT8, nodes=(FIRST,)))
    assert erase(matcher, plan, ["n0", "n1"]) == ruled


def test_entries_that_this_model_does_not_have_stay(matcher: Matcher) -> None:
    plan = PrecisionPlan(INT8, (Rule(FP16, nodes=("elsewhere", "n1")),))
    plan = paint(matcher, plan, ["n0"], FP16)
    assert plan.rules[0].nodes == (FIRST, "/layers/0/attn/Relu", "elsewhere")
    assert erase(matcher, plan, ["n0", "n1"]).rules[0].nodes == ("elsewhere",)


def test_nodes_without_a_name_of_their_own_are_kept_by_id(tmp_path: Path) -> None:
    text = "(float[4] x) => (float[4] y) { [twice] a = Relu (x) [twice] b = Neg (a) [n0] c = Abs (b) y = Exp (c) }"
    matcher = Matcher(write_model(tmp_path, text))
    plan = paint(matcher, PrecisionPlan(), ["n0", "n1", "n2", "n3"], FP16)
    assert plan.rules[0].nodes == ("n0", "n1", "n2", "n3")
    doubled = PrecisionPlan(rules=(Rule(FP16, nodes=("twice",)),))
    assert asked(matcher, doubled) == "fp16 fp16 fp32 fp32"
    assert erase(matcher, doubled, ["n1"]).rules[0].nodes == ("n0",)


def test_a_group_is_asked_by_its_name_and_takes_what_was_said_inside_it(matcher: Matcher) -> None:
    plan = paint(matcher, PrecisionPlan(INT8), ["n0", "n3"], FP32)
    plan = set_scope(matcher, plan, "layers/0/attn", BF16)
    plan = set_scope(matcher, plan, "layers/0", FP16)
    assert plan.rules == (Rule(FP32, nodes=("/layers/1/attn/MatMul",)), Rule(FP16, scope="layers/0"))
    assert asked(matcher, plan) == "fp16 fp16 fp16 fp32 int8 int8"
    assert set_scope(matcher, plan, "layers/0", None).rules == plan.rules[:1]
    assert set_scope(matcher, plan, "layers/0", INT8).rules == plan.rules[:1]


def test_a_brush_over_a_group_means_its_constants_too(tmp_path: Path) -> None:
    """They are not on the graph, so that no brush can go over them."""
    matcher = Matcher(constants_model(tmp_path))
    first, second = ["n1", "n2", "n3", "n4"], ["n6", "n7", "n8", "n9"]
    assert [matcher.group_of(nodes) for nodes in (first, first[1:], [*first, "n6"])] == ["block/a", "", ""]
    plan = stroke(matcher, PrecisionPlan(), first, FP16)
    assert plan.rules == (Rule(FP16, scope="block/a"),)
    assert stroke(matcher, plan, first, None).rules == ()
    assert stroke(matcher, plan, [*first, *second], INT8).rules == (
        Rule(INT8, scope="block/a"),
        Rule(INT8, scope="block/b"),
    )


def test_a_stroke_leaves_rules_for_groups_of_another_model(matcher: Matcher) -> None:
    plan = PrecisionPlan(INT8, (Rule(FP16, scope="decoder/*"),))
    assert stroke(matcher, plan, ["n1"], BF16).rules[0] == plan.rules[0]


def test_a_group_with_marks_of_globs_in_its_name_is_meant_word_for_word(tmp_path: Path) -> None:
    import onnx

    from workbench.model import open_model

    path = blocks_model(tmp_path).path
    proto = onnx.load(path)
    for node in proto.graph.node:
        node.name = node.name.replace("layers/0", "layers[0]/x").replace("layers/1", "layers0/x")
    onnx.save(proto, path)
    matcher = Matcher(open_model(Path(path)))
    (scope,) = [each.id for each in matcher.scopes.walk() if each.id.startswith("layers[0]") and each.children]
    assert asked(matcher, set_scope(matcher, PrecisionPlan(), scope, FP16)) == "fp16 fp16 fp16 fp32 fp32 fp32"


def test_rules_move_are_replaced_and_shadowed_ones_dropped(matcher: Matcher) -> None:
    plan = PrecisionPlan(rules=(Rule(FP16, op="Relu"), Rule(INT8, op="MatMul"), Rule(BF16, name="*")))
    assert [rule.precision for rule in move_rule(plan, 0, 2).rules] == [INT8, BF16, FP16]
    assert drop_shadowed(matcher, plan).rules == plan.rules[2:]
    assert put_rule(plan, Rule(FP32, op="Relu")).rules == (*plan.rules[1:], Rule(FP32, op="Relu"))


def test_random_strokes_come_to_the_last_stroke_over_each_node(matcher: Matcher) -> None:
    dice = random.Random(7)
    for _ in range(60):
        rules = (Rule(BF16, op="Relu"),) if dice.random() < 0.5 else ()
        plan = PrecisionPlan(dice.choice((FP32, INT8)), rules)
        expected = dict(Explanation(matcher, plan).asked)
        for _ in range(12):
            nodes, precision = dice.sample(matcher.ids, dice.randrange(1, 5)), dice.choice((FP32, FP16, INT8))
            plan = paint(matcher, plan, nodes, precision)
            expected |= dict.fromkeys(nodes, precision)
            assert Explanation(matcher, plan).asked == expected
            assert len(plan.rules) <= len(rules) + 3


def test_a_difference_names_fields_rules_and_nodes(matcher: Matcher) -> None:
    before = PrecisionPlan(INT8, (Rule(FP32, op="Relu"), Rule(FP16, nodes=("n0",))))
    after = PrecisionPlan(INT8, (Rule(BF16, op="Relu"), Rule(FP16, nodes=("n0",)), Rule(FP32, last=1)), keep_io=False)
    found = diff_plans(matcher, before, after)
    assert found.fields == (("keep_io", "yes", "no"),)
    assert [(change.index_before, change.index_after) for change in found.rules] == [(0, 0), (None, 2)]
    nodes = [(node.node, node.before, node.after, node.why_before, node.why_after) for node in found.nodes]
    assert nodes == [
        ("n1", FP32, BF16, "rule 1: op = Relu", "rule 1: op = Relu"),
        ("n4", FP32, BF16, "rule 1: op = Relu", "rule 1: op = Relu"),
        ("n5", INT8, FP32, "default", "rule 3: last layer"),
    ]
    assert not diff_plans(matcher, before, before) and found


def test_a_stroke_over_a_whole_named_group_is_a_rule_for_the_group_and_the_eraser_takes_it_back(tmp_path: Path) -> None:
    matcher = Matcher(blocks_model(tmp_path, blocks=3, mlps=2))
    plan = stroke(matcher, PrecisionPlan(INT8), ["n0", "n1", "n2", "n3", "n4"], FP16)
    assert plan.rules == (Rule(FP16, scope="layers/0"), Rule(FP16, nodes=("/layers/1/attn/MatMul",)))
    assert stroke(matcher, plan, list(matcher.ids), FP16).rules == tuple(
        Rule(FP16, scope=f"layers/{block}") for block in range(3)
    )
    assert stroke(matcher, plan, ["n0", "n1", "n2", "n3", "n4"], None).rules == ()


def test_a_stroke_over_many_groups_names_nodes_and_stays_one_rule(tmp_path: Path) -> None:
    matcher = Matcher(blocks_model(tmp_path, blocks=GROUPS_MOST + 1, mlps=2))
    plan = set_scope(matcher, PrecisionPlan(INT8), "layers/3", BF16)
    painted = stroke(matcher, plan, list(matcher.ids), FP16)
    assert [(rule.precision, len(rule.nodes)) for rule in painted.rules] == [(FP16, len(matcher.ids))]
    assert stroke(matcher, painted, list(matcher.ids), None).rules == ()
