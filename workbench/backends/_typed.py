"""The typed ONNX as backends need it: its graph, and which node makes a tensor."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, TypedModel
from workbench.model import annotate
from workbench.model.graph import build_graph
from workbench.model.inference import types_by_graph
from workbench.model.walk import graphs


class TypedGraph:
    """A typed model's ONNX file. `Layer.name` of `graph` are the names of the nodes (`n10+n11`, `n17:quantize_x`)."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self.graph = build_graph(proto.graph, types_by_graph(proto))
        self.names = {layer.name for layer in self.graph.walk()}
        self.maker = {name: layer.name for layer in self.graph.layers for name in layer.outputs if name}
        self.node = {layer.name: layer for layer in self.graph.walk()}

    @cached_property
    def is_quantized(self) -> bool:
        """Whether anything in it is meant to compute in integers."""
        return any(
            "Quantize" in layer.op or "Integer" in layer.op or "QLinear" in layer.op for layer in self.graph.walk()
        )


def read_typed(typed: TypedModel) -> TypedGraph:
    """Raises WorkbenchError where the file is missing or damaged."""
    if not Path(typed.path).is_file():
        raise WorkbenchError("The typed model of this run is gone.", "Run it again.")
    proto = onnx.load(typed.path, load_external_data=False)
    annotate(proto)
    return TypedGraph(proto)


def freed(typed: TypedModel) -> tuple[Path, TypedGraph]:
    """A copy of the typed file beside it with the free dimensions of its inputs free again, and its graph."""
    proto = onnx.load(typed.path, load_external_data=False)
    free_inputs(proto, typed.model)
    path = Path(typed.path).with_name("free.onnx")  # beside its external data
    onnx.save_model(proto, path)
    annotate(proto)
    return path, TypedGraph(proto)


def free_inputs(proto: onnx.ModelProto, model: Model) -> None:
    """Sets the free dimensions of inputs free again, in place, and forgets what was inferred from fixed ones.

    A guess of their sizes may be what does not fit; and sizes that are known make some engines refuse a branch that
    these very sizes never take.
    """
    dims = {spec.name: spec.shape for spec in model.inputs}
    for value in proto.graph.input:
        for place, dim in zip(value.type.tensor_type.shape.dim, dims.get(value.name, ()), strict=False):
            if isinstance(dim, str):
                place.dim_param = dim
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    for graph in graphs(proto.graph):
        del graph.value_info[:]
