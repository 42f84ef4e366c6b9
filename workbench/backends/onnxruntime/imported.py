"""A profile that ONNX Runtime wrote elsewhere (`SessionOptions.enable_profiling`): its nodes, with their times."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.backends._fates import resolve_fates
from workbench.backends._foreign import NO_MODEL, Names, with_edges
from workbench.backends._names import known_sources, named_by_nodes
from workbench.backends.onnxruntime.layers import _REFORMATS, precision_run
from workbench.core.graph import Fate, Graph, Layer, LayerKind
from workbench.core.model import Model

_TYPES = {"float": "float32", "double": "float64", "float16": "float16", "bfloat16": "bfloat16", "bool": "bool"}


class ProfiledNode(msgspec.Struct, frozen=True):
    """A node as it ran: `read` and `made` are element types in ONNX Runtime's words (`float`, `int8`)."""

    name: str
    op: str
    provider: str = ""
    read: tuple[str, ...] = ()
    made: tuple[str, ...] = ()


def imported_engine(nodes: Sequence[ProfiledNode], model: Model | None) -> tuple[Graph, dict[str, Fate]]:
    """Layers `l0` … in the order of `nodes`, which tell no edges: they are those of the source nodes."""
    known, source = Names(model or NO_MODEL), model or NO_MODEL
    types = [word for node in nodes for word in (*node.read, *node.made)]
    is_quantized = any(word in ("int8", "uint8") for word in types)
    told = [_layer(f"l{index}", node, known, is_quantized=is_quantized) for index, node in enumerate(nodes)]
    layers, fates = resolve_fates(source, told)
    layers = with_edges(source, named_by_nodes(source, layers) if model else layers)
    return msgspec.structs.replace(source.graph, layers=layers, subgraphs={}), fates


def _layer(ident: str, node: ProfiledNode, names: Names, *, is_quantized: bool) -> Layer:
    kind = LayerKind.REFORMAT if node.op in _REFORMATS else LayerKind.COMPUTE
    read, made = ([_TYPES.get(word, word) for word in words] for words in (node.read, node.made))
    return Layer(
        id=ident,
        name=node.name,
        op=node.op,
        precision=precision_run(node.op, {}, read, made, is_quantized),
        sources=_sources(node.name, names),
        kind=kind,
        attributes={"provider": node.provider} if node.provider else {},
    )


def _sources(name: str, names: Names) -> tuple[str, ...]:
    """By the name of the node, or of the tensor it makes in blocked layout (`b_nchwc`)."""
    plain = name.removesuffix("_nchwc")
    return known_sources([names.find(name) or names.find(plain) or names.maker(plain)])
