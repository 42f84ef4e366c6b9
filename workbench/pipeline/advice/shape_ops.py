"""Layers that compute shapes while the engine runs, though every input shape was fixed when it was built.

With fixed shapes their results are known beforehand (`passes/simplify_shapes`); at run time they cost small launches
and cut chains, because what they shape has to wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice
from workbench.core.edits import Edit
from workbench.core.graph import LayerKind
from workbench.core.words import plural
from workbench.pipeline.advice.base import Seen

LOOKS = "shape arithmetic that is left to run time"
PASSES = ("simplify_shapes", "fold_constants")
_FORMULA = "the time of these layers; in bytes, what they read and write"


def look(seen: Seen) -> Iterator[Advice]:
    layers = [key for key, layer in seen.layers.items() if layer.kind is LayerKind.SHAPE]
    nodes = seen.sources(layers)
    if not layers or not nodes:
        return
    plan, varies = seen.config.plan, _varies(seen)
    is_tried = plan.clean and not set(PASSES) & set(plan.skip)
    why = "The clean-up ran; what is left hangs on values, not on shapes." if is_tried else ""
    why = "Its shapes vary from one inference to the next: a profile with one shape would fix them." if varies else why
    yield Advice(
        "shape_ops",
        f"{plural(len(layers), 'layer')} of shape arithmetic",
        "They compute at every inference what is known once the shapes are, and what they shape waits for them.",
        seen.by_cost(layers),
        nodes,
        seen.time(layers),
        seen.time(layers),
        sum(seen.moved(key) for key in layers),
        _FORMULA,
        None if why else Edit("Compute shapes before the build", clean=True, unskip=PASSES),
        why,
    )


def _varies(seen: Seen) -> bool:
    """Whether the engine takes inputs of more than one shape: of an imported one its inputs alone tell."""
    inputs = (seen.tensors[name] for name in seen.engine.graph.inputs if name in seen.tensors)
    is_free = any(isinstance(dim, str) for tensor in inputs for dim in tensor.shape or ())
    return is_free or bool(seen.config.profiles)
