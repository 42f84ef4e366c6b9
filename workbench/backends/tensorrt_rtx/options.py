"""Options of the builder, as far as this module has them and they do something on this machine.

TensorRT for RTX compiles kernels when the engine is loaded: what it ignores ahead of time (optimisation level, tactics,
timing cache, sparsity, tiling; measured with 1.7.1) is not offered. Which module it is, is told by what it has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.tensorrt_rtx.context import CUDA_GRAPHS
from workbench.backends.tensorrt_rtx.device import machine_key
from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.core.errors import WorkbenchError
from workbench.core.options import Option
from workbench.core.places import data_home
from workbench.core.writing import written_whole

Set = Callable[[Any, Any, str], None]
"""(module, builder configuration, value): sets it."""
_SWITCH = ("off", "on")
TIMING_CACHES = "timing_caches"
NO_GPU = "TensorRT builds on a machine with an NVIDIA GPU only; TensorRT for RTX builds without one."


class Known(msgspec.Struct, frozen=True):
    """`config`, `flag` and `runtime` name what the module must have.

    `with_gpu`: it does nothing ahead of time. `with_driver`: a build with it fails on a machine without a GPU.
    One of the `runtime` changes how an engine is run, on the GPU of this machine, and nothing of the build.
    """

    option: Option
    set: Set
    config: str = ""
    flag: str = ""
    with_gpu: bool = False
    with_driver: bool = False
    runtime: str = ""


def _flag(name: str) -> Set:
    def switch(trt: Any, settings: Any, value: str) -> None:
        if value == "on":
            settings.set_flag(getattr(trt.BuilderFlag, name))

    return switch


def _streams(trt: Any, settings: Any, value: str) -> None:
    settings.max_aux_streams = int(value)


def _workspace(trt: Any, settings: Any, value: str) -> None:
    settings.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, int(value) << 20)


def _level(trt: Any, settings: Any, value: str) -> None:
    settings.builder_optimization_level = int(value)


def _enum(attribute: str, kind: str) -> Set:
    def choose(trt: Any, settings: Any, value: str) -> None:
        setattr(settings, attribute, getattr(getattr(trt, kind), value.upper()))

    return choose


def _tactics(trt: Any, settings: Any, value: str) -> None:
    if value == "none":
        settings.set_tactic_sources(0)


def _nothing(trt: Any, settings: Any, value: str) -> None:
    """The timing cache is kept around the build, by `kept_timing_cache`."""


_STREAMS = "Streams beside the main one at most; 0: one stream, no layers that only wait, less memory."
_WORKSPACE = "Scratch memory of a layer at most."
_STREAMING = "Weights may stay in host memory and come as they are needed."
_REFIT = "Weights can be replaced in the engine without building it again."
_LEVEL = "How long the builder searches for fast kernels; 5 compares the most."
_CACHE = "Times of kernels are kept on this machine and not measured again."
_TACTICS = "Where kernels are taken from: all that there are by default, or none beside TensorRT's own."
_PORTABLE = "The engine also runs on other GPUs: Ampere and newer, or those of one compute capability."
_SPARSE = "Kernels for weights of which two in four are zero."
_TILING = "How far layers are fused over tiles that stay in the L2 cache."
_COMPATIBLE = ("none", "ampere_plus", "same_compute_capability")
_GRAPHS = "All kernels of an inference are started as one CUDA graph: less time between small layers."
KNOWN = (
    Known(Option("aux_streams", "Auxiliary streams", _STREAMS, most=8), _streams, config="max_aux_streams"),
    Known(
        Option("workspace_mib", "Workspace", _WORKSPACE, most=1 << 20, unit="MiB"),
        _workspace,
        config="set_memory_pool_limit",
    ),
    Known(
        Option("weight_streaming", "Weight streaming", _STREAMING, _SWITCH),
        _flag("WEIGHT_STREAMING"),
        flag="WEIGHT_STREAMING",
    ),
    Known(Option("refit", "Refit", _REFIT, _SWITCH), _flag("REFIT"), flag="REFIT", with_driver=True),
    Known(Option(CUDA_GRAPHS, "CUDA graphs", _GRAPHS, _SWITCH), _nothing, runtime="CudaGraphStrategy"),
    Known(
        Option("optimization_level", "Optimisation level", _LEVEL, ("3", "0", "1", "2", "4", "5")),
        _level,
        config="builder_optimization_level",
        with_gpu=True,
    ),
    Known(
        Option("timing_cache", "Timing cache", _CACHE, ("on", "off")),
        _nothing,
        config="create_timing_cache",
        with_gpu=True,
    ),
    Known(
        Option("tactic_sources", "Tactic sources", _TACTICS, ("all", "none")),
        _tactics,
        config="set_tactic_sources",
        with_gpu=True,
    ),
    Known(
        Option("hardware_compatibility", "Hardware compatibility", _PORTABLE, _COMPATIBLE),
        _enum("hardware_compatibility_level", "HardwareCompatibilityLevel"),
        config="hardware_compatibility_level",
        with_gpu=True,
    ),
    Known(
        Option("sparsity", "Sparsity", _SPARSE, _SWITCH), _flag("SPARSE_WEIGHTS"), flag="SPARSE_WEIGHTS", with_gpu=True
    ),
    Known(
        Option("tiling", "Tiling", _TILING, ("none", "fast", "moderate", "full")),
        _enum("tiling_optimization_level", "TilingOptimizationLevel"),
        config="tiling_optimization_level",
        with_gpu=True,
    ),
)


def builds_ahead_of_time(trt: Any) -> bool:
    """Whether the module names GPUs to build for, and leaves the choice of kernels to them."""
    return hasattr(trt.IBuilderConfig, "set_compute_capability")


def why_not_build(trt: Any) -> str:
    """Why nothing can be built on this machine; "" where it can."""
    return "" if builds_ahead_of_time(trt) or find_gpu() is not None else NO_GPU


def available(trt: Any) -> dict[str, Known]:
    """Those that do something in this module on this machine, by key."""
    return {known.option.key: known for known in KNOWN if _is_there(trt, known)}


def _is_there(trt: Any, known: Known) -> bool:
    if known.with_gpu and (builds_ahead_of_time(trt) or find_gpu() is None):
        return False
    if (known.runtime or known.with_driver) and find_gpu() is None:
        return False
    if known.runtime and not hasattr(trt, known.runtime):
        return False
    has_config = not known.config or hasattr(trt.IBuilderConfig, known.config)
    return has_config and (not known.flag or hasattr(trt.BuilderFlag, known.flag))


def set_options(trt: Any, settings: Any, options: Mapping[str, str]) -> None:
    """Raises WorkbenchError, naming what there is, for an option or a value that is not to be had."""
    found = available(trt)
    unknown = sorted(set(options) - set(found))
    if unknown:
        words = " ".join(f"{key}: {known.option.text}" for key, known in found.items())
        raise WorkbenchError(f"TensorRT has no option {', '.join(unknown)} here.", words)
    for key, value in options.items():
        _check(found[key].option, value)
        found[key].set(trt, settings, value)


def _check(option: Option, value: str) -> None:
    if option.is_number:
        if not (value.isdecimal() and value.isascii() and len(value) < 10):
            raise WorkbenchError(f"The option {option.key} is {value!r}, which is not a number.", option.text)
        if int(value) > option.most:
            raise WorkbenchError(f"The option {option.key} is {value}; {option.most} is the most.", option.text)
    elif value not in option.values:
        raise WorkbenchError(f"The option {option.key} is {value!r}.", f"It takes one of: {', '.join(option.values)}.")


class TimingCache:
    """The kept times of kernels around one build, in a file of the module, its version and the GPU."""

    def __init__(self, trt: Any, settings: Any, options: Mapping[str, str]) -> None:
        self._settings = settings
        self._cache: Any = None
        self.path = data_home() / TIMING_CACHES / f"{machine_key()}.cache"
        if "timing_cache" in available(trt) and options.get("timing_cache", "on") == "on":
            self._cache = settings.create_timing_cache(_read(self.path))
            settings.set_timing_cache(self._cache, False)
        self._before = self._count()

    def keep(self) -> str:
        """Writes what is known now; a sentence on how much of it was known before, or ""."""
        if self._cache is None:
            return ""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = bytes(memoryview(self._settings.get_timing_cache().serialize()))
        with written_whole(self.path) as file:
            file.write(data)
        digest = hashlib.sha256(data).hexdigest()[:12]
        after = self._count()
        if after < 0:
            return f"Timing cache {digest}: {len(data):,} bytes."
        share = 100 * self._before / after if after else 100.0
        return f"Timing cache {digest}: {after - self._before} kernels timed, {share:.0f} % were known."

    def _count(self) -> int:
        """Entries; -1 where this module does not tell."""
        cache = self._settings.get_timing_cache() if self._cache is not None else None
        if cache is None or not hasattr(cache, "queryKeys"):
            return -1
        return len(cache.queryKeys())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
