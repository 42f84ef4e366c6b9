"""ONNX Runtime as this room uses it: the graph as written, in FP32, without optimisations, not spinning."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from workbench.core.errors import WorkbenchError, runtime_reason
from workbench.precision.aside import WeightsAside
from workbench.precision.saving import PROTOBUF_LIMIT, save_model, weights_bytes

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions


def reference_session(model: onnx.ModelProto, threads: int = 1) -> InferenceSession:
    """A session on the CPU that computes exactly the nodes of `model`.

    Raises WorkbenchError where ONNX Runtime does not take the model.
    """
    options = _options(threads, "ORT_DISABLE_ALL")
    with _refusals():
        if weights_bytes(model) < PROTOBUF_LIMIT:
            return _session(model.SerializeToString(), options)
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            return _session(str(save_model(model, Path(folder))), options)


def observing_session(model: onnx.ModelProto, threads: int, *, is_fast: bool = True) -> InferenceSession:
    """A session that computes the outputs of `model`; where it `is_fast`, but for rounding.

    The weights are taken out of `model` into a file, and of both at most one is in memory. Raises WorkbenchError.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-") as name, _refusals():
        folder = Path(name)
        with WeightsAside(folder / "weights") as aside:
            path = save_model(aside.take(model), folder)
            model.Clear()
            if is_fast:
                with suppress(*runtime_errors()):  # an optimisation that cannot take this graph
                    return _session(str(path), _options(threads, "ORT_ENABLE_ALL"))
            return _session(str(path), _options(threads, "ORT_DISABLE_ALL"))


def _session(source: str | bytes, options: SessionOptions) -> InferenceSession:
    import onnxruntime

    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _options(threads: int, level: str) -> SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


@contextmanager
def _refusals() -> Iterator[None]:
    """What ONNX Runtime does not take, in a sentence."""
    try:
        yield
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
