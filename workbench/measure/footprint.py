"""What inference really takes of this process's memory, as the kernel counts it. Linux; nothing is known elsewhere."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path

from workbench.backends.base import Feed, Runner

_STATUS = Path("/proc/self/status")
_KIB = 1024
INFERENCES = 3


def footprint(runner: Runner, feed: Feed) -> dict[str, int]:
    """Named bytes of a runner that has not run yet; empty where the system does not tell.

    `first inference` are the pages that it wrote to for the first time: inputs, outputs and activations, and what
    kernels need beside them. Memory that was free but not given back is given back before, or it would hide them; call
    `give_back` before the runner is made as well, for what it lays out then.
    `inferences` is the same after two more (ONNX Runtime lays its block out in the second). `process` is what all of
    the process has in memory then, the program included.
    """
    give_back()
    before = _anonymous()
    if before is None:
        return {}
    runner.time(feed)
    first = _anonymous() or before
    for _ in range(INFERENCES - 1):
        runner.time(feed)
    after = _anonymous() or before
    return {
        "first inference": max(0, first - before),
        "inferences": max(0, after - before),
        "process": _field("VmRSS") or 0,
    }


def give_back() -> None:
    """Gives memory that is free in this process back to the system, where the C library can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if _STATUS.exists() else None
    if trim is not None:
        trim(0)


def _anonymous() -> int | None:
    """Pages that are no file's: code that is loaded late does not count."""
    return _field("RssAnon")


def _field(name: str) -> int | None:
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")
    return int(found) * _KIB if found.isdigit() else None
