"""Which inputs have one value for good: single values that the recipe has as `const`, of models that branch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from workbench.core.model import Model
from workbench.core.recipe import InputSpec, Recipe
from workbench.data import fixed_inputs, open_samples
from workbench.model import open_model

BRANCHING = """
(float[4] x, int64 rate, bool flag, float[1] gain) => (float[4] y) {
  y = If (flag) <
    then_branch = t () => (float[4] u) { u = Neg (x) }, else_branch = e () => (float[4] v) { v = Relu (x) }
  >
}
"""
RECIPE = Recipe(
    inputs={
        "rate": InputSpec(const=16000),
        "gain": InputSpec(const=0.5),
        "flag": InputSpec(low=0, high=1),
        "x": InputSpec(const=0),
        "gone": InputSpec(const=1),
    }
)


def written(folder: Path, text: str) -> Model:
    onnx.save(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}'), folder / "model.onnx")
    return open_model(folder / "model.onnx")


def test_single_values_of_the_recipe_are_fixed_in_the_type_of_the_input(tmp_path: Path) -> None:
    model = written(tmp_path, BRANCHING)
    fixed = fixed_inputs(model, RECIPE, model.shapes)
    assert set(fixed) == {"rate", "gain"}
    assert (fixed["rate"].dtype, fixed["rate"].shape, int(fixed["rate"])) == (np.dtype(np.int64), (), 16000)
    assert fixed["gain"].tolist() == [0.5]


def test_a_model_without_branches_has_none(tmp_path: Path) -> None:
    model = written(tmp_path, "(float[4] x, int64 rate) => (float[4] y) { y = Neg (x) }")
    assert fixed_inputs(model, RECIPE, model.shapes) == {}


def test_a_set_says_which_inputs_it_leaves_to_the_recipe(tmp_path: Path) -> None:
    model = written(tmp_path, BRANCHING)
    np.savez(tmp_path / "set.npz", x=np.zeros((3, 4), np.float32), rate=np.array([8000, 8000, 16000]))
    samples = open_samples(str(tmp_path / "set.npz"), model, Recipe(), model.shapes)
    assert samples.made_up == {"flag", "gain"}
    assert open_samples("random", model, Recipe(), model.shapes).made_up == {"x", "rate", "flag", "gain"}
