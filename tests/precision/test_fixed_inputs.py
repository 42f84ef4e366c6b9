"""Inputs of one value for good: the branch they decide is compiled, calibrated and quantized like any graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.precision.models import BY_MAX, SIGNED, infer, nodes_of, sqnr_db, write_model
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.precision import Observations, compile_plan, observe

TEXT = """
(float[1,3,8,8] x, int64 rate) => (float[1,4,8,8] y) {
  limit = Constant <value = int64 {16000}> ()
  is_low = Less (rate, limit)
  y = If (is_low) <
    then_branch = t () => (float[1,4,8,8] u) { u = Conv <pads = [1,1,1,1]> (x, w) },
    else_branch = e () => (float[1,4,8,8] v) { k = Conv <pads = [1,1,1,1]> (x, w) v = Relu (k) }
  >
}
"""
FIXED = {"rate": np.array(48000)}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_model(tmp_path, TEXT, {"w": np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)})


def feed(rate: int = 48000) -> dict[str, NDArray[np.generic]]:
    x = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
    return {"x": x, "rate": np.array(rate)}


def seen(model: Model, rate: int = 48000) -> Observations:
    return observe(
        model,
        model.shapes,
        [feed(rate)],
        total=1,
        progress=lambda *_: None,
        cancelled=lambda: False,
        fixed=FIXED,
    )


def compiled(model: Model, folder: Path, precision: Precision, observations: Observations | None = None) -> TypedModel:
    plan = PrecisionPlan(default=precision, calibration=BY_MAX)
    return compile_plan(model, plan, SIGNED, model.shapes, folder, observations, FIXED)


def test_the_branch_that_is_taken_is_written_alone_and_said_to_hold_for_it(model: Model, tmp_path: Path) -> None:
    typed = compiled(model, tmp_path / "typed", Precision.FP32)
    assert list(nodes_of(typed)) == ["n2.else_branch.n0", "n2.else_branch.n1"]
    assert typed.removed == {"n0": "folded", "n1": "folded", "n2": "folded", "n2.then_branch.n0": "removed"}
    assert any("rate = 48000" in note and "decides 1 If;" in note for note in typed.notes)
    assert np.array_equal(infer(typed.path, feed())[0], infer(model.path, feed())[0])


def test_its_nodes_can_be_quantized_which_those_in_bodies_cannot(model: Model, tmp_path: Path) -> None:
    typed = compiled(model, tmp_path / "typed", Precision.INT8, seen(model))
    assert "n2.else_branch.n0:quantize_x" in nodes_of(typed)
    assert sqnr_db(infer(typed.path, feed())[0], infer(model.path, feed())[0]) > 30.0


def test_a_calibration_sample_of_another_value_is_refused(model: Model) -> None:
    with pytest.raises(WorkbenchError, match="has 8000 as 'rate'; the recipe fixes it to 48000"):
        seen(model, rate=8000)
