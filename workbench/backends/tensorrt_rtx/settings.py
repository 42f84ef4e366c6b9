"""A builder configuration: targets, optimization profiles, options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.backends.tensorrt_rtx.options import set_options
from workbench.backends.tensorrt_rtx.parse import Network
from workbench.core.errors import WorkbenchError
from workbench.core.model import Shape
from workbench.core.profile import OptimizationProfile
from workbench.core.run import BuildConfig


def builder_config(network: Network, config: BuildConfig, targets: Sequence[str], *, tf32: bool) -> Any:
    """With detailed layer names. Raises WorkbenchError where an option or a target is not to be had."""
    trt = network.trt
    settings = network.builder.create_builder_config()
    settings.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    (settings.set_flag if tf32 else settings.clear_flag)(trt.BuilderFlag.TF32)
    _set_targets(trt, settings, targets)
    set_options(trt, settings, config.options)
    return settings


def add_profiles(
    network: Network, settings: Any, profiles: Sequence[OptimizationProfile], shapes: Mapping[str, Shape]
) -> None:
    """Profiles for the inputs with free dimensions; without any asked for, one of exactly `shapes`."""
    free = free_inputs(network)
    for asked in (profiles or (OptimizationProfile(dict(shapes), dict(shapes), dict(shapes)),)) if free else ():
        profile = network.builder.create_optimization_profile()
        for name in free:
            profile.set_shape(name, *_range(asked, name))
        if settings.add_optimization_profile(profile) < 0:
            raise WorkbenchError("TensorRT refuses this optimization profile.", "See the log for its reason.")


def free_inputs(network: Network) -> list[str]:
    """Names of inputs with a free dimension."""
    inputs = (network.network.get_input(index) for index in range(network.network.num_inputs))
    return [tensor.name for tensor in inputs if -1 in tuple(tensor.shape)]


def _range(profile: OptimizationProfile, name: str) -> tuple[Shape, Shape, Shape]:
    shapes = [side.get(name) for side in (profile.min, profile.opt, profile.max)]
    low, best, high = shapes
    if low is None or best is None or high is None:
        raise WorkbenchError(f"The optimization profile says nothing of input {name!r}.", "Give min, opt and max.")
    same_rank = len(low) == len(best) == len(high)
    if not same_rank or any(not a <= b <= c for a, b, c in zip(low, best, high, strict=True)):
        raise WorkbenchError(
            f"The optimization profile of input {name!r} is not min <= opt <= max.", f"It says {low}, {best}, {high}."
        )
    return low, best, high


def _set_targets(trt: Any, settings: Any, targets: Sequence[str]) -> None:
    if not hasattr(settings, "set_compute_capability"):
        return  # TensorRT 10 and 11 build for the GPU of this machine
    settings.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        if not hasattr(trt.ComputeCapability, target.upper()):
            raise WorkbenchError(f"This TensorRT for RTX does not build for {target}.", "Choose another target.")
        settings.set_compute_capability(getattr(trt.ComputeCapability, target.upper()), index)
