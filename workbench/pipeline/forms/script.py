"""A Python script that builds the engine by TensorRT's own interface: TensorRT for RTX where targets are named."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.pipeline.forms.recipe import BuildRecipe, comment

_HEAD = """\
import sys

try:
    import {module} as trt
except ImportError:  # the wheel alone, without the thin package around it
    import {module}_bindings as trt

logger = trt.Logger(trt.Logger.WARNING)
builder = trt.Builder(logger)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
parser = trt.OnnxParser(network, logger)
if not parser.parse_from_file({onnx!r}):
    sys.exit("\\n".join(str(parser.get_error(i)) for i in range(parser.num_errors)))

config = builder.create_builder_config()
config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
config.{tf32}(trt.BuilderFlag.TF32)
"""
_ATTENTION = """\
for layer in (network.get_layer(i) for i in range(network.num_layers)):
    if layer.type == trt.LayerType.ATTENTION_INPUT:
        layer.__class__ = trt.IAttentionInputLayer
        layer.attention.decomposable = True  # into products, where there is no kernel for it"""
_TAIL = """\

engine = builder.build_serialized_network(network, config)
if engine is None:
    sys.exit("TensorRT gave the build up; the log above says why.")
with open({engine!r}, "wb") as file:
    file.write(engine)
"""


def script(recipe: BuildRecipe) -> str:
    """A whole file; the line that exports the ONNX is a comment in it."""
    module = "tensorrt_rtx" if recipe.targets else "tensorrt"
    tf32 = "set_flag" if recipe.tf32 else "clear_flag"
    lines = [comment(f"First, in a shell: {recipe.export}"), *(comment(text) for text in recipe.remarks)]
    body = _HEAD.format(module=module, onnx=recipe.onnx, tf32=tf32)
    return "\n".join([*lines, body + "".join(f"{line}\n" for line in _settings(recipe))]) + _TAIL.format(
        engine=recipe.engine
    )


def _settings(recipe: BuildRecipe) -> Iterator[str]:
    if recipe.attention:
        yield _ATTENTION
    if recipe.targets:
        yield f"config.num_compute_capabilities = {len(recipe.targets)}"
    for index, target in enumerate(recipe.targets):
        yield f"config.set_compute_capability(trt.ComputeCapability.{target.upper()}, {index})"
    if recipe.aux_streams:
        yield f"config.max_aux_streams = {int(recipe.aux_streams)}"
    if recipe.workspace_mib:
        yield f"config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, {int(recipe.workspace_mib)} << 20)"
    if recipe.weight_streaming:
        yield "config.set_flag(trt.BuilderFlag.WEIGHT_STREAMING)"
    for profile in recipe.profiles:
        yield "profile = builder.create_optimization_profile()"
        for name in profile.opt:
            shapes = ", ".join(repr(side[name]) for side in (profile.min, profile.opt, profile.max))
            yield f"profile.set_shape({name!r}, {shapes})"
        yield "config.add_optimization_profile(profile)"
