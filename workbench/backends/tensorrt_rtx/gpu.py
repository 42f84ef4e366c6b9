"""The NVIDIA GPU of this machine, asked of the driver alone: no package, no context, no error where there is none."""

from __future__ import annotations

import ctypes
import functools
import sys

import msgspec

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
