"""The NVIDIA GPU of this machine, asked of the driver alone: no package, no context, no error where there is none."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Sequence

import msgspec

from workbench.backends.tensorrt_rtx.module import find_module, module_version
from workbench.backends.tensorrt_rtx.targets import TARGETS

_MAJOR, _MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h."""


class Gpu(msgspec.Struct, frozen=True):
    """`target` is its compute capability, `sm89`."""

    name: str
    target: str


@functools.cache
def find_gpu() -> Gpu | None:
    """The first NVIDIA GPU, or None without a driver or a device."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        return _first_gpu(driver)
    except (OSError, AttributeError):
        return None


def machine_key() -> str:
    """Of this TensorRT on this GPU: what one has compiled or timed another cannot use."""
    gpu = find_gpu()
    words = f"{find_module()} {module_version()} {gpu.name if gpu else ''} {gpu.target if gpu else ''}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def why_not_run(targets: Sequence[str] = ()) -> tuple[str, str]:
    """Reason and hint why an engine for `targets` cannot run here (any target: empty); two empty texts: it can."""
    gpu = find_gpu()
    rest = "Everything but timing and accuracy is here."
    wanted = " or ".join(f"{target}: {TARGETS[target]}" for target in targets) or "sm75 or newer"
    if gpu is None:
        return f"This machine has no NVIDIA GPU or driver; the engine needs one of {wanted}.", rest
    if targets and gpu.target not in targets:
        return f"This engine is built for {', '.join(targets)}; the GPU here is {gpu.name} ({gpu.target}).", (
            f"Build for the target {gpu.target}." if gpu.target in TARGETS else rest
        )
    if not (_has("pycuda") or _has("cuda.bindings")):
        return "To run an engine the package pycuda or cuda-bindings is needed.", "pip install cuda-bindings"
    return "", ""


def _first_gpu(driver: ctypes.CDLL) -> Gpu | None:
    count, device, major, minor = (ctypes.c_int() for _ in range(4))
    name = ctypes.create_string_buffer(256)
    calls: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("cuInit", (0,)),
        ("cuDeviceGetCount", (ctypes.byref(count),)),
        ("cuDeviceGet", (ctypes.byref(device), 0)),
        ("cuDeviceGetName", (name, len(name), device)),
        ("cuDeviceGetAttribute", (ctypes.byref(major), _MAJOR, device)),
        ("cuDeviceGetAttribute", (ctypes.byref(minor), _MINOR, device)),
    )
    if any(getattr(driver, function)(*values) != 0 for function, values in calls):
        return None
    return Gpu(name.value.decode(errors="replace"), f"sm{major.value}{minor.value}")


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
