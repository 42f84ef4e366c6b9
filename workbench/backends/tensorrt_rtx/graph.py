"""The engine's graph with sources and fates, from the `Layers:` block and the model it was built from."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workbench.backends._fates import resolve_fates
from workbench.backends.tensorrt_rtx.dtypes import DTYPES
from workbench.backends.tensorrt_rtx.kinds import kind_of, operations, precision_of, size_bytes, word_for
from workbench.backends.tensorrt_rtx.layers import Block, EngineLayer, EngineTensor
from workbench.backends.tensorrt_rtx.owners import Owned, owned_nodes
from workbench.core.graph import Fate, Graph, Layer, LayerKind, Tensor
from workbench.core.model import TypedModel

_WITH_PRECISION = (LayerKind.COMPUTE, LayerKind.REFORMAT, LayerKind.CONSTANT)


def engine_graph(block: Block, typed: TypedModel) -> tuple[Graph, dict[str, Fate]]:
    """Layers in execution order, and the fate of every node of `typed.model.graph`."""
    ops = {node.id: node.op for node in typed.model.graph.walk()}
    owned = owned_nodes(block.layers, ops)
    placed = {node for one in owned for node in one.own}
    named = [_layer(f"l{i}", line, one, placed) for i, (line, one) in enumerate(zip(block.layers, owned, strict=True))]
    layers, fates = resolve_fates(typed.model, named, typed.removed)
    graph = Graph(
        name=typed.model.graph.name,
        layers=tuple(_with_op(layer) for layer in layers),
        tensors=_tensors(block.layers),
        inputs=block.inputs,
        outputs=block.outputs,
    )
    return graph, fates


def _layer(ident: str, line: EngineLayer, owned: Owned, placed: set[str]) -> Layer:
    """`placed` are nodes that some layer runs; the place of any other is not where it is merely served."""
    kind = kind_of(line, bool(owned.own), bool(owned.served))
    return Layer(
        id=ident,
        name=line.name,
        op=word_for(line) if kind is not LayerKind.COMPUTE else "+".join(operations(line)) or line.type,
        inputs=tuple(tensor.name for tensor in (*line.inputs, *line.constants)),
        outputs=tuple(tensor.name for tensor in line.outputs),
        precision=precision_of(line) if kind in _WITH_PRECISION else None,
        sources=owned.own or tuple(node for node in owned.served if node in placed),
        kind=kind,
        tactic=line.tactic,
        attributes=_attributes(line),
    )


def _attributes(line: EngineLayer) -> dict[str, str]:
    formats = dict.fromkeys(tensor.format for tensor in line.outputs if tensor.format)
    facts = {
        "type": line.type,
        "kernel operations": "+".join(operations(line)),
        "output format": ", ".join(formats),
        "stream": line.stream,
    }
    return {key: value for key, value in facts.items() if value}


def _with_op(layer: Layer) -> Layer:
    """`op` in the words of the model, for TensorRT has none: the title; what the kernel does where it runs no node."""
    is_titled = layer.title and layer.kind in (LayerKind.COMPUTE, LayerKind.CONTROL)
    return msgspec.structs.replace(layer, op=layer.title) if is_titled else layer


def _tensors(lines: Iterable[EngineLayer]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for line in lines:
        for tensor in (*line.inputs, *line.outputs):
            found.setdefault(tensor.name, _tensor(tensor, constant=False))
        for tensor in line.constants:
            found.setdefault(tensor.name, _tensor(tensor, constant=True))
    return found


def _tensor(tensor: EngineTensor, *, constant: bool) -> Tensor:
    return Tensor(
        name=tensor.name,
        shape=tuple(dim if dim >= 0 else "?" for dim in tensor.dims),
        dtype=DTYPES.get(tensor.dtype, (tensor.dtype.lower(), 0))[0],
        size_bytes=size_bytes(tensor),
        constant=constant,
    )
