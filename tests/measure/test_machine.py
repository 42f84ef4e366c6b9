from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.measure import gpu, machine
from workbench.measure.machine import affinity, cpu_model, logical_cores, machine_state, physical_cores, quota


def test_the_machine_state_names_what_a_number_needs_beside_it() -> None:
    state = machine_state()
    assert {"cpu", "cores", "load", "system", "python", "numpy", "onnxruntime"} <= set(state)
    assert all(value.strip() == value and value for value in state.values())


def test_there_are_not_more_physical_than_logical_cores() -> None:
    assert 1 <= physical_cores() <= logical_cores()


def test_two_threads_of_one_core_are_one_physical_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logical cores 0 and 2 are of core 0: whoever may use these two has one."""
    blocks = [f"processor\t: {number}\nphysical id\t: 0\ncore id\t: {number % 2}" for number in range(4)]
    monkeypatch.setattr(machine, "_read", lambda path: "\n\n".join(blocks))
    for allowed, cores in (({0, 2}, 1), ({0, 1}, 2), ({0, 1, 2, 3}, 2)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid, allowed=allowed: allowed, raising=False)
        assert physical_cores() == cores


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"cpu.max": "150000 100000"}, "1.5 cores"),
        ({"cpu.max": "max 100000"}, ""),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, "2 cores"),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, ""),
        ({}, ""),
    ],
)
def test_the_time_that_a_container_may_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], said: str
) -> None:
    """Sixteen cores of which two may be used at a time make sixteen threads slow."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n", "ascii")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert quota() == said


def test_a_processor_without_a_name_has_that_of_its_board(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"cpuinfo": "processor\t: 0\nCPU part\t: 0xd42", "model": "NVIDIA Jetson AGX Orin\0"}
    monkeypatch.setattr(machine, "_read", lambda path: files.get(path.name, ""))
    assert cpu_model() == "NVIDIA Jetson AGX Orin"


def test_the_cores_that_may_be_used_are_told_in_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5, 8, 9}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert affinity() == "0-2, 5, 8-9 of 16"


def nvml(reasons: int) -> object:
    """A driver's library with one GPU, called as the real one is."""

    def put(value: int) -> object:
        def call(*arguments: object) -> int:
            arguments[-1]._obj.value = value  # type: ignore[attr-defined]  what byref points to
            return 0

        return call

    def name(handle: object, buffer: ctypes.Array[ctypes.c_char], size: int) -> int:
        buffer.value = b"NVIDIA L4"
        return 0

    return SimpleNamespace(
        nvmlInit_v2=lambda: 0,
        nvmlShutdown=lambda: 0,
        nvmlDeviceGetCount_v2=put(1),
        nvmlDeviceGetHandleByIndex_v2=put(7),
        nvmlDeviceGetName=name,
        nvmlDeviceGetClockInfo=lambda handle, kind, out: put(2040 if kind == 1 else 6251)(out),
        nvmlDeviceGetMaxClockInfo=put(2040),
        nvmlDeviceGetTemperature=put(61),
        nvmlDeviceGetCurrentClocksThrottleReasons=put(reasons),
    )


def test_clocks_and_throttling_of_a_gpu_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_load", lambda: nvml(0x44))
    said = "NVIDIA L4: SM 2040 MHz of 2040, memory 6251 MHz, 61 °C, power cap, thermal (hardware)"
    assert gpu.gpu_states() == [said]
    assert machine_state()["gpu"] == said


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "LIBRARIES", ("libthere-is-none.so",))
    assert gpu.gpu_states() == [] and "gpu" not in machine_state()
