"""The openvino package: imported once, without its telemetry; its core; what it says of this CPU."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from workbench.core.errors import WorkbenchError, one_line

INSTALL = "Install it: pip install openvino"
_AGAIN = "Install it again: pip install --force-reinstall openvino"


@cache
def package() -> Any:
    """The module. Raises WorkbenchError where it is missing or broken.

    `import openvino` would send an event to an analytics service; with its telemetry package hidden it uses a stub.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError, RuntimeError) as error:
        raise WorkbenchError(f"OpenVINO cannot be imported: {error}.", INSTALL) from error
    return openvino


@cache
def core() -> Any:
    """The one Core of the process. Raises WorkbenchError where there is no CPU plugin."""
    try:
        found = package().Core()
        has_cpu = "CPU" in found.available_devices
    except RuntimeError as error:
        raise WorkbenchError(f"OpenVINO cannot be started: {one_line(str(error), 200)}", _AGAIN) from error
    if not has_cpu:
        raise WorkbenchError("OpenVINO finds no CPU plugin.", _AGAIN)
    return found


def version() -> str:
    """`2026.4.1`, without the build's number."""
    return str(package().__version__).partition("-")[0]


def device_name() -> str:
    return str(core().get_property("CPU", "FULL_DEVICE_NAME")).strip()


def optimized_types() -> frozenset[str]:
    """Types this CPU has arithmetic for, in OpenVINO's words: `FP32`, `BF16`, `FP16`, `INT8`."""
    return frozenset(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
