"""Options that this module has, that do something on this machine."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.backends.base import load_backend
from workbench.backends.tensorrt_rtx import options
from workbench.backends.tensorrt_rtx.gpu import Gpu
from workbench.backends.tensorrt_rtx.module import find_module, load_module
from workbench.core.errors import WorkbenchError

pytestmark = pytest.mark.skipif(not find_module(), reason="TensorRT is not installed")


def test_what_does_nothing_ahead_of_time_is_not_offered() -> None:
    keys = [option.key for option in load_backend("tensorrt_rtx").capabilities().options]
    assert keys == ["aux_streams", "workspace_mib", "weight_streaming"], (
        "a refittable engine cannot be built without a driver"
    )


class _Classic:
    """The module without the means to name a GPU: TensorRT 10 and 11 have none."""

    def __init__(self, trt: Any) -> None:
        self._trt = trt
        names = [name for name in dir(trt.IBuilderConfig) if "compute_capabilit" not in name]
        self.IBuilderConfig = type("IBuilderConfig", (), dict.fromkeys(names))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trt, name)


def test_a_module_that_builds_for_the_gpu_here_offers_what_chooses_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    classic = _Classic(load_module())
    monkeypatch.setattr(options, "find_gpu", lambda: None)
    assert "optimization_level" not in options.available(classic)
    monkeypatch.setattr(options, "find_gpu", lambda: Gpu("RTX 4090", "sm89"))
    assert "refit" in options.available(classic)
    later = {"optimization_level", "timing_cache", "tactic_sources", "hardware_compatibility", "sparsity", "tiling"}
    assert later < options.available(classic).keys()


@pytest.mark.parametrize("known", options.KNOWN, ids=lambda known: known.option.key)
def test_every_option_is_set_by_names_that_the_real_bindings_have(known: options.Known) -> None:
    trt = load_module()
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    settings = builder.create_builder_config()
    for value in known.option.values or ("0", "1"):
        known.set(trt, settings, value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tiling": "fast"}, "has no option tiling here"),
        ({"weight_streaming": "yes"}, "takes one of: off, on"),
        ({"aux_streams": "many"}, "is not a number"),
        ({"aux_streams": "99"}, "8 is the most"),
    ],
)
def test_an_option_or_value_that_is_not_to_be_had_is_refused_by_name(given: dict[str, str], said: str) -> None:
    trt = load_module()
    settings = trt.Builder(trt.Logger(trt.Logger.ERROR)).create_builder_config()
    with pytest.raises(WorkbenchError) as caught:
        options.set_options(trt, settings, given)
    assert said in str(caught.value)
