"""Rules of a plan: all given fields must match, the last matching rule wins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import write_model
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision import asked_precisions

TEXT = """
(float[1,4] x) => (float[1,4] z) {
  [enc_first] a = MatMul (x, w)
  [enc_second] b = Relu (a)
  [dec_first] z = MatMul (b, w)
}
"""
FP16, INT8, BF16 = Precision.FP16, Precision.INT8, Precision.BF16


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), "fp32 fp32 fp32"),
        ((Rule(FP16),), "fp16 fp16 fp16"),
        ((Rule(FP16, name="enc_*"),), "fp16 fp16 fp32"),
        ((Rule(FP16, name="ENC_*"),), "fp32 fp32 fp32"),
        ((Rule(FP16, op="MatMul"),), "fp16 fp32 fp16"),
        ((Rule(FP16, name="enc_*", op="MatMul"),), "fp16 fp32 fp32"),
        ((Rule(FP16, nodes=("n1", "n9")),), "fp32 fp16 fp32"),
        ((Rule(FP16, op="MatMul"), Rule(INT8, nodes=("n2",))), "fp16 fp32 int8"),
        ((Rule(INT8, nodes=("n2",)), Rule(BF16)), "bf16 bf16 bf16"),
    ],
)
def test_the_last_rule_that_matches_wins(tmp_path: Path, rules: tuple[Rule, ...], expected: str) -> None:
    model = write_model(tmp_path, TEXT, {"w": np.eye(4, dtype=np.float32)})
    asked = asked_precisions(model, PrecisionPlan(rules=rules))
    assert asked == dict(zip(("n0", "n1", "n2"), map(Precision, expected.split()), strict=True))


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
