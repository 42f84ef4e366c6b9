"""Devices of ONNX Runtime beside the CPU: offered where the package has their provider, refused in words elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from tests.backends import opening
from workbench.backends.base import load_backend
from workbench.backends.onnxruntime import devices
from workbench.backends.onnxruntime.profile import _Event, times_of
from workbench.core.errors import WorkbenchError
from workbench.core.run import BuildConfig

GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture
def gpu_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime-gpu, as far as its providers go."""
    monkeypatch.setattr(devices, "package", lambda: SimpleNamespace(get_available_providers=lambda: GPU))


def test_the_cpu_alone_is_nothing_to_choose() -> None:
    assert devices.devices() == ("cpu",)
    assert devices.device_option() == ()
    assert load_backend("onnxruntime").capabilities().options == ()


@pytest.mark.usefixtures("gpu_package")
def test_providers_of_the_package_are_devices_in_its_order_of_preference() -> None:
    assert devices.devices() == ("cpu", "cuda", "tensorrt")
    assert devices.device_option()[0].values == ("cpu", "cuda", "tensorrt")
    assert devices.providers("tensorrt") == GPU
    assert devices.device_of({"device": "cuda"}) == "cuda"


@pytest.mark.parametrize(("device", "words"), [("cuda", "no CUDA provider"), ("tpu", "no device 'tpu'")])
def test_a_device_that_is_not_there_is_refused_with_the_way_to_it(device: str, words: str, tmp_path: Path) -> None:
    model = (
        opening.opened("chain", tmp_path)
        if "chain" in opening.models.MODELS
        else opening.opened(next(iter(opening.models.MODELS)), tmp_path)
    )
    typed = opening.typed(model, tmp_path)
    config = BuildConfig("onnxruntime", options={"device": device})
    with pytest.raises(WorkbenchError, match=words) as told:
        load_backend("onnxruntime").build(typed, config, tmp_path, lambda *step: None)
    assert told.value.hint


def test_a_provider_that_onnx_runtime_left_out_is_an_error_and_not_a_slow_run() -> None:
    session = SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"])
    devices.check_started(session, "cpu")
    with pytest.raises(WorkbenchError, match="could not start its CUDA provider"):
        devices.check_started(session, "cuda")


def test_on_a_gpu_the_time_of_a_layer_is_that_of_its_kernels() -> None:
    """As onnxruntime/core/common/gpu_profiler_common.h writes them: kernels behind the event of their node."""
    told = [
        {"cat": "Node", "name": "l0_kernel_time", "dur": 9, "args": {"op_name": "Conv", "provider": "CUDA"}},
        {"cat": "Kernel", "name": "implicit_gemm", "dur": 40, "args": {"parent_name": "l0_kernel_time", "grid_x": "4"}},
        {"cat": "Kernel", "name": "add_bias", "dur": 5, "args": {"parent_name": "l0_kernel_time"}},
        {"cat": "Node", "name": "l1_kernel_time", "dur": 7, "args": {"op_name": "Shape"}},
        {"cat": "Node", "name": "l1_kernel_time", "dur": 8},
        {"cat": "Kernel", "name": "of nobody", "dur": 3},
        {"cat": "Session", "name": "model_run", "dur": 100},
    ]
    assert times_of(msgspec.convert(told, list[_Event])) == {"l0": [45], "l1": [7, 8]}
