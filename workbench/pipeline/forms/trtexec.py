"""trtexec, which builds for the GPU it runs on. Options as in samples/common/sampleOptions.cpp of TensorRT 10.16, 11.1.

Both lines measure alike: trtexec 11 takes CUDA graphs, no copies, spinning and a profile of its own for granted, which
10 must be told. What they export is what `workbench import` reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.model import Shape
from workbench.pipeline.forms.recipe import BuildRecipe, dims, text_of

_EXPORTS = ["--exportLayerInfo=layers.json", "--exportProfile=profile.json", "--exportTimes=times.json"]
_AS_11 = ["--useCudaGraph", "--noDataTransfers", "--useSpinWait", "--separateProfileRun"]


def trtexec11(recipe: BuildRecipe) -> str:
    """All networks are strongly typed in TensorRT 11: the precisions stand in the ONNX."""
    return text_of(recipe, _comments(recipe), ["trtexec", *_options(recipe), *_EXPORTS])


def trtexec10(recipe: BuildRecipe) -> str:
    """Strong typing has to be asked for; without it TensorRT 10 would choose precisions itself."""
    return text_of(recipe, _comments(recipe), ["trtexec", "--stronglyTyped", *_options(recipe), *_AS_11, *_EXPORTS])


def _options(recipe: BuildRecipe) -> list[str]:
    words = [f"--onnx={recipe.onnx}", f"--saveEngine={recipe.engine}", "--profilingVerbosity=detailed"]
    words += [] if recipe.tf32 else ["--noTF32"]
    words += [f"--maxAuxStreams={recipe.aux_streams}"] if recipe.aux_streams else []
    words += [f"--memPoolSize=workspace:{recipe.workspace_mib}M"] if recipe.workspace_mib else []
    words += ["--allowWeightStreaming"] if recipe.weight_streaming else []
    words += ["--decomposableAttentions=*"] if recipe.attention else []
    return [*words, *_profiles(recipe)]


def _profiles(recipe: BuildRecipe) -> Iterator[str]:
    for index, profile in enumerate(recipe.profiles):
        if len(recipe.profiles) > 1:
            yield f"--profile={index}"
        for name, shapes in (("min", profile.min), ("opt", profile.opt), ("max", profile.max)):
            yield f"--{name}Shapes={','.join(_spec(tensor, shape) for tensor, shape in shapes.items())}"


def _spec(name: str, shape: Shape) -> str:
    """A name with a colon or a comma stands in single quotes, trtexec's own."""
    quoted = f"'{name}'" if set(name) & set(":,") else name
    return f"{quoted}:{dims(shape)}"


def _comments(recipe: BuildRecipe) -> list[str]:
    targets = ", ".join(recipe.targets)
    return [f"Built for {targets} ahead of time; trtexec builds for the GPU that it runs on."] if targets else []
