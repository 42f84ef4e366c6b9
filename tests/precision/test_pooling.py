"""Average pools between quantized nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.precision.models import SIGNED, compiled, infer, nodes_of, seen, sqnr_db, write_model
from workbench.core.precision import Precision

POOLED = """
(float[1,4,8,8] x) => (float[1,3] y) {
  a = Conv <pads = [1,1,1,1]> (x, w)
  r = Relu (a)
  p = GlobalAveragePool (r)
  f = Flatten (p)
  y = MatMul (f, v)
}
"""
RNG = np.random.default_rng(0)
CONSTANTS = {
    "w": RNG.standard_normal((4, 4, 3, 3)).astype(np.float32),
    "v": RNG.standard_normal((4, 3)).astype(np.float32),
}
FEED = {"x": RNG.standard_normal((1, 4, 8, 8)).astype(np.float32)}


def test_a_pool_between_quantized_nodes_reads_8_bits(tmp_path: Path) -> None:
    model = write_model(tmp_path, POOLED, CONSTANTS)
    typed = compiled(model, tmp_path / "out", Precision.INT8, SIGNED, seen(model, FEED))
    nodes = nodes_of(typed)
    assert nodes["n2:quantize_x"].input[0] == "r" and nodes["n2"].input[0] == "r:dequantized"
    assert sqnr_db(infer(typed.path, FEED)[0], infer(model.path, FEED)[0]) > 30.0


@pytest.mark.parametrize("why", ["others read its input", "its result is an output", "what reads it is float"])
def test_other_pools_are_left_alone(tmp_path: Path, why: str) -> None:
    text, constants = POOLED, dict(CONSTANTS)
    if why == "others read its input":
        text = text.replace("float[1,3] y)", "float[1,3] y, float[1,4,8,8] z)").replace(
            "y = Mat", "z = Neg (r) y = Mat"
        )
    elif why == "its result is an output":
        text = text.replace("float[1,3] y)", "float[1,3] y, float[1,4] f)")
    else:
        text = text.replace("MatMul (f, v)", "Add (f, v)").replace("float[1,3] y)", "float[1,4] y)")
        constants["v"] = np.ones((1, 4), np.float32)
    model = write_model(tmp_path, text, constants)
    nodes = nodes_of(compiled(model, tmp_path / "out", Precision.INT8, SIGNED, seen(model, FEED)))
    assert nodes["n2"].input[0] == "r"
