"""What each node costs with the shapes chosen: arithmetic, weights, bytes read and written. Nothing is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import msgspec

from workbench.core.costs import Cost
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.model import Model, Shape
from workbench.model.external import fingerprint, load_external
from workbench.model.flops import flops_of
from workbench.model.folding import fold_shapes
from workbench.model.functions import Functions, inline_functions
from workbench.model.graph import build_graph
from workbench.model.guard import read_model
from workbench.model.ids import name_by_id
from workbench.model.inference import infer, skeleton, type_of, types_by_graph
from workbench.model.kinds import SELECTING
from workbench.model.private import freeze_inputs
from workbench.model.sorting import sort_all

_NOT_PARAMETERS = ("int64", "bool", "str", "")  # indices, shapes and text: as `weights.py` counts


def model_costs(model: Model, shapes: Mapping[str, Shape]) -> dict[str, Cost]:
    """By node id, bodies included. Reads the file again, without its weights. Raises WorkbenchError."""
    return node_costs(graph_at(model, shapes))


def graph_at(model: Model, shapes: Mapping[str, Shape]) -> Graph:
    """The source graph with the shapes that its tensors have where the inputs have `shapes`."""
    path = Path(model.path)
    proto, data, files = read_model(path)
    if fingerprint(data, path.parent, files) != model.sha256:
        raise WorkbenchError(f"{path.name} has changed since it was opened.", "Open it again.")
    light, places = skeleton(proto)
    load_external(light, path.parent)
    light.ir_version = max(light.ir_version, 4)  # older files cannot have initializers that are not inputs
    name_by_id(light.graph, places=places)
    inline_functions(light)
    sort_all(light.graph)
    freeze_inputs(light, model, shapes)
    fold_shapes(light)
    inferred, _ = infer(light)
    types = types_by_graph(inferred)
    for tensor in light.graph.initializer:  # what was folded
        types[""].setdefault(tensor.name, (tensor.data_type, tuple(tensor.dims)))
    for value in light.graph.input:
        types[""][value.name] = type_of(value)
    return build_graph(proto.graph, types, Functions(proto))


def node_costs(graph: Graph) -> dict[str, Cost]:
    """By layer id, bodies included; what the shapes in `graph` leave open is None."""
    found: dict[str, Cost] = {}
    waiting: list[tuple[Graph, Mapping[str, Tensor], frozenset[str]]] = [(graph, {}, frozenset())]
    while waiting:
        inner, outer, made_outside = waiting.pop()
        tensors = {**outer, **inner.tensors}
        weights = made_outside | _made_weights(inner, tensors)
        for layer in inner.layers:
            found[layer.id] = _cost(layer, tensors, weights)
        waiting += [(body, tensors, weights) for body in inner.subgraphs.values()]
    return found


def _made_weights(graph: Graph, tensors: Mapping[str, Tensor]) -> frozenset[str]:
    """Weights that a file makes instead of holding them: ConstantOfShape of a constant, as light test models have."""
    made: set[str] = set()
    for layer in graph.layers:
        known = [tensors[name].constant for name in layer.inputs if name in tensors]
        if layer.op == "ConstantOfShape" and known and all(known):
            made.update(layer.outputs)
    return frozenset(made)


def _cost(layer: Layer, tensors: Mapping[str, Tensor], weights: frozenset[str]) -> Cost:
    if layer.kind is LayerKind.CONSTANT:
        return Cost(0, 0, 0, 0)
    reads = [tensors[name] for name in dict.fromkeys(layer.inputs) if name in tensors]
    writes = [tensors[name] for name in layer.outputs if name in tensors]
    is_view = layer.outputs and set(layer.outputs) <= weights
    return Cost(
        flops=0 if layer.kind is LayerKind.SHAPE else flops_of(layer, tensors),
        parameters=0 if is_view else sum(_elements(t) for t in reads if t.constant or t.name in weights),
        bytes_read=_bytes(as_read(layer, reads, writes)),
        bytes_written=_bytes(writes),
    )


def as_read(layer: Layer, reads: Sequence[Tensor], writes: Sequence[Tensor]) -> list[Tensor]:
    """`reads`, the tensors that a layer is given, in order, as large as it reads them: of a table that it selects from
    (an embedding of 90 MB, for 64 words) as much as it writes."""
    if layer.op not in SELECTING or not reads or not writes:
        return list(reads)
    table, count, taken = reads[0], _count(reads[0]), _count(writes[0])
    if not count or taken is None or taken >= count:
        return list(reads)
    part = msgspec.structs.replace(table, shape=writes[0].shape, size_bytes=table.size_bytes * taken // count)
    return [part, *reads[1:]]


def _elements(tensor: Tensor) -> int:
    """Of a weight; 0 of what is no parameter."""
    return 0 if tensor.dtype in _NOT_PARAMETERS else _count(tensor) or 0


def _count(tensor: Tensor) -> int | None:
    """Elements; None where a dimension is not known."""
    dims = [dim for dim in tensor.shape if isinstance(dim, int)] if tensor.shape is not None else None
    return prod(dims) if dims is not None and len(dims) == len(tensor.shape or ()) else None


def _bytes(tensors: list[Tensor]) -> int | None:
    """None where one is not known: a tensor without elements is, and is 0."""
    if any(_count(tensor) is None for tensor in tensors):
        return None
    return sum(tensor.size_bytes for tensor in tensors)
