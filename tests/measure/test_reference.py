"""What the reference says where ONNX Runtime refuses: the node and the reason, no codes and no paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.measure.reference import Reference


def test_a_node_that_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gather", ["table", "i"], ["y"], name="n0")]
    inputs = [making.value("i", (1,), TensorProto.INT64)]
    proto = making.model(nodes, inputs, [making.value("y", (1, 3))], [making.weight("table", 4, 3)])
    with Reference(proto.SerializeToString()) as reference, pytest.raises(WorkbenchError) as caught:
        reference.infer({"i": np.array([9])})
    assert caught.value.message == (
        "ONNX Runtime cannot run this model: Gather n0: indices element out of data bounds, idx=9 must be within the"
        " inclusive range [-4,3]."
    )


def test_a_file_that_does_not_load_is_told_without_its_path(tmp_path: Path) -> None:
    proto = making.linear()
    proto.graph.node[0].op_type = "Frobnicate"
    path = tmp_path / "model.onnx"
    onnx.save(proto, path)
    with pytest.raises(WorkbenchError) as caught:
        Reference(path)
    assert "Frobnicate" in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert "ONNXRuntimeError" not in caught.value.message


def test_an_opset_that_is_not_out_yet_is_told_without_places_in_the_source_of_the_runtime() -> None:
    proto = making.chain()
    proto.opset_import[0].version = 99
    with pytest.raises(WorkbenchError, match="Opset 99 is under development") as caught:
        Reference(proto.SerializeToString())
    assert "/onnxruntime_src/" not in caught.value.message
