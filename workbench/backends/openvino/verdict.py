"""Whether OpenVINO takes a model: its reader, and what the CPU plugin says of the operations that were read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import onnx

from workbench.backends._silent import ROUNDED, WRAPPED, silent_changes
from workbench.backends._typed import TypedGraph, free_inputs
from workbench.backends.openvino.faults import strings_problem
from workbench.backends.openvino.package import core
from workbench.backends.openvino.problems import explain
from workbench.core.graph import Graph
from workbench.core.model import Model
from workbench.core.verdict import Verdict
from workbench.model import private_copy

_BECOMES = {"float64": ("float32", ROUNDED), "int64": ("int32", WRAPPED)}
"""What the CPU plugin computes in, whatever the file says (2026.4: 3,000,000,000 * 2 in int64 gives 1,705,032,704)."""
_NO_KERNEL = "OpenVINO's CPU plugin has no kernel for it."


def verdict_on(model: Model) -> Verdict:
    """In the shapes it would be built for, else with free ones. Nothing is compiled."""
    if (strings := strings_problem(model.graph)) is not None:
        return Verdict(False, strings.message)
    proto = private_copy(model)
    silent = silent_changes(model.graph, _BECOMES)
    found = _read_once(proto)
    if not found.accepted and any(spec.is_dynamic for spec in model.inputs):
        free_inputs(proto, model)
        if _read_once(proto).accepted:
            found = Verdict(True, f"Not with the input shapes as they are: {found.reason}")
    return msgspec.structs.replace(found, silent=silent)


def _read_once(proto: onnx.ModelProto) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save_model(proto, path)
        graph = TypedGraph(proto).graph
        try:
            read = core().read_model(str(path))
            refused = _without_kernel(read, graph)
        except RuntimeError as error:
            message, nodes = explain(str(error), graph)
            return Verdict(False, message, nodes)
    if not refused:
        return Verdict(True)
    ops = dict.fromkeys(layer.op for layer in graph.walk() if layer.name in refused)
    return Verdict(False, f"OpenVINO does not support {' and '.join(ops)} on the CPU.", refused)


def _without_kernel(read: Any, graph: Graph) -> dict[str, str]:
    """Nodes with an operation that the CPU plugin does not name among those it can run."""
    able = core().query_model(read, "CPU")
    names = {op.get_friendly_name() for op in read.get_ops()} - set(able)
    missing = names | {name.partition("/")[0] for name in names}  # parts of a decomposition: name/part
    walked = graph.walk()
    return {layer.name: _NO_KERNEL for layer in walked if missing.intersection((layer.name, *layer.outputs))}
