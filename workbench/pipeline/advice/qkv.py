"""Products of one tensor with several weights that run one after the other: one wide product reads it once.

Queries, keys and values are the usual case. TensorRT merges them by itself in FP32 (horizontal fusion); the weights
side by side give the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.graph import Layer
from workbench.core.words import plural
from workbench.pipeline.advice.base import Level, Seen

LOOKS = "three or more products of one tensor with constant weights (queries, keys, values) in separate kernels"
LEAST = 3
_FORMULA = "the tensor read once instead of once for each product; as a share of the layers' traffic, of their time"


def look(seen: Seen) -> Iterator[Advice]:
    groups = [group for level in seen.levels for group in _groups(level) if _are_apart(seen, group)]
    nodes = [node for group in groups for node in group]
    layers = seen.layers_of(node.id for node in nodes)
    if not layers:
        return
    saved = sum((len(group) - 1) * _read(seen, group[0]) for group in groups)
    yield Advice(
        "qkv",
        f"{plural(len(nodes), 'product')} not merged",
        f"{plural(len(groups), 'tensor')} {'are' if len(groups) > 1 else 'is'} read once for each of"
        f" {len(nodes) / len(groups):.3g} products with weights of their own, which could be one.",
        seen.by_cost(layers),
        tuple(node.id for node in nodes),
        seen.time(layers),
        seen.gain_ms(layers, saved),
        saved,
        _FORMULA,
        None,
        "A plan says precisions and does not rewrite products: put the weights side by side where the model is made.",
    )


def _groups(level: Level) -> Iterator[list[Layer]]:
    """Products that read one computed tensor, each with constant weights of two axes."""
    found: dict[tuple[str, str], list[Layer]] = defaultdict(list)
    for node in level.graph.layers:
        if node.op in ("MatMul", "Gemm") and len(node.inputs) > 1 and _is_weight(level, node.inputs[1]):
            found[_origin(level, node.inputs[0]), node.op].append(node)
    yield from (group for group in found.values() if len(group) >= LEAST)


def _origin(level: Level, name: str) -> str:
    """The tensor behind Q/DQ pairs, of which each product may have its own."""
    while (maker := level.maker.get(name)) is not None and maker.op in ("QuantizeLinear", "DequantizeLinear"):
        name = maker.inputs[0]
    return name


def _is_weight(level: Level, name: str) -> bool:
    while (maker := level.maker.get(name)) is not None and maker.op == "DequantizeLinear":
        name = maker.inputs[0]
    return level.is_constant(name)


def _are_apart(seen: Seen, group: list[Layer]) -> bool:
    """Every product in kernels of its own."""
    layers = [set(seen.working(node.id)) for node in group]
    return all(layers) and len(set().union(*layers)) == sum(map(len, layers))


def _read(seen: Seen, node: Layer) -> int:
    """Bytes of the tensor that the product's engine layer reads beside weights."""
    level, layer = seen.engine_levels[0], seen.layers[seen.working(node.id)[0]]
    sizes = [level.size(name) for name in layer.inputs if not level.is_constant(name)]
    return sizes[0] if sizes else 0
