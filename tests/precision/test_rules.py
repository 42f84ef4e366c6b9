"""Rules of a plan: all given fields must match, the last matching rule wins, and the plan can say which that was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import blocks_model, write_model
from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision import asked_precisions, explain_plan
from workbench.precision.rules import DEFAULT, Decision

TEXT = """
(float[1,4] x) => (float[1,4] z) {
  [enc_first] a = MatMul (x, w)
  [enc_second] b = Relu (a)
  [dec_first] z = MatMul (b, w)
}
"""
FP16, FP32, INT8, BF16 = Precision.FP16, Precision.FP32, Precision.INT8, Precision.BF16


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_model(tmp_path, TEXT, {"w": np.eye(4, dtype=np.float32)})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), "fp32 fp32 fp32"),
        ((Rule(FP16),), "fp16 fp16 fp16"),
        ((Rule(FP16, off=True),), "fp32 fp32 fp32"),
        ((Rule(FP16, name="enc_*"),), "fp16 fp16 fp32"),
        ((Rule(FP16, name="ENC_*"),), "fp32 fp32 fp32"),
        ((Rule(FP16, name="enc_[f-s]*"),), "fp16 fp16 fp32"),
        ((Rule(FP16, op="MatMul"),), "fp16 fp32 fp16"),
        ((Rule(FP16, name="enc_*", op="MatMul"),), "fp16 fp32 fp32"),
        ((Rule(FP16, nodes=("n1", "n9")),), "fp32 fp16 fp32"),
        ((Rule(FP16, nodes=("enc_second", "n2", "no such name")),), "fp32 fp16 fp16"),
        ((Rule(FP16, op="MatMul"), Rule(INT8, nodes=("n2",))), "fp16 fp32 int8"),
        ((Rule(INT8, nodes=("n2",)), Rule(BF16)), "bf16 bf16 bf16"),
        ((Rule(INT8, nodes=("n2",)), Rule(BF16, off=True)), "fp32 fp32 int8"),
        ((Rule(FP16, first=1),), "fp16 fp32 fp32"),
        ((Rule(FP16, last=1),), "fp32 fp32 fp16"),
        ((Rule(FP16, first=1, last=1),), "fp16 fp32 fp16"),
        ((Rule(FP16, first=99),), "fp16 fp32 fp16"),
        ((Rule(FP16, name="dec_*", first=1),), "fp32 fp32 fp16"),
        ((Rule(FP16, op="Relu", first=1),), "fp32 fp32 fp32"),
    ],
)
def test_the_last_rule_that_matches_wins(model: Model, rules: tuple[Rule, ...], expected: str) -> None:
    asked = asked_precisions(model, PrecisionPlan(rules=rules))
    assert asked == dict(zip(("n0", "n1", "n2"), map(Precision, expected.split()), strict=True))


def test_every_node_knows_what_decided_and_over_which_rules(model: Model) -> None:
    rules = (Rule(FP16, op="MatMul"), Rule(INT8, name="enc_*"), Rule(BF16, nodes=("n0",)), Rule(FP32, name="x"))
    found = explain_plan(model, PrecisionPlan(FP16, rules))
    assert found.why("n0") == Decision(BF16, 2, (0, 1))
    assert found.why("n1") == Decision(INT8, 1, ())
    assert found.why("n2") == Decision(FP16, 0, ())
    assert (found.matched, found.decided) == ((2, 2, 1, 0), (1, 1, 1, 0))
    assert found.decided_by(1) == ("n1",) and found.decided_by(DEFAULT) == ()
    assert found.counts() == {FP16: 1, INT8: 1, BF16: 1}


def test_a_rule_whose_nodes_all_go_to_later_rules_is_shadowed(model: Model) -> None:
    found = explain_plan(model, PrecisionPlan(rules=(Rule(FP16, nodes=("n0",)), Rule(INT8, op="MatMul"))))
    assert found.shadowed == (0,)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(FP16, name="attn/*"), "Rule 1 matches no node of this model: name = attn/*."),
        (Rule(FP16, op="matmul"), "Rule 1 matches no node of this model: op = matmul. Did you mean MatMul?"),
        (Rule(FP16, scope="layers.0"), "Rule 1 matches no node of this model: group = layers.0."),
        (Rule(FP16, nodes=("n0", "n7", "b")), "Rule 1 names 2 nodes that this model does not have: n7, b."),
        (Rule(FP16, op="Relu", first=2), "Rule 1 matches no node of this model: op = Relu and first 2 layers."),
    ],
)
def test_what_fits_no_node_is_said(model: Model, rule: Rule, said: str) -> None:
    assert explain_plan(model, PrecisionPlan(rules=(rule,))).problems == (said,)
    assert explain_plan(model, PrecisionPlan(rules=(Rule(FP16, op="nothing", off=True),))).problems == ()


def test_weights_behind_a_cast_or_a_transpose_make_a_layer_and_two_activations_do_not(tmp_path: Path) -> None:
    text = """
    (float[4,4] x) => (float[4,4] z) {
      t = Transpose (w)
      a = MatMul (x, t)
      b = MatMul (a, x)
      z = MatMul (b, w)
    }
    """
    model = write_model(tmp_path, text, {"w": np.eye(4, dtype=np.float32)})
    asked = asked_precisions(model, PrecisionPlan(rules=(Rule(FP16, first=1), Rule(INT8, last=1))))
    assert [asked[f"n{index}"] for index in range(4)] == [FP32, FP16, FP32, INT8]


def test_a_group_is_meant_at_any_depth_by_the_glob_over_its_id(tmp_path: Path) -> None:
    model = blocks_model(tmp_path)

    def selected(scope: str) -> list[str]:
        asked = asked_precisions(model, PrecisionPlan(rules=(Rule(FP16, scope=scope),)))
        return [node for node, precision in asked.items() if precision is FP16]

    assert selected("layers/0/attn") == ["n0", "n1"]
    assert selected("layers/*/attn") == ["n0", "n1", "n3", "n4"]
    assert selected("layers/1") == ["n3", "n4", "n5"]
    assert len(selected("layers/*")) == 6 and selected("attn") == []


def test_nodes_in_bodies_are_asked_too(tmp_path: Path) -> None:
    text = """
    (bool c, float[4] x) => (float[4] y) {
      y = If (c) <
        then_branch = t () => (float[4] a) { a = Relu (x) },
        else_branch = e () => (float[4] b) { b = Neg (x) }
      >
    }
    """
    model = write_model(tmp_path, text)
    asked = asked_precisions(model, PrecisionPlan(rules=(Rule(FP16, op="Neg"),)))
    assert asked["n0.else_branch.n0"] is FP16
    assert asked["n0.then_branch.n0"] is Precision.FP32


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(FP16), "every node"),
        (Rule(FP16, name="*/attn/*", op="Conv"), "name = */attn/* and op = Conv"),
        (Rule(FP16, scope="layers.0"), "group = layers.0"),
        (Rule(FP16, nodes=("a",)), "a"),
        (Rule(FP16, nodes=("a", "b")), "2 chosen nodes"),
        (Rule(FP16, first=1), "first layer"),
        (Rule(FP16, op="Conv", first=2, last=1), "op = Conv and first 2 and last layers"),
    ],
)
def test_a_rule_says_in_words_what_it_selects(rule: Rule, words: str) -> None:
    assert rule.words == words
