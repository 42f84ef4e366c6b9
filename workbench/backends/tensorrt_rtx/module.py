"""Finding TensorRT: the Python module of TensorRT for RTX, or of TensorRT 10 and 11, whichever is here.

All have one API where it matters; what one lacks is found by `hasattr`, never by a version. Where both kinds are here,
TensorRT for RTX is taken, which builds without a GPU too; but not on a machine whose GPU it does not know (sm90).
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
from typing import Any

from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.backends.tensorrt_rtx.targets import TARGETS
from workbench.core.errors import WorkbenchError

_RTX = ("tensorrt_rtx", "tensorrt_rtx_bindings")
_CLASSIC = ("tensorrt", "tensorrt_bindings")
MODULES = (*_RTX, *_CLASSIC)
"""`*_bindings` is the wheel itself; the plain name is a thin package around it."""

INSTALL = "Install it with: pip install 'inference-workbench[tensorrt-rtx]' (NVIDIA's own licence)."

_WHEELS = ("_cu13_bindings", "_cu12_bindings", "_bindings", "_cu13", "_cu12", "")


@functools.cache
def find_module() -> str:
    """The name of the module to import, or "" where there is none. Imports nothing."""
    gpu = find_gpu()
    names = MODULES if gpu is None or gpu.target in TARGETS else (*_CLASSIC, *_RTX)
    return next((name for name in names if importlib.util.find_spec(name) is not None), "")


@functools.cache
def module_version() -> str:
    """From the metadata of the wheel, so that asking costs no import. Empty where it has none."""
    stem = find_module().removesuffix("_bindings")
    for wheel in _WHEELS if stem else ():
        try:
            return importlib.metadata.version(stem + wheel)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


@functools.cache
def load_module() -> Any:
    """The module. WorkbenchError where it is missing, or its libraries cannot be loaded."""
    name = find_module()
    if not name:
        raise WorkbenchError("TensorRT is not installed.", INSTALL)
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise WorkbenchError(f"TensorRT is installed but cannot be loaded: {error}", INSTALL) from error
