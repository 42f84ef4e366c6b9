"""Known faults of OpenVINO that a build has to avoid, each with how it was seen."""

from __future__ import annotations

from workbench.backends._problems import Problem
from workbench.core.errors import one_line
from workbench.core.graph import Graph, Layer

CHAINED_PRODUCTS = (
    "OpenVINO's kernels for several operators at once are off: the one for chained matrix products computes wrongly"
    " in INT8 (2026.4)."
)

_PRODUCTS = frozenset({"MatMul", "Gemm"})
_SWALLOWED = frozenset({"QuantizeLinear", "Relu", "Clip", "Mul", "Div", "Identity"})
_BETWEEN = _SWALLOWED | {"DequantizeLinear", "Add", "Sub", "Neg", "Abs", "LeakyRelu", "Tanh", "Sigmoid"}


def strings_problem(graph: Graph) -> Problem | None:
    """Strings come out empty, and the request that held them corrupts memory when it goes (2026.4: `free()`)."""
    for word, names in (("input", graph.inputs), ("output", graph.outputs)):
        for name in names:
            if name in graph.tensors and graph.tensors[name].dtype == "string":
                return Problem(f"OpenVINO loses strings, and the {word} {one_line(name, 80)!r} holds some.", {})
    return None


def has_chained_products(graph: Graph) -> bool:
    """Whether a quantized product of matrices, its result rounded at once, goes into another one.

    OpenVINO 2026.4 makes one kernel (Subgraph) of up to about 16 rows of such a chain. Where a bias is added to the
    first product it is right; where what follows directly is swallowed by the rounding (nothing, Relu, Clip, a factor)
    its output is memory that nobody wrote: 8 x 8 x 8 in INT8 is 0 to -190 dB from its own Q/DQ, not 140.
    """
    readers: dict[str, list[Layer]] = {}
    for layer in graph.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    made_by = {name: layer.op for layer in graph.layers for name in layer.outputs}
    first = (layer for layer in graph.layers if _is_quantized_product(graph, layer, made_by))
    return any(_reaches_a_product(layer, readers) for layer in first)


def _is_quantized_product(graph: Graph, layer: Layer, made_by: dict[str, str]) -> bool:
    if layer.op not in _PRODUCTS or made_by.get(layer.inputs[0]) != "DequantizeLinear":
        return False
    has_bias = layer.op == "Gemm" and len(layer.inputs) > 2 and bool(layer.inputs[2])
    tensor = graph.tensors.get(layer.inputs[0])
    rank = len(tensor.shape) if tensor and tensor.shape is not None else 2
    return rank == 2 and not has_bias


def _reaches_a_product(product: Layer, readers: dict[str, list[Layer]]) -> bool:
    waiting = [layer for layer in readers.get(product.outputs[0], ()) if layer.op in _SWALLOWED]
    seen: set[str] = set()
    while waiting:
        layer = waiting.pop()
        if layer.op in _PRODUCTS:
            return True
        if layer.op in _BETWEEN and layer.id not in seen:
            seen.add(layer.id)
            waiting.extend(reader for name in layer.outputs for reader in readers.get(name, ()))
    return False
