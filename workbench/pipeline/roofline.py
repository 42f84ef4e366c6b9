"""The roofline of an engine: what its layers do by their shapes, and how near each comes to the roof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import prod

from workbench.core.ceilings import Ceilings
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.core.roofline import Bound, LayerPoint, LayerWork, Roofline
from workbench.core.run import EngineGraph, Run
from workbench.measure.machine import cpu_model, logical_cores, physical_cores
from workbench.model.costs import as_read
from workbench.model.flops import only_moves

_HALVES = (Precision.BF16, Precision.FP16)
_WEIGHTS = (Precision.INT8_WEIGHTS, Precision.INT4_WEIGHTS, Precision.FP4_WEIGHTS)
_FLOATS = {"float16": Precision.FP16, "bfloat16": Precision.BF16, "float32": Precision.FP32}
_AT_WORK = (LayerKind.COMPUTE, LayerKind.REFORMAT, LayerKind.CONTROL)


def roofline(engine: EngineGraph, layer_ms: Mapping[str, float], ceilings: Ceilings) -> Roofline:
    """Every layer that runs a kernel. `layer_ms`: mean ms by layer id; empty where nothing was timed.

    A time of 0 is one too short to be told (OpenVINO counts whole microseconds): the layer has no share then.
    """
    work = layer_work(engine)
    layers = [layer for layer in engine.graph.walk() if layer.kind in _AT_WORK]
    return Roofline(
        ceilings, tuple(_point(layer, work[layer.id], layer_ms.get(layer.id), ceilings) for layer in layers)
    )


def machine_name() -> str:
    """What measured ceilings hold for: the processor and the cores this process may use."""
    return f"{cpu_model()}, {physical_cores()} cores, {logical_cores()} logical"


def threads_of(run: Run) -> int:
    """Threads that a run's engine has on this machine."""
    tuned = run.build.tuned if run.build is not None else {}
    return int(tuned.get("threads", run.config.threads)) or physical_cores()


def _point(layer: Layer, work: LayerWork, ms: float | None, ceilings: Ceilings) -> LayerPoint:
    size = work.size_bytes
    if work.flops is None or size is None:
        return LayerPoint(layer.id, layer.name, work, ms or None)
    moving = 1e3 * size / ceilings.bandwidth(size)
    peak = ceilings.peak(work.precision)
    computing = 1e3 * work.flops / peak if peak else 0.0
    bound = Bound.COMPUTE if computing > moving else Bound.MEMORY
    return LayerPoint(layer.id, layer.name, work, ms or None, max(moving, computing), bound)


def layer_work(engine: EngineGraph) -> dict[str, LayerWork]:
    """By layer id, bodies of control flow included.

    Bytes: of every tensor that enters or leaves, once, as the engine itself stores it, and of a table no more than is
    selected from it; what is fused stays inside.
    FLOPs: of the source nodes (`EngineGraph.costs`); a node in several layers counts in equal parts at those that
    compute, for what only converts or reshapes for it does none of its arithmetic.
    """
    flops = _flops(engine)
    found: dict[str, LayerWork] = {}
    waiting: list[tuple[Graph, Mapping[str, Tensor]]] = [(engine.graph, {})]
    while waiting:
        graph, outer = waiting.pop()
        tensors = {**outer, **graph.tensors}
        found |= {layer.id: _work(layer, tensors, flops.get(layer.id, 0.0)) for layer in graph.layers}
        waiting += [(body, tensors) for body in graph.subgraphs.values()]
    return found


def _work(layer: Layer, tensors: Mapping[str, Tensor], flops: float | None) -> LayerWork:
    reads = [tensors[name] for name in dict.fromkeys(layer.inputs) if name in tensors]
    writes = [tensors[name] for name in dict.fromkeys(layer.outputs) if name in tensors]
    parts = as_read(layer, reads, writes)
    return LayerWork(
        flops=flops,
        bytes_read=_bytes(t for t in parts if not t.constant),
        bytes_written=_bytes(writes),
        bytes_weights=sum(_stored(t, layer.precision) for t in parts if t.constant),
        precision=computed_in(layer, reads, writes),
    )


def computed_in(layer: Layer, reads: Sequence[Tensor], writes: Sequence[Tensor]) -> Precision | None:
    """The arithmetic of a layer: its precision; with weights that are only stored narrow, the type of its data."""
    if layer.precision not in _WEIGHTS:
        return layer.precision
    data = (tensor.dtype for tensor in (*writes, *reads) if not tensor.constant)
    return next((_FLOATS[dtype] for dtype in data if dtype in _FLOATS), Precision.FP32)


def _bytes(tensors: Iterable[Tensor]) -> int | None:
    """None where one has a size that is not known; a tensor without elements has, and it is 0."""
    total = 0
    for tensor in tensors:
        if not tensor.size_bytes and (tensor.shape is None or not all(isinstance(dim, int) for dim in tensor.shape)):
            return None
        total += tensor.size_bytes
    return total


def _stored(tensor: Tensor, precision: Precision | None) -> int:
    """Bytes of a weight. Engines that compute in BF16 or FP16 pack float32 weights so before the first inference."""
    if precision in _HALVES and tensor.dtype == "float32" and tensor.shape and prod(map(_int, tensor.shape)) > 1:
        return tensor.size_bytes // 2
    return tensor.size_bytes


def _int(dim: int | str) -> int:
    return dim if isinstance(dim, int) else 0


def _flops(engine: EngineGraph) -> dict[str, float | None]:
    """By layer; None where a node's are not known. Layers that run no node of the model do no arithmetic of it."""
    layers = {layer.id: layer for layer in engine.graph.walk()}
    homes: dict[str, list[str]] = defaultdict(list)
    for layer in layers.values():
        for node in layer.sources:
            homes[node].append(layer.id)
    found: dict[str, float | None] = {}
    for node, where in homes.items():
        computing = [home for home in where if layers[home].kind is LayerKind.COMPUTE] or where
        computing = [home for home in computing if not only_moves(layers[home].op)] or computing
        cost = engine.costs.get(node)
        for home in computing:
            part = cost.flops / len(computing) if cost is not None and cost.flops is not None else None
            before = found.get(home, 0.0)
            found[home] = before + part if before is not None and part is not None else None
    return found
