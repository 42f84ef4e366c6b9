"""Suspects: the layers that a plan has in a low precision, and the error that each introduces by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.graph import Graph, Layer, LayerKind
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.sensitivity import Granularity
from workbench.measure.accuracy import ErrorSums
from workbench.measure.machine import physical_cores
from workbench.measure.reference import Reference
from workbench.measure.timing import stop_if
from workbench.model import find_scopes
from workbench.pipeline.building import QUANTIZABLE
from workbench.pipeline.evaluating import Subject
from workbench.pipeline.files import LAYER_WEIGHTS_FILE
from workbench.pipeline.telling import Teller
from workbench.precision import asked_precisions
from workbench.precision.aside import WeightsAside
from workbench.precision.dissection import Chunk, Dissection, dissect
from workbench.precision.parts import Part

FULL = (Precision.FP32, Precision.TF32)
_HALVES = (Precision.FP16, Precision.BF16)
LOOKED_AT = 2
"""Samples that introduced errors are taken of: they guide, they decide nothing."""
Arrays = dict[str, NDArray[np.generic]]


class Suspect(msgspec.Struct, frozen=True):
    """A layer, or a group of them, that the plan has in a low precision. `nodes` are ids of source nodes."""

    nodes: tuple[str, ...]
    title: str
    op: str
    precision: str


def suspects(model: Model, plan: PrecisionPlan, granularity: Granularity) -> list[Suspect]:
    """In execution order."""
    asked = asked_precisions(model, plan)
    found = [_of_layer(layer, asked[layer.id]) for layer in _low(model.graph, asked, _inside(model.graph))]
    return _grouped(found, model.graph) if granularity is Granularity.GROUP else found


def only_low(plan: PrecisionPlan, everyone: Collection[Suspect], low: Collection[Suspect]) -> PrecisionPlan:
    """The plan with all suspects in FP32 but these."""
    return exempting(plan, [suspect for suspect in everyone if suspect not in low])


def exempting(plan: PrecisionPlan, exempt: Collection[Suspect]) -> PrecisionPlan:
    """The plan with these suspects in FP32."""
    nodes = tuple(node for suspect in exempt for node in suspect.nodes)
    return msgspec.structs.replace(plan, rules=(*plan.rules, Rule(Precision.FP32, nodes=nodes))) if nodes else plan


def _low(graph: Graph, asked: Mapping[str, Precision], inside: Collection[str]) -> Iterator[Layer]:
    """Nodes whose arithmetic the plan changes: products where it is quantized, whatever computes floats in halves."""
    types = {name: tensor.dtype for part in _graphs(graph) for name, tensor in part.tensors.items()}
    for layer in graph.walk():
        precision = asked[layer.id]
        if precision in FULL or layer.kind is not LayerKind.COMPUTE:
            continue
        if precision in _HALVES:
            if any("float" in types.get(name, "float") for name in layer.outputs if name):
                yield layer
        elif layer.op in QUANTIZABLE and layer.id not in inside:
            yield layer


def _graphs(graph: Graph) -> Iterator[Graph]:
    yield graph
    for body in graph.subgraphs.values():
        yield from _graphs(body)


def _inside(graph: Graph) -> frozenset[str]:
    """Ids of nodes in bodies, of which none is quantized."""
    return frozenset(layer.id for body in graph.subgraphs.values() for layer in body.walk())


def _of_layer(layer: Layer, precision: Precision) -> Suspect:
    return Suspect((layer.id,), layer.name or f"{layer.op} {layer.id}", layer.op, precision.value)


def _grouped(layers: list[Suspect], graph: Graph) -> list[Suspect]:
    """One for each innermost group; layers in none stay alone. A group stands where its first layer does."""
    group_of = {node: scope for scope in find_scopes(graph).walk() if scope.id for node in scope.layers}
    members: dict[str, list[Suspect]] = {}
    for layer in layers:
        scope = group_of.get(layer.nodes[0])
        members.setdefault(scope.id if scope else layer.nodes[0], []).append(layer)
    return [_of_group(key, held) for key, held in members.items()]


def _of_group(key: str, held: list[Suspect]) -> Suspect:
    if len(held) == 1:
        return held[0]
    ops, precisions = ({getattr(one, field) for one in held} for field in ("op", "precision"))
    nodes = tuple(node for one in held for node in one.nodes)
    op = f"{len(held)} {next(iter(ops)) if len(ops) == 1 else 'layers'}"
    return Suspect(nodes, key, op, next(iter(precisions)) if len(precisions) == 1 else "")


def introduced(teller: Teller, on: Subject, typed: TypedModel, folder: Path) -> dict[str, float]:
    """SQNR in dB of each node's output when it alone is in its low precision and gets the reference's inputs.

    By id of the source node, of all nodes that a layer stands for; -200 where it makes NaN or infinity of them. One
    pass over two samples, a chunk of the graph after the other. Raises WorkbenchError and Cancelled.
    """
    feeds = [on.samples.feed(index) for index in range(min(LOOKED_AT, on.samples.size))]
    with WeightsAside(folder / LAYER_WEIGHTS_FILE) as aside:
        dissection = dissect(on.model, typed, on.fixed, aside)
        sums = {tensor.name: ErrorSums() for tensor in dissection.tensors}
        carried: list[Arrays] = [dict(feed) for feed in feeds]
        for index in range(len(dissection.chunks)):
            stop_if(teller.cancelled)
            teller.progress("errors", index, len(dissection.chunks), "error that each layer introduces")
            carried = _through(dissection.chunk(index), carried, feeds, sums, folder)
    return _by_node(dissection, sums)


def _through(
    chunk: Chunk, carried: list[Arrays], feeds: Sequence[Feed], sums: Mapping[str, ErrorSums], folder: Path
) -> list[Arrays]:
    """Adds the errors of a chunk's layers, and gives what later chunks need of each sample."""
    threads, left = min(2, physical_cores()), list[Arrays]()
    with Reference(chunk.reference.onnx(), threads, folder) as exact:
        for tensors in carried:
            tensors |= _infer(chunk.reference, exact, tensors)
    with Reference(chunk.typed_alone.onnx(), threads, folder) as typed:
        for tensors, feed in zip(carried, feeds, strict=True):
            for name, got in _infer(chunk.typed_alone, typed, tensors).items():
                if name in sums and got.shape == tensors[name].shape:
                    sums[name].add(tensors[name], got)
            left.append({name: array for name, array in tensors.items() if name in chunk.kept or name in feed})
    return left


def _infer(part: Part, session: Reference, tensors: Arrays) -> Arrays:
    made = session.infer({name: tensors[name].astype(dtype, copy=False) for name, dtype in part.inputs.items()})
    return {tensor: made[name] for name, tensor in part.outputs.items()}


def _by_node(dissection: Dissection, sums: Mapping[str, ErrorSums]) -> dict[str, float]:
    """Where several tensors stand for a node, the worst."""
    found: dict[str, float] = {}
    for tensor in dissection.tensors:
        if sums[tensor.name].count:
            error = sums[tensor.name].error().sqnr_db
            for node in tensor.nodes:
                found[node] = min(error, found.get(node, error))
    return found
