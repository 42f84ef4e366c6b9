"""A small roofline: a product that is compute bound, one that is memory bound, a copy, and a layer nobody can count."""

from __future__ import annotations

from workbench.core.ceilings import Bandwidth, Ceilings
from workbench.core.costs import Cost
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.core.roofline import Roofline
from workbench.core.run import EngineGraph
from workbench.pipeline.roofline import roofline

CEILINGS = Ceilings(
    "A machine, 1 thread",
    1,
    (Bandwidth(40e9, 1 << 20), Bandwidth(10e9, 1 << 28)),
    {Precision.FP32: 100e9, Precision.INT8: 400e9},
    "measured",
)
GPU = Ceilings("A GPU", 0, (Bandwidth(1e12),), {Precision.FP32: 80e12, Precision.INT8: 600e12}, is_estimate=True)
MIB = 1 << 20


def tensor(name: str, size: int, *, constant: bool = False, dtype: str = "float32") -> Tensor:
    return Tensor(name, (size,), dtype, size, constant)


def engine() -> EngineGraph:
    """x -> Conv (INT8, heavy) -> Gemm (FP32, light) -> Transpose; the last layer writes a free shape."""
    layers = (
        Layer("l0", "conv", "Conv", ("x", "w"), ("a",), Precision.INT8, ("n0", "n1")),
        Layer("l1", "gemm", "Gemm", ("a",), ("b",), Precision.FP32, ("n2",)),
        Layer("l2", "move", "Reorder", ("b",), ("c",), Precision.FP32, (), kind=LayerKind.REFORMAT),
        Layer("l3", "open", "NonZero", ("c",), ("d",), None, ("n3",)),
    )
    tensors = {
        "x": tensor("x", MIB),
        "w": tensor("w", 2 * MIB, constant=True, dtype="int8"),
        "a": tensor("a", MIB),
        "b": tensor("b", 4 * MIB),
        "c": tensor("c", 4 * MIB),
        "d": Tensor("d", ("count",), "int64"),
    }
    costs = {"n0": Cost(400_000_000), "n1": Cost(1_000_000), "n2": Cost(2_000_000), "n3": Cost(0)}
    return EngineGraph(Graph("engine", layers, tensors, ("x",), ("d",)), {}, costs=costs)


ROOFLINE: Roofline = roofline(engine(), {"l0": 4.0, "l1": 1.0, "l2": 1.0, "l3": 0.5}, CEILINGS)
ESTIMATED: Roofline = roofline(engine(), {}, GPU)
