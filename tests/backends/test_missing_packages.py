"""A backend whose package is missing or broken says so, and how to get it; nothing else escapes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends import opening
from workbench.backends.base import backend_ids, load_backend
from workbench.backends.onnxruntime import package as onnxruntime
from workbench.backends.openvino import package as openvino
from workbench.backends.tensorrt_rtx import device, module
from workbench.core.errors import WorkbenchError

PACKAGES = ("openvino", "onnxruntime", *module.MODULES)
CACHED = (
    *(openvino.package, openvino.core),
    *(onnxruntime.package, onnxruntime.errors),
    *(module.find_module, module.module_version, module.load_module),
)


@pytest.fixture
def _hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
    for function in CACHED:
        function.cache_clear()
    yield
    for function in CACHED:
        function.cache_clear()


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("name", [name for name in backend_ids() if name != "null"])
def test_a_missing_package_is_a_reason_and_a_hint(name: str, tmp_path: Path) -> None:
    backend = load_backend(name)
    can = backend.capabilities()
    assert not can.available
    assert not can.can_run
    assert can.reason
    assert "pip install" in can.hint
    try:
        accepted = backend.verdict(opening.opened("residual", tmp_path)).accepted
    except WorkbenchError as error:
        assert "pip install" in error.hint
    else:
        assert not accepted


def test_a_gpu_that_tensorrt_for_rtx_does_not_know_cannot_run_what_it_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    if not module.find_module().startswith("tensorrt_rtx"):
        pytest.skip("TensorRT for RTX is not installed")
    gpu = device.Gpu("NVIDIA H200", "sm90")
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.find_gpu", lambda: gpu)
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.device.find_gpu", lambda: gpu)
    can = load_backend("tensorrt_rtx").capabilities()
    assert can.available
    assert not can.can_run
    assert "H200" in can.run_reason
