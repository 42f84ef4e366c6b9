"""The three fusions that make a difference are named in the ledger by the ops of the model: real TensorRT builds.

Residual block: the fashion sample. Queries, keys and values in one GEMM: attention as exporters write it. Whole
attention in FP16: that and the OCR sample.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.backends import models
from tests.backends.tensorrt_build import Ask, built
from workbench.backends.tensorrt_rtx.module import find_module
from workbench.core.ledger import Ledger
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.model import open_model
from workbench.pipeline.ledger import fusion_ledger

pytestmark = pytest.mark.skipif(not find_module(), reason="TensorRT is not installed")
SAMPLES = Path(__file__).parents[2] / "sample_models"


def ledger(path: Path, folder: Path, precision: Precision) -> Ledger:
    answer = built(Ask(str(path), str(folder), precision))
    assert not answer.error
    return fusion_ledger(open_model(path).graph, EngineGraph(answer.graph, answer.fates))


def attention(steps: int = 16, width: int = 64, heads: int = 2) -> onnx.ModelProto:
    """Multi-head self-attention: three products, heads split, scaled scores, softmax, heads joined, one product."""
    node, each = helper.make_node, width // heads
    nodes = [node("MatMul", ["x", f"w{name}"], [name]) for name in "qkv"]
    for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes.append(node("Reshape", [name, "split"], [f"{name}s"]))
        nodes.append(node("Transpose", [f"{name}s"], [f"{name}h"], perm=order))
    nodes += [
        node("MatMul", ["qh", "kh"], ["scores"]),
        node("Mul", ["scores", "scale"], ["scaled"]),
        node("Softmax", ["scaled"], ["shares"], axis=-1),
        node("MatMul", ["shares", "vh"], ["mixed"]),
        node("Transpose", ["mixed"], ["turned"], perm=[0, 2, 1, 3]),
        node("Reshape", ["turned", "join"], ["joined"]),
        node("MatMul", ["joined", "wo"], ["y"]),
    ]
    constants = [models.weights(f"w{name}", width, width, scale=0.1) for name in "qkvo"]
    constants.append(numpy_helper.from_array(np.int64([1, steps, heads, each]), "split"))
    constants.append(numpy_helper.from_array(np.int64([1, steps, width]), "join"))
    constants.append(numpy_helper.from_array(np.float32(each**-0.5), "scale"))
    ends = [models.value(name, [1, steps, width]) for name in ("x", "y")]
    return models.make(nodes, ends[:1], ends[1:], constants)


def test_a_residual_block_is_one_row(tmp_path: Path) -> None:
    found = ledger(SAMPLES / "fashion" / "fashion_resnet.onnx", tmp_path, Precision.FP32)
    counts = {row.pattern: row.count for row in found.patterns}
    assert counts["Conv+BatchNormalization+Add+Relu"] >= 2 and counts["Conv+BatchNormalization+Relu"] >= 4


def test_queries_keys_and_values_are_one_product(tmp_path: Path) -> None:
    onnx.save_model(attention(), tmp_path / "attention.onnx")
    found = ledger(tmp_path / "attention.onnx", tmp_path, Precision.FP32)
    row = next(row for row in found.rows if row.pattern == "MatMul+MatMul+MatMul")
    assert {"n0", "n1", "n2"} <= set(row.sources) and row.is_exact


@pytest.mark.parametrize("is_sample", [True, False])
def test_whole_attention_in_fp16_is_one_kernel(is_sample: bool, tmp_path: Path) -> None:
    path = SAMPLES / "ocr" / "ppocrv4_rec.onnx" if is_sample else tmp_path / "attention.onnx"
    if not is_sample:
        onnx.save_model(attention(), path)
    found = ledger(path, tmp_path, Precision.FP16)
    rows = [row for row in found.rows if "Softmax" in row.pattern and row.pattern.count("MatMul") == 2]
    assert len(rows) == (2 if is_sample else 1) and all(row.tactic.startswith("_gemm_mha_v2") for row in rows)
