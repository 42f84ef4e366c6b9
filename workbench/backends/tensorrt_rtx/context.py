"""An execution context: how TensorRT for RTX compiles its kernels, whether it replays a CUDA graph, and its cache.

The runtime cache holds the kernels compiled for this GPU: with it an engine starts in a fraction of the time. It lies
in a file of the module, its version and the GPU, so that all engines and runs share it, and can be copied to a machine
that is alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.backends.tensorrt_rtx.device import machine_key
from workbench.core.places import data_home
from workbench.core.writing import written_whole

CUDA_GRAPHS = "cuda_graphs"
RUN_TIME = frozenset({CUDA_GRAPHS})
"""Options that change how an engine is run, not how it is built."""


class Context:
    """`execution` is the context; `close` keeps what was compiled. Of TensorRT 10 and 11 it is a plain one."""

    def __init__(self, trt: Any, engine: Any, options: Mapping[str, str]) -> None:
        self.path = runtime_cache_path()
        self._cache: Any = None
        self._known = b""
        if not hasattr(engine, "create_runtime_config"):
            self.execution = engine.create_execution_context()
            return
        config = engine.create_runtime_config()
        self._configure(trt, config, options)
        self.execution = engine.create_execution_context(config)  # compiles, where the cache does not have it

    def close(self) -> None:
        """A full disk costs the next start its time, and nothing else."""
        if self._cache is None:
            return
        data = bytes(memoryview(self._cache.serialize()))
        if data != self._known:
            with contextlib.suppress(OSError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with written_whole(self.path) as file:
                    file.write(data)

    def _configure(self, trt: Any, config: Any, options: Mapping[str, str]) -> None:
        """All kernels are compiled now (EAGER), so that no timing meets one half done."""
        if hasattr(trt, "DynamicShapesKernelSpecializationStrategy"):
            config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        if hasattr(trt, "CudaGraphStrategy"):
            is_on = options.get(CUDA_GRAPHS, "off") == "on"
            strategy = trt.CudaGraphStrategy
            config.cuda_graph_strategy = strategy.WHOLE_GRAPH_CAPTURE if is_on else strategy.DISABLED
        if hasattr(config, "create_runtime_cache"):
            self._cache = config.create_runtime_cache()
            with contextlib.suppress(OSError):
                self._known = self.path.read_bytes()
                self._cache.deserialize(self._known)  # which refuses what was made elsewhere, and starts empty
            config.set_runtime_cache(self._cache)


def runtime_cache_path() -> Path:
    """Copied to a machine with the same GPU and version, it spares that one the compiling too."""
    return data_home() / "runtime_caches" / f"{machine_key()}.cache"
