"""BF16 by rounding: operands are what BF16 hardware would read, whatever ONNX Runtime optimises."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.precision.models import ROUNDING, compiled, constants_of, infer, nodes_of, write_model
from tests.precision.test_halve import IF
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, Rule

BF16 = Precision.BF16


def rounded(values: np.ndarray) -> np.ndarray:
    return values.astype(ml_dtypes.bfloat16).astype(np.float32)


@pytest.mark.parametrize("level", [0, 1, 2, 99])
def test_every_optimisation_level_multiplies_rounded_operands(tmp_path: Path, level: int) -> None:
    rng = np.random.default_rng(0)
    w, b = rng.standard_normal((64, 32)).astype(np.float32), rng.standard_normal(32).astype(np.float32)
    text = "(float[4,64] x) => (float[4,32] y) { r = Relu (x) m = MatMul (r, w) y = Add (m, b) }"
    model = write_model(tmp_path, text, {"w": w, "b": b})
    typed = compiled(model, tmp_path / "out", BF16, ROUNDING)
    x = rng.standard_normal((4, 64)).astype(np.float32)
    found = infer(typed.path, {"x": x}, level=level)[0]
    exact = np.maximum(x, 0).astype(np.float64)
    expected = rounded(exact.astype(np.float32)).astype(np.float64) @ rounded(w) + b
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(found - (exact @ w + b)).max() > 1e-3  # plain float32 would be caught


def test_one_pair_serves_all_users_and_names_its_owner(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,2] y, float[1,2] z) { y = MatMul (x, w) z = MatMul (x, w) }"
    model = write_model(tmp_path, text, {"w": np.float32([[1.001, 2], [3, 4]])})
    typed = compiled(model, tmp_path / "out", BF16, ROUNDING)
    assert list(nodes_of(typed)) == ["n0:round", "n0:round_back", "n0", "n1"]
    assert list(constants_of(typed)) == ["w:bf16"]
    np.testing.assert_array_equal(constants_of(typed)["w:bf16"], np.float32([[1.0, 2], [3, 4]]))
    assert typed.hint == "fp32"
    assert "2 nodes are rounded to BF16; the arithmetic stays FP32" in typed.notes[-1]


def test_nodes_asked_fp32_and_bias_are_not_rounded(tmp_path: Path) -> None:
    text = "(float[1,2] x) => (float[1,2] z) { y = Gemm (x, w, b) z = MatMul (y, w) }"
    values = np.float32([[1.001, 2], [3, 4]])
    model = write_model(tmp_path, text, {"w": values, "b": np.float32([1.001, 0])})
    typed = compiled(model, tmp_path / "out", BF16, ROUNDING, rules=(Rule(Precision.FP32, nodes=("n1",)),))
    nodes = nodes_of(typed)
    assert list(nodes["n0"].input) == ["x:rounded", "w:bf16", "b"]
    assert list(nodes["n1"].input) == ["y", "w"]


def test_an_old_opset_is_lifted_for_the_type(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[1,2] x) => (float[1,2] y) { y = MatMul (x, x2) }".replace("x2", "w"),
                        {"w": np.eye(2, dtype=np.float32)}, opset=11)  # fmt: skip
    typed = compiled(model, tmp_path / "out", BF16, ROUNDING)
    assert infer(typed.path, {"x": np.float32([[1.001, 2]])})[0][0, 0] == 1.0


def test_bodies_are_rounded_too(tmp_path: Path) -> None:
    model = write_model(tmp_path, IF, {"w": np.float32([[1, 2], [3, 4]])})
    typed = compiled(model, tmp_path / "out", BF16, ROUNDING)
    feed = {"c": np.array(True), "x": np.float32([[1.001, 0]])}
    np.testing.assert_allclose(infer(typed.path, feed)[0], np.exp(np.float32([[1, 2]])), rtol=1e-6)


def test_a_model_that_multiplies_nothing_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path, "(float[4] x) => (float[4] y) { y = Relu (x) }")
    with pytest.raises(WorkbenchError, match="Nothing to round"):
        compiled(model, tmp_path / "out", BF16, ROUNDING)
