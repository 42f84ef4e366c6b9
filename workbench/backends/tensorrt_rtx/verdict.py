"""Whether TensorRT takes a model, by its parser alone: nothing is compiled, so a later build here is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from workbench.backends._silent import ROUNDED, WRAPPED, silent_changes
from workbench.backends.tensorrt_rtx.dtypes import DTYPES
from workbench.backends.tensorrt_rtx.module import load_module
from workbench.backends.tensorrt_rtx.noise import stdout_caught
from workbench.backends.tensorrt_rtx.options import builds_ahead_of_time, why_not_build
from workbench.backends.tensorrt_rtx.parse import REASONS, Network, Refusal, parse, supported_nodes
from workbench.backends.tensorrt_rtx.watch import BuildLog
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.graph import Graph
from workbench.core.model import Model
from workbench.core.verdict import Silent, Verdict
from workbench.model import private_copy

_TAKEN = {"", "float64", *(name for name, _ in DTYPES.values())} - {"float8_e8m0fnu"}
"""Types that `convertDtype` of its parser (onnx-tensorrt) has a word for; "" is not known."""
_LOSSES = {("float64", "float32"): ROUNDED, ("int64", "int32"): WRAPPED}
_NO_RUNNERS = "its parser takes it, but a build ends with: no runners (seen with 1.7.1)"


def verdict_on(model: Model) -> Verdict:
    """Of the model in the shapes it would be built for. What the compiler behind refuses only a build can tell."""
    log = BuildLog(_unheard)
    try:
        trt = load_module()
        if reason := why_not_build(trt):  # nor can it parse: its builder wants a driver
            return Verdict(False, reason)
        proto = private_copy(model)
    except WorkbenchError as error:
        return Verdict(False, str(error))
    data, path = proto.SerializeToString(), Path(model.path)
    with stdout_caught(log.noise):
        parsed, refusals = parse(trt, data, path, log)
        refusals += _unbuildable(parsed) if not refusals else []
        runs = supported_nodes(trt, data, path, BuildLog(_unheard)) if refusals else []
    changes = _changes(model.graph, parsed)
    if not refusals:
        return Verdict(True, silent=changes)
    return _refused(model, proto, refusals, runs, changes)


def _refused(
    model: Model, proto: onnx.ModelProto, refusals: list[Refusal], runs: list[list[int]], changes: tuple[Silent, ...]
) -> Verdict:
    nodes = {refusal.node: refusal.reason for refusal in refusals if refusal.node}
    reason = refusals[0].sentence(model)
    if any(refusal.reason == REASONS[1] and not refusal.node for refusal in refusals):
        typed, names = _of_strange_type(model)
        nodes |= {node: text for node, text in typed.items() if node not in nodes}
        reason = f"TensorRT takes no {', '.join(names)}." if names else reason
    names = [node.name for node in proto.graph.node]
    subgraphs = tuple(tuple(names[at] for at in run if names[at] not in nodes) for run in runs)
    taken = {node for run in subgraphs for node in run}
    missed = tuple(layer.id for layer in model.graph.walk() if layer.id not in nodes and not _is_in(layer.id, taken))
    return Verdict(False, reason, nodes, subgraphs, missed, changes)


def _is_in(node: str, taken: set[str]) -> bool:
    """Whether a node, or the one whose body it stands in, is among those that are taken."""
    return node.partition(".")[0] in taken


def _of_strange_type(model: Model) -> tuple[dict[str, str], list[str]]:
    """Nodes that touch a tensor of a type that it does not take, with the reason; and those tensors in words."""
    found: dict[str, str] = {}
    named: list[str] = []
    types = {name: tensor.dtype for name, tensor in model.graph.tensors.items()}
    types |= {spec.name: spec.dtype for spec in (*model.inputs, *model.outputs)}  # sequences are no tensors
    for name, dtype in types.items():
        if dtype in _TAKEN:
            continue
        named.append(f"{dtype} ({one_line(name, 60)})")
        for layer in model.graph.layers:
            if name in layer.inputs or name in layer.outputs:
                found.setdefault(layer.id, f"it does not take {dtype}")
    return found, named[:3]


def _unbuildable(parsed: Network) -> list[Refusal]:
    """What is known to fail behind the parser. On a GPU TensorRT 10 and 11 have kernels for it."""
    wanted = getattr(parsed.trt.LayerType, "NMS", None) if builds_ahead_of_time(parsed.trt) else None
    return [
        Refusal(layer.name.partition("_")[0], "NonMaxSuppression", _NO_RUNNERS)
        for layer in _layers(parsed.network)
        if wanted is not None and layer.type == wanted
    ]


def _changes(graph: Graph, parsed: Network) -> tuple[Silent, ...]:
    """Tensors that have another type in the parsed network than in the file."""
    seen: dict[str, tuple[str, str]] = {}
    for tensor in _tensors(parsed.network):
        known = graph.tensors.get(tensor.name)
        becomes = _dtype(tensor)
        if known is not None and known.dtype and becomes and known.dtype != becomes:
            seen[known.dtype] = becomes, _LOSSES.get((known.dtype, becomes), "")
    return silent_changes(graph, seen)


def _dtype(tensor: Any) -> str:
    """numpy's name of a network tensor's type; empty where we have no word for it."""
    names = {"FLOAT": "Float", "HALF": "Half", "BF16": "BFloat16", "INT64": "Int64", "INT32": "Int32", "INT8": "Int8"}
    return DTYPES.get(names.get(tensor.dtype.name, ""), ("", 0))[0]


def _tensors(network: Any) -> Iterator[Any]:
    yield from (network.get_input(index) for index in range(network.num_inputs))
    for layer in _layers(network):
        outputs = (layer.get_output(index) for index in range(layer.num_outputs))
        yield from (tensor for tensor in outputs if tensor is not None)


def _layers(network: Any) -> Iterator[Any]:
    return (network.get_layer(index) for index in range(network.num_layers))


def _unheard(phase: str, done: int, total: int, text: str) -> None:
    """A verdict has no log."""
