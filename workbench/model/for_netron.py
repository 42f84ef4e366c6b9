"""What Netron is given: the model with the id of each node, and an engine's graph in the form of an ONNX file.

Netron shows the properties (`metadata_props`) of a node, and they lead from its nodes back to ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph, Layer, Tensor
from workbench.core.model import Model
from workbench.model.dtypes import element_type
from workbench.model.external import fingerprint
from workbench.model.guard import read_model
from workbench.model.ids import body_key, node_id
from workbench.model.walk import all_tensors, bodies

ID_KEY = "workbench.id"
DOMAIN = "workbench"
OPSET = 17
WEIGHTS_MOST = 64 * 1024**2
"""Bytes of a file up to which Netron gets the weights too."""


def marked_source(model: Model) -> bytes:
    """The file with the id of every node among its properties; without weights where there are many.

    Raises WorkbenchError where the file is not the one that was opened.
    """
    path = Path(model.path)
    proto, data, files = read_model(path)
    if fingerprint(data, path.parent, files) != model.sha256:
        raise WorkbenchError(f"{path.name} has changed since it was opened.", "Open it again.")
    _mark(proto.graph, "")
    if len(data) > WEIGHTS_MOST:
        for tensor in all_tensors(proto):
            tensor.ClearField("raw_data")
    marked: bytes = proto.SerializeToString()
    return marked


def _mark(graph: onnx.GraphProto, prefix: str) -> None:
    for index, node in enumerate(graph.node):
        node.metadata_props.add(key=ID_KEY, value=node_id(index, prefix))
        for attribute, body in bodies(node):
            _mark(body, body_key(node_id(index, prefix), attribute))


def engine_model(graph: Graph, layer_ms: Mapping[str, float]) -> bytes:
    """The engine's layers as nodes of the domain `workbench`, to be looked at: no runtime can run this file.

    Attributes of a node: `time_ms` where it was timed, `precision`, `tactic`, `kind` and `sources` (ids of the model's
    nodes). What the engine itself says of the layer is among its properties.
    """
    now = {name: name for name in graph.inputs}
    nodes = [_node(layer, graph, layer_ms.get(layer.id), now) for layer in graph.layers]
    values = {name: _value(tensor) for name, tensor in graph.tensors.items() if not tensor.constant}
    outputs = [_value(graph.tensors.get(name, Tensor(name)), now.get(name, name)) for name in graph.outputs]
    proto = onnx.helper.make_graph(
        nodes,
        graph.name or "engine",
        [values.get(name) or _value(Tensor(name)) for name in graph.inputs],
        outputs,
        value_info=[value for name, value in values.items() if name not in {*graph.inputs, *graph.outputs}],
    )
    opsets = [onnx.helper.make_opsetid(DOMAIN, 1), onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(proto, opset_imports=opsets, producer_name="Inference Workbench", ir_version=10)
    data: bytes = model.SerializeToString()
    return data


def _node(layer: Layer, graph: Graph, time_ms: float | None, now: dict[str, str]) -> onnx.NodeProto:
    """`now` are the names of tensors at this place: what is given again (a buffer written in place) gets another."""
    inputs = [now.get(name, name) for name in layer.inputs if not _is_weight(graph, name)]
    for name in layer.outputs:
        now[name] = f"{name}@{layer.id}" if name in now else name
    outputs = [now[name] for name in layer.outputs]
    node: onnx.NodeProto = onnx.helper.make_node(layer.heading, inputs, outputs, name=layer.name, domain=DOMAIN)
    for name, value in _attributes(layer, time_ms).items():
        node.attribute.append(onnx.helper.make_attribute(name, value))
    node.metadata_props.add(key=ID_KEY, value=layer.id)
    for key, text in layer.attributes.items():
        node.metadata_props.add(key=key, value=text)
    return node


def _is_weight(graph: Graph, name: str) -> bool:
    return name in graph.tensors and graph.tensors[name].constant


def _attributes(layer: Layer, time_ms: float | None) -> dict[str, str]:
    """What is empty is left out."""
    said = {
        "time_ms": "" if time_ms is None else f"{time_ms:.4g}",  # a float of ONNX would be read as 0.0160000007
        "precision": layer.precision.label if layer.precision else "",
        "tactic": layer.tactic,
        "kind": layer.kind.value,
        "sources": " ".join(layer.sources),
    }
    return {key: value for key, value in said.items() if value}


def _value(tensor: Tensor, name: str = "") -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name or tensor.name, element_type(tensor.dtype), tensor.shape)
