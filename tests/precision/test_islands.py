"""What stands between quantized nodes stays in the float type of their Q/DQ, unless it was asked for by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.precision.models import SIGNED, compiled, nodes_of, seen, write_model
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, Rule

FEED = {"x": np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)}
CONVS = (Rule(Precision.INT8, op="Conv"),)


@dataclass
class _Plan:
    model: Model
    folder: Path

    def typed(self, default: Precision, rules: tuple[Rule, ...] = CONVS, *, half_scales: bool = False) -> TypedModel:
        dialect = msgspec.structs.replace(SIGNED, half_scales=half_scales)
        return compiled(self.model, self.folder, default, dialect, seen(self.model, FEED), rules)


@pytest.fixture
def plan(tmp_path: Path) -> _Plan:
    """n0 Conv, n1 Relu, n2 Conv, n3 Add of the Relu's and the Conv's results, n4 Relu, n5 Conv, n6 Sigmoid."""
    text = """
    (float[1,3,8,8] x) => (float[1,3,8,8] y) {
      a = Conv <pads = [1,1,1,1]> (x, w)
      b = Relu (a)
      c = Conv <pads = [1,1,1,1]> (b, w)
      d = Add (c, b)
      e = Relu (d)
      f = Conv <pads = [1,1,1,1]> (e, w)
      y = Sigmoid (f)
    }
    """
    weights = np.random.default_rng(1).standard_normal((3, 3, 3, 3)).astype(np.float32)
    return _Plan(write_model(tmp_path, text, {"w": weights}), tmp_path / "out")


def casts(typed: TypedModel) -> list[str]:
    return [name for name, node in nodes_of(typed).items() if node.op_type == "Cast"]


def test_what_engines_fuse_between_quantized_nodes_has_no_casts(plan: _Plan) -> None:
    typed = plan.typed(Precision.FP16)
    assert casts(typed) == ["n6:cast_fp16", "n6:cast_output"]
    assert any(note.startswith("3 nodes between quantized ones left in FP32, not FP16") for note in typed.notes)
    assert not any("left in float" in note for note in typed.notes)


def test_half_scales_need_no_islands(plan: _Plan) -> None:
    typed = plan.typed(Precision.FP16, half_scales=True)
    assert not any("between quantized" in note for note in typed.notes)
    assert "4 nodes are written in FP16." in typed.notes


def test_a_node_that_was_painted_is_no_island(plan: _Plan) -> None:
    """Also behind a DequantizeLinear that is new: the Add that reads a quantized skip."""
    typed = plan.typed(Precision.INT8, (*CONVS, Rule(Precision.FP16, op="Add"), Rule(Precision.FP16, op="Relu")))
    assert "3 nodes are written in FP16." in typed.notes
    assert not any("left in float" in note for note in typed.notes)


def test_a_reader_that_is_not_quantized_ends_an_island(plan: _Plan) -> None:
    """The last Conv is FP16: what it reads comes in FP16, and the Add before it stands beside nothing but islands."""
    typed = plan.typed(Precision.FP16, (*CONVS, Rule(Precision.FP16, nodes=("n5",))))
    assert any(note.startswith("1 node between quantized ones") for note in typed.notes)
