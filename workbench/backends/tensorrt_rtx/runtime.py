"""Running an engine on a GPU. Written from the API of the bindings; no GPU was at hand, so it is not yet run anywhere.

tests/backends/test_tensorrt_rtx_runtime.py holds every call made here against the real bindings.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backends._feeds import fitted
from workbench.backends.base import Feed, Runner
from workbench.backends.tensorrt_rtx.buffers import DeviceBuffers, open_buffers
from workbench.backends.tensorrt_rtx.module import load_module
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph

_NUMPY = {
    "FLOAT": "float32",
    "BF16": "bfloat16",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "BOOL": "bool",
}


class TensorRtRunner(Runner):
    """An execution context with its buffers on the first GPU. With `layers` it also times each layer."""

    def __init__(self, artefact: Path, graph: Graph, *, layers: bool = False) -> None:
        trt = load_module()
        self._specs = {name: graph.tensors[name] for name in graph.inputs if name in graph.tensors}
        self._buffers: DeviceBuffers = open_buffers()
        try:
            self._open(trt, artefact, graph, layers=layers)
        except BaseException:
            self._buffers.close()  # nobody gets a runner to leave
            raise

    def _open(self, trt: Any, artefact: Path, graph: Graph, *, layers: bool) -> None:
        self._logger = trt.Logger(trt.Logger.WARNING)
        self._runtime = trt.Runtime(self._logger)
        self._engine = _load(self._runtime, artefact)
        self._context = _context(trt, self._engine)
        self._addresses: dict[str, tuple[int, int]] = {}
        self._inputs, self._outputs = _names(trt, self._engine)
        self._profiler = _profiler(trt, graph) if layers else None
        if self._profiler is not None:
            self._context.profiler = self._profiler

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._buffers.wait()
        del self._context, self._engine, self._runtime
        self._buffers.close()

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        outputs = self._bind(feed)
        self._execute()
        for name, array in outputs.items():
            self._buffers.read(array, self._addresses[name][0])
        return outputs

    def time(self, feed: Feed) -> float:
        self._bind(feed)
        start = time.perf_counter()
        self._execute()
        return (time.perf_counter() - start) * 1e3

    def layer_times(self) -> dict[str, float]:
        return self._profiler.means() if self._profiler is not None else {}

    def layer_samples(self) -> dict[str, list[float]]:
        return self._profiler.singles() if self._profiler is not None else {}

    def _execute(self) -> None:
        if not self._context.execute_async_v3(self._buffers.stream):
            raise WorkbenchError("TensorRT could not run the engine.", "See the log for its reason.")
        self._buffers.wait()
        if self._profiler is not None:
            self._profiler.runs += 1

    def _bind(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        """Copies the inputs to the GPU; gives empty arrays for the outputs."""
        given = {**feed, **fitted(feed, self._specs)}
        for name in self._inputs:
            array = np.ascontiguousarray(given[name], _dtype(self._engine, name))
            self._context.set_input_shape(name, array.shape)
            self._buffers.write(self._place(name, array.nbytes), array)
        missing = self._context.infer_shapes()
        if missing:
            raise WorkbenchError(f"Shapes of {', '.join(missing)} are not known.", "Give every input a shape.")
        return {name: self._output(name) for name in self._outputs}

    def _output(self, name: str) -> NDArray[np.generic]:
        shape = tuple(self._context.get_tensor_shape(name))
        if any(dim < 0 for dim in shape):
            raise WorkbenchError(f"The shape of output {name!r} depends on the data, which cannot be run yet.")
        array = np.empty(shape, _dtype(self._engine, name))
        self._place(name, array.nbytes)
        return array

    def _place(self, name: str, size_bytes: int) -> int:
        """The address of a buffer of at least `size_bytes`, set in the context."""
        address, held = self._addresses.get(name, (0, -1))
        if held < size_bytes:
            address = self._buffers.allocate(size_bytes)
            self._addresses[name] = (address, size_bytes)
        self._context.set_tensor_address(name, address)
        return address


def _load(runtime: Any, artefact: Path) -> Any:
    engine = runtime.deserialize_cuda_engine(artefact.read_bytes())
    if engine is None:
        raise WorkbenchError(
            f"TensorRT cannot load {artefact.name} on this GPU.", "Build it again with this TensorRT, for this GPU."
        )
    return engine


def _context(trt: Any, engine: Any) -> Any:
    """TensorRT for RTX compiles the kernels here; all of them now, so that no timing meets one half done."""
    if not hasattr(engine, "create_runtime_config") or not hasattr(trt, "DynamicShapesKernelSpecializationStrategy"):
        return engine.create_execution_context()
    config = engine.create_runtime_config()
    config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
    return engine.create_execution_context(config)


def _names(trt: Any, engine: Any) -> tuple[list[str], list[str]]:
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    return inputs, [name for name in names if name not in inputs]


def _dtype(engine: Any, name: str) -> str:
    kind = engine.get_tensor_dtype(name).name
    if kind not in _NUMPY:
        raise WorkbenchError(f"{name!r} has the type {kind}, which numpy cannot hold.")
    return _NUMPY[kind]


def _profiler(trt: Any, graph: Graph) -> Any:
    """An IProfiler that adds up milliseconds by layer id."""

    class Profiler(trt.IProfiler):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProfiler.__init__(self)
            self.runs = 0
            self._ids = {layer.name: layer.id for layer in graph.layers}
            self._sums = dict.fromkeys(self._ids.values(), 0.0)
            self._single: dict[str, list[float]] = {}

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            if layer_name in self._ids:
                self._sums[self._ids[layer_name]] += ms
                self._single.setdefault(self._ids[layer_name], []).append(ms)

        def singles(self) -> dict[str, list[float]]:
            found, self._single = self._single, {}
            return found

        def means(self) -> dict[str, float]:
            return {layer: total / max(self.runs, 1) for layer, total in self._sums.items()}

    return Profiler()
