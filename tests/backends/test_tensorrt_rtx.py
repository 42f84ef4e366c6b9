"""TensorRT for RTX held to the contract of a backend, on engines built without a GPU."""

from __future__ import annotations

import pytest

from tests.backends.contract import BackendContract

pytest.importorskip("tensorrt_rtx_bindings")


class TestTensorRt(BackendContract):
    backend_id = "tensorrt_rtx"
    runs_here = False
    refused = "trees"
