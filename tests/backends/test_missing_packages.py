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
from workbench.backends.tensorrt_rtx import module, options
from workbench.backends.tensorrt_rtx.gpu import Gpu
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
    gpu = Gpu("NVIDIA H200", "sm90")
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.find_gpu", lambda: gpu)
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.device.find_gpu", lambda: gpu)
    can = load_backend("tensorrt_rtx").capabilities()
    assert can.available
    assert not can.can_run
    assert "H200" in can.run_reason


@pytest.mark.parametrize(
    ("target", "here", "taken"),
    [
        ("", ("tensorrt_rtx", "tensorrt"), "tensorrt_rtx"),
        ("sm89", ("tensorrt_rtx_bindings", "tensorrt"), "tensorrt_rtx_bindings"),
        ("sm90", ("tensorrt_rtx", "tensorrt"), "tensorrt"),
        ("sm90", ("tensorrt_rtx",), "tensorrt_rtx"),
        ("", ("tensorrt_bindings",), "tensorrt_bindings"),
    ],
)
def test_of_two_modules_the_one_that_serves_the_gpu_here_is_taken(
    target: str, here: tuple[str, ...], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_gpu", lambda: Gpu("a GPU", target) if target else None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name in here else None)
    assert module.find_module.__wrapped__() == taken


@pytest.mark.skipif(not module.find_module(), reason="TensorRT is not installed")
def test_tensorrt_without_a_gpu_judges_no_model_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The builder of TensorRT 10 and 11, which the parser needs, is not to be had without a driver."""
    monkeypatch.setattr(options, "builds_ahead_of_time", lambda trt: False)
    monkeypatch.setattr(options, "find_gpu", lambda: None)
    found = load_backend("tensorrt_rtx").verdict(opening.opened("residual", tmp_path))
    assert not found.accepted
    assert "NVIDIA GPU only" in found.reason
