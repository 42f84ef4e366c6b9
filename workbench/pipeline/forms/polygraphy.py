"""Polygraphy: `polygraphy convert`. Options as in tools/Polygraphy of TensorRT 11.1 (polygraphy 0.49.27)."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.model import Shape
from workbench.pipeline.forms.recipe import BuildRecipe, dims, text_of

_ATTENTION = "It cannot let Attention become products, as the workbench does: FP32 fails where there is no kernel."


def polygraphy(recipe: BuildRecipe) -> str:
    words = ["polygraphy", "convert", recipe.onnx, "--convert-to", "trt", "--strongly-typed"]
    if recipe.targets:
        words[0] = "POLYGRAPHY_USE_TENSORRT_RTX=1 polygraphy"
        words += ["--compute-capabilities", *(_capability(target) for target in recipe.targets)]
    words += ["--tf32"] if recipe.tf32 else []
    words += ["--max-aux-streams", recipe.aux_streams] if recipe.aux_streams else []
    words += ["--pool-limit", f"workspace:{recipe.workspace_mib}M"] if recipe.workspace_mib else []
    words += ["--weight-streaming"] if recipe.weight_streaming else []
    for profile in recipe.profiles:
        for name, shapes in (("min", profile.min), ("opt", profile.opt), ("max", profile.max)):
            words += [f"--trt-{name}-shapes", *_specs(shapes)]
    words += ["--profiling-verbosity", "detailed", "-o", recipe.engine]
    return text_of(recipe, [_ATTENTION] if recipe.attention else [], words)


def _specs(shapes: Mapping[str, Shape]) -> list[str]:
    return [f"{name}:[{dims(shape, ',')}]" for name, shape in shapes.items()]


def _capability(target: str) -> str:
    """`sm89` is 8.9, `sm120` is 12.0."""
    digits = target.removeprefix("sm")
    return f"{digits[:-1]}.{digits[-1:]}"
