"""What this machine can run: its GPU, and the packages that reach it."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence

from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.backends.tensorrt_rtx.module import find_module, module_version
from workbench.backends.tensorrt_rtx.targets import TARGETS


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


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
