"""What is told of the accuracy of models that have none, or not twice the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.model import making
from tests.pipeline.conftest import Listener, RequestOf, never
from workbench.core.run import BuildConfig, Status
from workbench.data import read_recipe
from workbench.model import open_model
from workbench.pipeline import run
from workbench.pipeline.checking import NOTHING_TO_COMPARE
from workbench.resources import sample_models


def test_outputs_that_are_no_tensors_give_a_reason_in_place_of_figures(request_of: RequestOf, tmp_path: Path) -> None:
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    proto = making.model([helper.make_node("SplitToSequence", ["x"], ["s"])], [making.value("x")], [sequence])
    path = making.save(proto, tmp_path, "parts.onnx")
    request = request_of(model_path=str(path), config=BuildConfig("onnxruntime", threads=1), evaluation="random")
    result = run(request, Listener(), never)
    assert result.status is Status.DONE, result.error
    assert result.accuracy is not None
    assert (result.accuracy.outputs, result.accuracy.reason) == ({}, NOTHING_TO_COMPARE)


def test_a_model_that_draws_random_numbers_is_said_to(request_of: RequestOf, tmp_path: Path) -> None:
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["r"]), helper.make_node("Add", ["x", "r"], ["y"])]
    path = making.save(making.model(nodes, [making.value("x")], [making.value("y")]), tmp_path, "dice.onnx")
    request = request_of(model_path=str(path), config=BuildConfig("onnxruntime", threads=1), evaluation="random")
    accuracy = run(request, Listener(), never).accuracy
    assert accuracy is not None
    assert any("draws random numbers (RandomNormalLike)" in warning for warning in accuracy.warnings)


def test_an_old_file_that_lists_its_weights_as_inputs_runs_after_they_were_folded(
    request_of: RequestOf, tmp_path: Path
) -> None:
    """ONNX Runtime folds the shape away and would still ask for it as an input (the light models of onnx)."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["w"], value=numpy_helper.from_array(np.float32([0.5]))),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    proto = making.model(nodes, [making.value("x")], [making.value("y")], opset=9)
    proto.ir_version = 3
    proto.graph.initializer.append(numpy_helper.from_array(np.array([4, 4]), "shape"))
    proto.graph.input.append(making.value("shape", (2,), TensorProto.INT64))
    path = making.save(proto, tmp_path, "old.onnx")
    request = request_of(model_path=str(path), config=BuildConfig("onnxruntime", threads=1), evaluation="random")
    result = run(request, Listener(), never)
    assert result.status is Status.DONE, result.error
    assert result.accuracy is not None and result.accuracy.worst_sqnr_db == 200.0


def test_the_branch_that_a_fixed_input_decides_is_built_where_both_cannot_be(request_of: RequestOf) -> None:
    """Silero VAD at 16 kHz: OpenVINO refuses the branch for 8 kHz, which 576 samples never take."""
    model = open_model(sample_models() / "silero_vad" / "silero_vad.onnx")
    config = BuildConfig("openvino", threads=1)
    request = request_of(model_path=model.path, config=config, recipe=read_recipe(model), evaluation="random")
    result = run(request, Listener(), never)
    assert result.status is Status.DONE, result.error
    assert result.build is not None and result.accuracy is not None
    assert result.build.mapped == result.build.source_nodes == 689
    assert any("Built for sr = 16000" in note for note in result.build.notes)
    assert (result.accuracy.worst_sqnr_db or 0) > 60.0
