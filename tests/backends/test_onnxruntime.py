"""ONNX Runtime keeps the contract, with its optimisations and node by node."""

from __future__ import annotations

from tests.backends.contract import BackendContract
from workbench.core.model import Model
from workbench.core.run import BuildConfig


class TestOnnxRuntime(BackendContract):
    backend_id = "onnxruntime"


class TestSourceGraph(BackendContract):
    """Node by node: the honest "before"."""

    backend_id = "onnxruntime"

    @classmethod
    def config(cls, model: Model) -> BuildConfig:
        return BuildConfig(backend=cls.backend_id, shapes=dict(model.shapes), threads=1, optimize=False)
