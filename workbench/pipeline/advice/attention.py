"""Attention that runs in several kernels: the matrix of scores is written and read again between them.

Pattern: MatMul -> scale, mask, casts -> Softmax -> MatMul, both products of computed tensors. One kernel keeps the
scores on the chip (Dao et al. 2022, FlashAttention). TensorRT for RTX 1.7 does so in FP16 (`_gemm_mha_v2`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import Layer
from workbench.core.precision import Precision
from workbench.core.titles import OPENVINO, TENSORRT
from workbench.core.words import plural
from workbench.pipeline.advice.base import HALVES, Level, Seen

LOOKS = "attention (MatMul, Softmax, MatMul) in more than one kernel"
_STEPS = "Mul Div Add Sub Where Cast Reshape Identity Dropout IsNaN Clip QuantizeLinear DequantizeLinear"
STEPS = frozenset(_STEPS.split(" "))
STEPS_MOST = 8
_FORMULA = (
    "every tensor from the scores to their product with the values that leaves a kernel, written once and read once;"
    " as a share of the layers' traffic, of their time"
)


def look(seen: Seen) -> Iterator[Advice]:
    chains = [chain for level in seen.levels for chain in _chains(level)]
    split = [chain for chain in chains if len(seen.layers_of(node.id for node in chain)) > 1]
    nodes = list({node.id: node for chain in split for node in chain}.values())
    if not nodes:
        return
    layers = seen.layers_of(node.id for node in nodes)
    saved = sum(_written(seen, chain) for chain in split)
    edit, why = _action(seen, nodes)
    yield Advice(
        "attention",
        f"Attention in {len(layers) / len(split):.0f} kernels" + (f", {len(split)} times" if len(split) > 1 else ""),
        f"{plural(len(split), 'block')} of MatMul, Softmax and MatMul {'are' if len(split) > 1 else 'is'} not one"
        f" kernel: the scores go through memory.",
        seen.by_cost(layers),
        tuple(node.id for node in nodes),
        seen.time(layers),
        seen.gain_ms(layers, saved),
        saved,
        _FORMULA,
        edit,
        why,
    )


def _action(seen: Seen, nodes: list[Layer]) -> tuple[Edit | None, str]:
    if seen.maker == TENSORRT:
        ran = {seen.layers[key].precision for key in seen.layers_of(node.id for node in nodes)}
        if ran & {*HALVES}:
            return None, "It runs in a half type already; TensorRT does not fuse this form of it."
        return Edit("Run attention in FP16", tuple(node.id for node in nodes), Precision.FP16), ""
    if seen.maker == OPENVINO:
        return None, "OpenVINO decides by the form of the graph; no choice of the plan changes that."
    return None, "This backend fuses its own attention operators only, which an exporter would have to write."


def _chains(level: Level) -> Iterator[list[Layer]]:
    for softmax in level.graph.layers:
        if softmax.op == "Softmax":
            before, behind = _way(level, softmax, _makers), _way(level, softmax, _readers)
            if before and behind:
                yield _from_the_scores(level, [*before, softmax, *behind])


def _from_the_scores(level: Level, chain: list[Layer]) -> list[Layer]:
    """The first product and what hangs on it, in order: not what only prepares a mask, which is no part of it."""
    within, names = {layer.id for layer in chain}, set[str]()
    found: list[Layer] = []
    for layer in level.graph.layers:
        if layer.id in within and (names & {*layer.inputs} or (not found and layer.op == "MatMul")):
            found.append(layer)
            names |= {*layer.outputs}
    return found


def _way(level: Level, softmax: Layer, step: Callable[[Level, Layer], list[Layer]]) -> list[Layer]:
    """From the softmax over scale, mask and guards to the one product of computed matrices; empty: there is none."""
    found, at = dict[str, Layer](), [softmax]
    for _ in range(STEPS_MOST):
        at = [layer for one in at for layer in step(level, one) if layer.id not in found]
        found |= {layer.id: layer for layer in at if layer.op in STEPS or layer.op == "MatMul"}
        products = {layer.id: layer for layer in at if layer.op == "MatMul"}
        if products:
            one = next(iter(products.values()))
            is_computed = len(products) == 1 and not any(level.is_constant(name) for name in one.inputs)
            return list(found.values()) if is_computed else []
        at = [layer for layer in at if layer.op in STEPS]
    return []


def _makers(level: Level, layer: Layer) -> list[Layer]:
    return [maker for name in layer.inputs if (maker := level.maker.get(name)) is not None]


def _readers(level: Level, layer: Layer) -> list[Layer]:
    return [reader for name in layer.outputs for reader in level.readers(name)]


def _written(seen: Seen, chain: list[Layer]) -> int:
    """Bytes between nodes of the chain that are computed in different kernels, each written once and read once."""
    makers = {name: (layer, at) for layer in chain for at, name in enumerate(layer.outputs)}
    crossing: dict[str, int] = {}
    for reader in chain:
        for name in reader.inputs:
            maker, at = makers.get(name, (reader, 0))
            sizes = seen.engine.sizes.get(maker.id, ())
            if maker is not reader and set(seen.working(maker.id)).isdisjoint(seen.working(reader.id)):
                crossing[name] = sizes[at] if at < len(sizes) else 0
    return 2 * sum(crossing.values())
