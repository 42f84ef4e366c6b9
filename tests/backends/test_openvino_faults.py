"""What OpenVINO would compute wrongly, built so that it does not: INT8 engines against their Q/DQ computed exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.backends import models
from tests.backends.precisions import needs_exact_sums
from workbench.backends.base import load_backend
from workbench.backends.openvino.faults import CHAINED_PRODUCTS
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig
from workbench.measure.reference import Reference
from workbench.model import open_model
from workbench.precision import compile_plan, observe

HALF = numpy_helper.from_array(np.float32(0.5), "half")
BIAS = models.weights("bias", 8)
Nodes = list[onnx.NodeProto]


def node(op: str, *names: str) -> onnx.NodeProto:
    """The last name is the output."""
    return helper.make_node(op, list(names[:-1]), [names[-1]])


CHAINS: list[tuple[str, int, Nodes, bool]] = [
    ("relu", 8, [node("MatMul", "x", "w", "a"), node("Relu", "a", "b"), node("MatMul", "b", "v", "y")], True),
    ("one row", 1, [node("MatMul", "x", "w", "a"), node("Relu", "a", "b"), node("MatMul", "b", "v", "y")], True),
    ("nothing between", 8, [node("MatMul", "x", "w", "a"), node("MatMul", "a", "v", "y")], True),
    ("factor", 8, [node("MatMul", "x", "w", "a"), node("Mul", "a", "half", "b"), node("MatMul", "b", "v", "y")], True),
    ("gemm", 8, [node("Gemm", "x", "w", "a"), node("Relu", "a", "b"), node("Gemm", "b", "v", "y")], True),
    ("bias", 8, [node("Gemm", "x", "w", "bias", "a"), node("Relu", "a", "b"), node("Gemm", "b", "v", "y")], False),
    ("tanh", 8, [node("MatMul", "x", "w", "a"), node("Tanh", "a", "b"), node("MatMul", "b", "v", "y")], False),
]


@pytest.mark.parametrize(("name", "rows", "nodes", "avoided"), CHAINS, ids=[chain[0] for chain in CHAINS])
def test_chained_products_in_int8_compute_what_is_written(
    tmp_path: Path, name: str, rows: int, nodes: Nodes, avoided: bool
) -> None:
    needs_exact_sums("openvino")
    constants = [models.weights("w", 8, 8), models.weights("v", 8, 8), HALF, BIAS]
    proto = models.make(nodes, [models.value("x", [rows, 8])], [models.value("y", [rows, 8])], constants)
    onnx.save_model(proto, tmp_path / "chain.onnx")
    model, backend = open_model(tmp_path / "chain.onnx"), load_backend("openvino")
    feed = {"x": np.random.default_rng(0).uniform(-1, 1, (rows, 8)).astype(np.float32)}
    seen = observe(model, model.shapes, [feed], total=1, progress=lambda *_: None, cancelled=lambda: False)
    plan = PrecisionPlan(default=Precision.INT8)
    typed = compile_plan(model, plan, backend.dialect(), model.shapes, tmp_path / "typed", seen)
    engine = backend.build(typed, BuildConfig(threads=1), tmp_path, lambda *_: None)
    with engine.runner() as runner, Reference(typed.path) as exact:
        got, wanted = runner.infer(feed)["y"], exact.infer(feed)["y"]
    assert np.abs(got - wanted).max() < 1e-4 * np.abs(wanted).max()
    assert (CHAINED_PRODUCTS in engine.notes) is avoided


def test_strings_are_refused_before_they_corrupt_memory(tmp_path: Path) -> None:
    kind = onnx.TensorProto.STRING
    inputs, outputs = [models.value("words", [3], kind)], [models.value("y", [3], kind)]
    onnx.save_model(models.make([node("Identity", "words", "y")], inputs, outputs), tmp_path / "words.onnx")
    model, backend = open_model(tmp_path / "words.onnx"), load_backend("openvino")
    assert "'words'" in backend.verdict(model).reason
    typed = compile_plan(model, PrecisionPlan(), backend.dialect(), model.shapes, tmp_path / "typed", None)
    with pytest.raises(WorkbenchError, match="OpenVINO loses strings"):
        backend.build(typed, BuildConfig(), tmp_path, lambda *_: None)


def test_an_operation_on_sequences_is_named_as_the_model_has_it(tmp_path: Path) -> None:
    sequence = helper.make_tensor_sequence_value_info("s", onnx.TensorProto.FLOAT, None)
    nodes = [node("SplitToSequence", "x", "s")]
    onnx.save_model(models.make(nodes, [models.value("x", [3, 4])], [sequence]), tmp_path / "parts.onnx")
    verdict = load_backend("openvino").verdict(open_model(tmp_path / "parts.onnx"))
    assert verdict.reason == "OpenVINO does not support the operation SplitToSequence."
    assert list(verdict.nodes) == ["n0"]
