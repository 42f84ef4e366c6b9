"""A plan that frees inputs and outputs: engines take the float32 samples, and what they give is compared as numbers."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from tests.pipeline.conftest import Listener, RequestOf, never
from tests.pipeline.test_exporting import FASHION, exported
from workbench.backends.base import load_backend
from workbench.core.json import read_json
from workbench.core.layer_errors import LayerErrors
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, EngineGraph, Status
from workbench.model import open_model
from workbench.pipeline import run
from workbench.pipeline.files import LAYER_ERRORS_FILE

HALVES = {Precision.FP16: ("float16", 45.0), Precision.BF16: ("bfloat16", 30.0)}


@pytest.mark.parametrize(
    ("backend", "precision"),
    [
        ("openvino", Precision.FP16),
        ("onnxruntime", Precision.FP16),
        ("tensorrt_rtx", Precision.FP16),
        ("tensorrt_rtx", Precision.BF16),
    ],
)
def test_an_engine_with_half_inputs_takes_the_samples(
    request_of: RequestOf, samples_path: Path, backend: str, precision: Precision
) -> None:
    found = load_backend(backend)
    if not found.capabilities().available or found.dialect().how[precision] != "graph":
        pytest.skip(f"{backend} writes no {precision.label} here")
    config = BuildConfig(backend=backend, threads=1, plan=PrecisionPlan(precision, keep_io=False))
    request = request_of(config=config, evaluation=str(samples_path), layer_samples=2)
    result = run(request, Listener(), never)
    assert result.status is Status.DONE and result.error is None and result.build is not None
    label = precision.label
    assert f"Inputs and outputs that changed their type: x is {label}, scores is {label}." in result.build.notes
    graph = read_json(Path(request.folder) / "graph.json", EngineGraph).graph
    dtype, least_db = HALVES[precision]
    assert [graph.tensors[name].dtype for name in (*graph.inputs, *graph.outputs)] == [dtype, dtype]
    assert result.accuracy is not None and result.accuracy.worst_sqnr_db is not None
    assert least_db < result.accuracy.worst_sqnr_db < 90.0
    layers = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    assert layers.tensors and layers.samples == 2 and not layers.reason


@pytest.mark.parametrize(("precision", "kind"), [(Precision.FP16, "FLOAT16"), (Precision.BF16, "BFLOAT16")])
def test_the_exported_file_has_half_inputs_under_the_same_names_and_shapes(
    tmp_path: Path, precision: Precision, kind: str
) -> None:
    proto = onnx.load(exported(tmp_path, PrecisionPlan(precision, keep_io=False)).path)
    onnx.checker.check_model(proto, full_check=True)
    assert [spec.dtype for spec in open_model(tmp_path / "out.onnx").inputs] == [kind.lower()]
    source = onnx.load(FASHION).graph
    for old, new in zip((*source.input, *source.output), (*proto.graph.input, *proto.graph.output), strict=True):
        assert new.type.tensor_type.elem_type == TensorProto.DataType.Value(kind)
        assert (new.name, new.type.tensor_type.shape) == (old.name, old.type.tensor_type.shape)
    assert not [node.name for node in proto.graph.node if node.op_type == "Cast"]
