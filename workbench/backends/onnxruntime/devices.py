"""Where ONNX Runtime can run here: this processor, and NVIDIA GPUs by its CUDA or TensorRT provider (onnxruntime-gpu).

No GPU was at hand: the providers are not yet run anywhere. tests/gpu does it where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.backends.onnxruntime.package import package
from workbench.core.errors import WorkbenchError
from workbench.core.options import Option

DEVICE = "device"
CPU, CUDA, TENSORRT = "cpu", "cuda", "tensorrt"
_CPU_PROVIDER = "CPUExecutionProvider"
_PROVIDERS = {
    CPU: (),
    CUDA: ("CUDAExecutionProvider",),
    TENSORRT: ("TensorrtExecutionProvider", "CUDAExecutionProvider"),
}
"""In order of preference; what none of them takes runs on the CPU."""

_INSTALL = "pip install onnxruntime-gpu in the place of onnxruntime, on a machine with an NVIDIA GPU."


def devices() -> tuple[str, ...]:
    """Those whose provider this package has; whether one starts only a session tells."""
    known = package().get_available_providers()
    return tuple(device for device, providers in _PROVIDERS.items() if all(name in known for name in providers))


def device_option() -> tuple[Option, ...]:
    """Nothing to choose where there is the CPU alone."""
    found = devices()
    text = "cuda: NVIDIA GPU, node by node; tensorrt: NVIDIA GPU, whole subgraphs compiled by TensorRT."
    return (Option(DEVICE, "Device", text, found),) if len(found) > 1 else ()


def device_of(options: Mapping[str, str]) -> str:
    """Raises WorkbenchError for one that this package has no provider for."""
    device = options.get(DEVICE, CPU)
    if device not in _PROVIDERS:
        raise WorkbenchError(f"ONNX Runtime has no device {device!r}.", f"It takes one of: {', '.join(devices())}.")
    if device not in devices():
        raise WorkbenchError(f"This ONNX Runtime has no {device.upper()} provider.", _INSTALL)
    return device


def providers(device: str) -> list[str]:
    return [*_PROVIDERS[device], _CPU_PROVIDER]


def check_started(session: Any, device: str) -> None:
    """A provider that cannot start is left out by ONNX Runtime without a word: here it is an error."""
    wanted = providers(device)[0]
    if wanted not in session.get_providers():
        raise WorkbenchError(
            f"ONNX Runtime could not start its {device.upper()} provider on this machine.",
            "See the log for its reason: often the CUDA or cuDNN libraries it was built for are missing.",
        )
