"""The machine a number was measured on: what must stand beside it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from workbench.measure.gpu import gpu_states

PACKAGES = ("numpy", "onnx", "onnxruntime", "openvino", "tensorrt-rtx-cu13-bindings")
_THERMAL = Path("/sys/class/thermal")
_CPU = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_CGROUP = Path("/sys/fs/cgroup")


def machine_state() -> dict[str, str]:
    """CPU, cores, affinity, quota, governor, clock, temperature, load, memory, GPUs, system and package versions now.

    What is not known is absent.
    """
    state = {
        "cpu": cpu_model(),
        "cores": f"{physical_cores()} physical, {logical_cores()} logical",
        "affinity": affinity(),
        "quota": quota(),
        "governor": _read(_CPU / "scaling_governor"),
        "load": f"{load_average():.2f}",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }
    state |= package_versions()
    return {key: value for key, value in state.items() if value} | warm_state()


def warm_state() -> dict[str, str]:
    """Clock, temperature and GPUs now. Of a machine that rests they say nothing: asked again right after the work."""
    state = {"clock": _clock(), "temperature": _temperature(), "gpu": "; ".join(gpu_states())}
    return {key: value for key, value in state.items() if value}


def affinity() -> str:
    """The logical cores that this process may use: `0-3, 8 of 16`; "" where it cannot be known."""
    if not hasattr(os, "sched_getaffinity"):
        return ""
    allowed = sorted(os.sched_getaffinity(0))
    spans: list[list[int]] = []
    for core in allowed:
        if spans and core == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], core]
        else:
            spans.append([core, core])
    words = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
    return f"{words} of {os.cpu_count() or len(allowed)}"


def quota() -> str:
    """`1.5 cores`: the share of time that a container may use, whatever cores it sees; "" where there is no limit."""
    whole = _read(_CGROUP / "cpu.max").split()  # cgroup v2: `150000 100000`, `max 100000`
    limit, period = (
        whole if len(whole) == 2 else [_read(_CGROUP / "cpu" / f"cpu.cfs_{n}_us") for n in ("quota", "period")]
    )
    if not limit.isdigit() or not period.isdigit() or not int(period):
        return ""
    return f"{int(limit) / int(period):g} cores"


def package_versions() -> dict[str, str]:
    """Versions of the installed engines and of what they stand on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def logical_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_cores() -> int:
    """Cores without their hyper-threads, of those this process may use; where unknown, the logical ones."""
    allowed = {str(core) for core in os.sched_getaffinity(0)} if hasattr(os, "sched_getaffinity") else None
    blocks = [_fields(block) for block in _read(Path("/proc/cpuinfo")).split("\n\n")]
    pairs = {
        (fields.get("physical id", "0"), fields["core id"])
        for fields in blocks
        if "core id" in fields and (allowed is None or fields.get("processor") in allowed)
    }
    return min(len(pairs) or logical_cores(), logical_cores())


def cpu_model() -> str:
    """The processor's own name for itself; where it has none, as on ARM, that of the board."""
    own = _fields(_read(Path("/proc/cpuinfo"))).get("model name", "")
    board = _read(Path("/proc/device-tree/model")).strip("\0 ")
    return own or board or platform.processor() or platform.machine()


def load_average() -> float:
    """Load of the last minute; 0 where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def peak_rss_bytes() -> int:
    """The most memory this process ever had at once; 0 where the system does not tell.

    Not by `getrusage`: on Linux its figure begins with that of the parent, which outweighs a small child.
    """
    if peak := _fields(_read(Path("/proc/self/status"))).get("VmHWM", ""):
        return int(peak.split()[0]) * 1024
    memory = psutil.Process().memory_info()
    return int(getattr(memory, "peak_wset", 0)) or int(memory.rss)


def _clock() -> str:
    kilohertz = _read(_CPU / "scaling_cur_freq")
    if kilohertz.isdigit():
        return f"{int(kilohertz) / 1e6:.2f} GHz"
    megahertz = _fields(_read(Path("/proc/cpuinfo"))).get("cpu MHz", "")
    return f"{float(megahertz) / 1000:.2f} GHz" if megahertz else ""


def _temperature() -> str:
    """Of the hottest zone that the system tells: above what it may be a processor clocks down."""
    known = [int(text) for zone in _THERMAL.glob("thermal_zone*/temp") if (text := _read(zone)).lstrip("-").isdigit()]
    return f"{max(known) / 1000:.0f} °C" if known and max(known) > 0 else ""


def _memory() -> str:
    total = _fields(_read(Path("/proc/meminfo"))).get("MemTotal", "").split()
    return f"{int(total[0]) / 2**20:.1f} GiB" if total and total[0].isdigit() else ""


def _fields(text: str) -> dict[str, str]:
    """`key : value` lines; the first of a key wins."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
