"""Clocks, temperature and throttling of NVIDIA GPUs, by the driver's own library (NVML) where there is a driver."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LIBRARIES = ("libnvidia-ml.so.1", "nvml.dll")
_SM, _MEMORY, _CELSIUS = 1, 2, 0  # nvmlClockType_t, nvmlTemperatureSensors_t
_NAME_BYTES = 96
_REASONS = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x20: "thermal (software)",
    0x40: "thermal (hardware)",
    0x80: "power brake",
}
"""nvmlClocksThrottleReasons: those that make a number smaller than the machine is good for."""


def gpu_states() -> list[str]:
    """`NVIDIA L4: SM 2040 MHz of 2040, memory 6251 MHz, 61 °C, power cap` for each; none without a driver."""
    with _nvml() as library:
        if library is None:
            return []
        count = ctypes.c_uint()
        if library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
            return []
        return [words for index in range(count.value) if (words := _state(library, index))]


@contextmanager
def _nvml() -> Iterator[Any]:
    """The library between its init and its shutdown; None where there is none, or it does not start."""
    library = _load()
    if library is None or library.nvmlInit_v2():
        yield None
        return
    try:
        yield library
    finally:
        library.nvmlShutdown()


def _load() -> Any:
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _state(library: Any, index: int) -> str:
    handle = ctypes.c_void_p()
    if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
        return ""
    name = ctypes.create_string_buffer(_NAME_BYTES)
    title = name.value.decode(errors="replace") if not library.nvmlDeviceGetName(handle, name, _NAME_BYTES) else "GPU"
    running, most = (
        _number(getattr(library, call), handle, _SM) for call in ("nvmlDeviceGetClockInfo", "nvmlDeviceGetMaxClockInfo")
    )
    memory = _number(library.nvmlDeviceGetClockInfo, handle, _MEMORY)
    heat = _number(library.nvmlDeviceGetTemperature, handle, _CELSIUS)
    parts = [
        f"SM {running} MHz" + (f" of {most}" if most else "") if running is not None else "",
        f"memory {memory} MHz" if memory is not None else "",
        f"{heat} °C" if heat is not None else "",
        *_throttled(library, handle),
    ]
    return f"{title}: " + ", ".join(part for part in parts if part)


def _number(call: Any, handle: ctypes.c_void_p, what: int) -> int | None:
    value = ctypes.c_uint()
    return value.value if not call(handle, what, ctypes.byref(value)) else None


def _throttled(library: Any, handle: ctypes.c_void_p) -> list[str]:
    found = ctypes.c_ulonglong()
    if library.nvmlDeviceGetCurrentClocksThrottleReasons(handle, ctypes.byref(found)):
        return []
    return [words for bit, words in _REASONS.items() if found.value & bit]
