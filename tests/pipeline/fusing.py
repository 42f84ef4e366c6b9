"""Small source graphs and engines of them by hand, for tests of the ledger and of the alignment."""

from __future__ import annotations

from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph

BYTES = 1000  # of every tensor of the source


def node(number: int, op: str, reads: str, writes: str) -> Layer:
    return Layer(f"n{number}", "", op, tuple(reads.split()), tuple(writes.split()), sources=(f"n{number}",))


def source() -> Graph:
    """x -> Conv -> BatchNormalization -> Relu -> (Conv -> Relu, and a shortcut) -> Add -> Flatten -> Gemm -> y."""
    nodes = (
        node(0, "Conv", "x", "a"),
        node(1, "BatchNormalization", "a", "b"),
        node(2, "Relu", "b", "c"),
        node(3, "Conv", "c", "d"),
        node(4, "Relu", "d", "e"),
        node(5, "Add", "e c", "f"),
        node(6, "Flatten", "f", "g"),
        node(7, "Gemm", "g", "y"),
    )
    return Graph("source", nodes, {name: Tensor(name, (250,), "float32") for name in "abcdefg"}, ("x",), ("y",))


def layer(
    number: int,
    sources: str,
    reads: str,
    writes: str,
    *,
    title: str = "",
    precision: Precision | None = Precision.FP32,
    kind: LayerKind = LayerKind.COMPUTE,
    tactic: str = "",
) -> Layer:
    return Layer(
        id=f"l{number}",
        name=f"layer {number}",
        op=title or "Reorder",
        inputs=tuple(reads.split()),
        outputs=tuple(writes.split()),
        precision=precision,
        sources=tuple(sources.split()),
        kind=kind,
        tactic=tactic,
        title=title,
    )


def engine(*layers: Layer, dtypes: dict[str, str] | None = None, absorbed: str = "n6") -> EngineGraph:
    """Every node's fate from the sources of the layers; `absorbed` are nodes without a kernel of their own."""
    went: dict[str, list[str]] = {}
    for one in layers:
        for key in one.sources:
            went.setdefault(key, []).append(one.id)
    by_id = {one.id: one for one in layers}
    fates = {key: Fate(_kind(key, where, by_id, absorbed), tuple(where)) for key, where in went.items()}
    fates |= {n.id: Fate(FateKind.FOLDED) for n in source().layers if n.id not in fates}
    names = dict.fromkeys(name for one in layers for name in (*one.inputs, *one.outputs))
    tensors = {name: Tensor(name, (250,), (dtypes or {}).get(name, "float32")) for name in names}
    sizes = {n.id: (BYTES,) for n in source().layers}
    return EngineGraph(Graph("engine", layers, tensors, ("x",), ("y",)), fates, sizes)


def _kind(key: str, where: list[str], layers: dict[str, Layer], absorbed: str) -> FateKind:
    working = [one for one in where if layers[one].kind is not LayerKind.REFORMAT] or where
    if key in absorbed.split():
        return FateKind.ABSORBED
    if len(working) > 1:
        return FateKind.SPLIT
    return FateKind.FUSED if len(layers[working[0]].sources) > 1 else FateKind.ALONE


def fp32() -> EngineGraph:
    """Three fused layers and a change of layout that the compiler put in front."""
    return engine(
        layer(0, "", "x", "x1", kind=LayerKind.REFORMAT, tactic="reorder_f32"),
        layer(1, "n0 n1 n2", "x1", "c", title="Conv+BatchNormalization+Relu", tactic="conv_f32"),
        layer(2, "n3 n4 n5", "c", "f", title="Conv+Relu+Add", tactic="conv_f32"),
        layer(3, "n6 n7", "f", "y", title="Gemm", tactic="gemm_f32"),
    )


def int8() -> EngineGraph:
    """The second convolution is cut from its Add, which stays in FP32; inputs of both are quantized."""
    return engine(
        layer(0, "n0", "x", "x1", kind=LayerKind.REFORMAT, precision=Precision.FP32),
        layer(
            1, "n0 n1 n2", "x1", "c", title="Conv+BatchNormalization+Relu", precision=Precision.INT8, tactic="conv_s8"
        ),
        layer(2, "n3 n4", "c", "e", title="Conv+Relu", precision=Precision.INT8, tactic="conv_s8"),
        layer(3, "n5", "e c", "f", title="Add", tactic="eltwise_f32"),
        layer(4, "n6 n7", "f", "y", title="Gemm", tactic="gemm_f32"),
        dtypes={"x1": "uint8", "c": "uint8"},
    )
