"""A typed model made the user's own: their names, their inputs and outputs, and a word on where it comes from.

Rules
1. A node gets its name in the user's file back; where that is empty or doubled, with its op or its id: `Conv_n17`. A
   merged node has the names of all its sources, an added one says what it is for: `conv1+bn1`, `conv1:quantize_x`.
2. Inputs and outputs keep names and order; with `free`, their dimensions are free again as in the user's file, and what
   was inferred from fixed ones is forgotten.
3. Metadata and description of the user's file stay, and `workbench.*` says what was done to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto

from workbench.core.model import Model, TypedModel
from workbench.model.ids import free_name, sources_of
from workbench.model.walk import graphs, with_bodies
from workbench.precision.saving import save_model


def export_typed(typed: TypedModel, target: Path, metadata: Mapping[str, str], *, free: bool) -> ModelProto:
    """Writes `target` (and `<target>.data` beside it where weights pass protobuf's limit); returns what is in it.

    `metadata` is added to that of the user's file. Raises WorkbenchError where the disk refuses.
    """
    proto = onnx.load(typed.path)
    _restore_names(proto, typed.model)
    source = onnx.load(typed.model.path, load_external_data=False)
    _restore_head(proto, source, metadata)
    if free:
        _free_dimensions(proto, source)
    save_model(proto, target.parent, name=target.name)
    return proto


def _restore_names(proto: ModelProto, model: Model) -> None:
    """Rule 1."""
    layers = list(model.graph.walk())
    counts = Counter(layer.name for layer in layers)
    names = {
        layer.id: layer.name if counts[layer.name] == 1 and layer.name else f"{layer.name or layer.op}_{layer.id}"
        for layer in layers
    }
    taken: set[str] = set()
    for node in with_bodies(proto.graph.node):
        node.name = free_name(_name(node, names), taken)


def _name(node: NodeProto, names: Mapping[str, str]) -> str:
    sources = sources_of(node.name)
    if not sources:
        return str(node.name)
    role = node.name.partition(":")[2]
    return "+".join(names.get(source, source) for source in sources) + (f":{role}" if role else "")


def _restore_head(proto: ModelProto, source: ModelProto, metadata: Mapping[str, str]) -> None:
    """Rule 3: the opset converter forgets all of it."""
    proto.producer_name, proto.producer_version = source.producer_name, source.producer_version
    proto.doc_string = source.doc_string
    proto.graph.name = source.graph.name or proto.graph.name
    known = {entry.key: entry.value for entry in source.metadata_props} | dict(metadata)
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, known)


def _free_dimensions(proto: ModelProto, source: ModelProto) -> None:
    """Rule 2. Types stay: an input may have become half."""
    declared = {value.name: value for value in (*source.graph.input, *source.graph.output)}
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.ClearField("shape")
        if value.name in declared and declared[value.name].type.tensor_type.HasField("shape"):
            value.type.tensor_type.shape.CopyFrom(declared[value.name].type.tensor_type.shape)
    for graph in graphs(proto.graph):
        del graph.value_info[:]
