"""The skip branch of a residual sum: which side it is, and that it shares the pair of whoever reads it already."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.precision.models import SIGNED, compiled, infer, nodes_of, seen, sqnr_db, write_model
from workbench.core.precision import Precision, Rule

INT8, FP32 = Precision.INT8, Precision.FP32
IDENTITY = """
(float[1,4,8,8] x) => (float[1,4,8,8] y) {
  a = Conv <pads = [1,1,1,1]> (x, w)
  r = Relu (a)
  c = Conv <pads = [1,1,1,1]> (r, w)
  s = Add (x, c)
  y = Relu (s)
}
"""
SHORTCUT = IDENTITY.replace("s = Add (x, c)", "d = Conv <pads = [1,1,1,1]> (x, w) s = Add (d, c)")
RNG = np.random.default_rng(0)
WEIGHTS = {"w": RNG.standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.2}
FEED = {"x": RNG.standard_normal((1, 4, 8, 8)).astype(np.float32)}


def test_an_identity_skip_shares_the_pair_of_the_conv_that_reads_it(tmp_path: Path) -> None:
    model = write_model(tmp_path, IDENTITY, WEIGHTS)
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, FEED))
    nodes = nodes_of(typed)
    assert list(nodes["n3"].input) == ["x:dequantized", "c"]
    assert not any(":quantize_skip" in name for name in nodes)
    assert sqnr_db(infer(typed.path, FEED)[0], infer(model.path, FEED)[0]) > 30.0


def test_of_two_convs_the_one_that_runs_last_is_left_to_be_fused(tmp_path: Path) -> None:
    model = write_model(tmp_path, SHORTCUT, WEIGHTS)
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, FEED))
    nodes = nodes_of(typed)
    assert list(nodes["n4"].input) == ["d", "c:dequantized"]  # d = n3 runs behind c = n2
    assert nodes["n4:quantize_skip"].input[0] == "c"


def test_a_skip_beside_a_conv_in_float_stays_float(tmp_path: Path) -> None:
    model = write_model(tmp_path, IDENTITY, WEIGHTS)
    rules = (Rule(FP32, nodes=("n2",)),)
    nodes = nodes_of(compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, FEED), rules))
    assert list(nodes["n3"].input) == ["x", "c"]


def test_a_sum_whose_conv_others_read_too_is_left_alone(tmp_path: Path) -> None:
    text = IDENTITY.replace("y = Relu (s)", "t = Neg (c) y = Add (s, t)")
    model = write_model(tmp_path, text, WEIGHTS)
    nodes = nodes_of(compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, FEED)))
    assert list(nodes["n3"].input) == ["x", "c"]
