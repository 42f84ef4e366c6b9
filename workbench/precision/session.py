"""ONNX Runtime as this room uses it: the graph as written, in FP32, without optimisations, not spinning."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from workbench.core.errors import WorkbenchError, runtime_reason
from workbench.precision.saving import PROTOBUF_LIMIT, save_model, weights_bytes

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def reference_session(model: onnx.ModelProto, threads: int = 1) -> InferenceSession:
    """A session on the CPU that computes exactly the nodes of `model`.

    Raises WorkbenchError where ONNX Runtime does not take the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        if weights_bytes(model) < PROTOBUF_LIMIT:
            return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            path = save_model(model, Path(folder))
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except runtime_errors() as error:
        raise WorkbenchError(
            f"ONNX Runtime does not take this model: {runtime_reason(error)}.",
            "Calibration needs a model that ONNX Runtime can run in FP32.",
        ) from error


def runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its own classes share no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return (*(getattr(state, name) for name in names), RuntimeError, ValueError)
