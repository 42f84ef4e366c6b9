"""Sentences for the user about a finished build: where it is not the plain thing that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workbench.backends.tensorrt_rtx.layers import Block
from workbench.backends.tensorrt_rtx.targets import TARGETS
from workbench.core.graph import Graph
from workbench.core.model import TypedModel
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig


def notes_on(
    typed: TypedModel,
    config: BuildConfig,
    targets: Sequence[str],
    graph: Graph,
    block: Block,
    shown: Block,
    free_inputs: Sequence[str],
    beside: Mapping[str, int],
) -> tuple[str, ...]:
    """`block` is all the engine said, `shown` the part of it in `graph`; `free_inputs` have a free dimension; `beside`
    are bytes of `scratch` memory, and of persistent memory of `host` and `device`."""
    return (
        *_on_target(config, targets),
        *_on_precision(typed, graph, targets),
        *_on_profiles(config, block, shown, free_inputs),
        *_on_block(block),
        *_on_memory(beside),
    )


def is_tf32_asked(typed: TypedModel) -> bool:
    """TF32 is a permission for the whole engine, given where the plan asks for it anywhere."""
    return Precision.TF32 in (typed.hint, *typed.asked.values())


def _on_target(config: BuildConfig, targets: Sequence[str]) -> Iterator[str]:
    if targets and not config.target.strip():
        yield f"Built for {targets[0]} ({TARGETS[targets[0]]}), as no target was given."
    if targets:
        yield "Built ahead of time: the GPU's driver compiles the kernels when the engine is first loaded."


def _on_memory(beside: Mapping[str, int]) -> Iterator[str]:
    if "scratch" in beside:
        host, device = (f"{beside.get(name, 0):,} bytes" for name in ("host", "device"))
        yield (
            f"Scratch memory of a layer: at most {beside['scratch']:,} bytes, which the activations hold;"
            f" persistent memory: {host} of the host, {device} of the GPU."
        )


def _on_precision(typed: TypedModel, graph: Graph, targets: Sequence[str]) -> Iterator[str]:
    if is_tf32_asked(typed):
        yield "TF32 is allowed for all float32 layers; which of them use it is chosen on the GPU."
    if targets and any(layer.precision is Precision.INT8 for layer in graph.layers):
        yield (
            "TensorRT for RTX lets INT8 convolutions write float and quantizes again in kernels of their own: "
            "INT8 is not promised to be faster or smaller than FP16 here."
        )
    if any(tensor.dtype == "float64" for tensor in typed.model.graph.tensors.values()):
        yield "TensorRT computes float64 tensors in float32."


def _on_profiles(config: BuildConfig, block: Block, shown: Block, free_inputs: Sequence[str]) -> Iterator[str]:
    if config.profiles and not free_inputs:
        yield "The model has no free dimensions, so the optimization profiles had no effect."
    hidden = len(block.layers) - len(shown.layers)
    if hidden:
        yield f"The graph shows the first optimization profile; {hidden} layers of the others are left out."


def _on_block(block: Block) -> Iterator[str]:
    if not block.layers:
        yield "This TensorRT did not list the layers of the engine."
    if block.unread:
        yield f"{len(block.unread)} lines of TensorRT's layer list could not be read."
