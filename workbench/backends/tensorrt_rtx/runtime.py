"""Running an engine on a GPU. Written from the API of the bindings; no GPU was at hand, so it is not yet run anywhere.

tests/backends/test_tensorrt_rtx_runtime.py holds every call made here against the real bindings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backends._feeds import fitted
from workbench.backends.base import Feed, Runner
from workbench.backends.tensorrt_rtx.buffers import DeviceBuffers, open_buffers
from workbench.backends.tensorrt_rtx.context import CUDA_GRAPHS, Context
from workbench.backends.tensorrt_rtx.module import load_module
from workbench.backends.tensorrt_rtx.outputs import as_allocator
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
    """An execution context with its buffers on the first GPU. With `layers` it also times each layer, which costs
    latency and rules CUDA graphs out: a pass of its own."""

    def __init__(
        self, artefact: Path, graph: Graph, options: Mapping[str, str] = MappingProxyType({}), *, layers: bool = False
    ) -> None:
        trt = load_module()
        self._specs = {name: graph.tensors[name] for name in graph.inputs if name in graph.tensors}
        self._bound: Feed | None = None
        self._addresses: dict[str, tuple[int, int]] = {}
        self._buffers: DeviceBuffers = open_buffers()
        try:
            self._open(trt, artefact, {**options, CUDA_GRAPHS: "off"} if layers else options)
        except BaseException:
            self._buffers.close()  # nobody gets a runner to leave
            raise
        self._profiler = as_profiler(trt, graph) if layers else None
        if self._profiler is not None:
            self._context.profiler = self._profiler

    def _open(self, trt: Any, artefact: Path, options: Mapping[str, str]) -> None:
        self._logger = trt.Logger(trt.Logger.WARNING)
        self._runtime = trt.Runtime(self._logger)
        self._engine = _load(self._runtime, artefact)
        self._kept = Context(trt, self._engine, options)
        self._context = self._kept.execution
        self._inputs, self._outputs = _names(trt, self._engine)
        self._allocators = {name: as_allocator(trt, self._buffers) for name in self._outputs}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._buffers.wait()
        self._kept.close()
        del self._context, self._kept, self._engine, self._runtime
        self._buffers.close()

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        self._bind(feed)
        self._execute()
        self._buffers.wait()
        return {name: self._read(name) for name in self._outputs}

    def time(self, feed: Feed) -> float:
        """Between two events on the stream: what trtexec calls GPU compute time. Inputs are copied before it."""
        if feed is not self._bound:
            self._bind(feed)
        first = self._buffers.stamp()
        self._execute()
        last = self._buffers.stamp()
        self._buffers.wait()
        return self._buffers.elapsed_ms(first, last)

    def layer_times(self) -> dict[str, float]:
        return self._profiler.means() if self._profiler is not None else {}

    def _execute(self) -> None:
        if not self._context.execute_async_v3(self._buffers.stream):
            raise WorkbenchError("TensorRT could not run the engine.", "See the log for its reason.")
        if self._profiler is not None:
            self._buffers.wait()  # the profiler tells the layers of an inference when it is complete
            self._profiler.runs += 1

    def _bind(self, feed: Feed) -> None:
        """Copies the inputs to the GPU and gives every output its memory."""
        given = {**feed, **fitted(feed, self._specs)}
        arrays = {name: np.ascontiguousarray(given[name], _dtype(self._engine, name)) for name in self._inputs}
        self._choose_profile({name: array.shape for name, array in arrays.items()})
        for name, array in arrays.items():
            self._context.set_input_shape(name, array.shape)
            self._buffers.write(self._place(name, array.nbytes), array)
        missing = self._context.infer_shapes()
        if missing:
            raise WorkbenchError(f"Shapes of {', '.join(missing)} are not known.", "Give every input a shape.")
        for name in self._outputs:
            self._bind_output(name)
        self._bound = feed

    def _choose_profile(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """The first optimization profile that holds these shapes, where there are several."""
        count = self._engine.num_optimization_profiles
        if count < 2:
            return
        for index in range(count):
            ranges = {name: self._engine.get_tensor_profile_shape(name, index) for name in shapes}
            if all(_is_within(shape, ranges[name]) for name, shape in shapes.items()):
                if self._context.active_optimization_profile != index:
                    self._context.set_optimization_profile_async(index, self._buffers.stream)
                    self._buffers.wait()
                return
        said = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise WorkbenchError(f"No optimization profile of this engine holds {said}.", "Build it with one that does.")

    def _bind_output(self, name: str) -> None:
        shape = tuple(self._context.get_tensor_shape(name))
        if any(dim < 0 for dim in shape):  # it depends on the data: memory is asked for while it runs
            self._context.set_output_allocator(name, self._allocators[name])
        else:
            self._place(name, int(np.prod(shape, dtype=np.int64)) * np.dtype(_dtype(self._engine, name)).itemsize)

    def _read(self, name: str) -> NDArray[np.generic]:
        shape = tuple(self._context.get_tensor_shape(name))
        address, _ = self._addresses.get(name, (0, 0))
        if any(dim < 0 for dim in shape):
            shape, address = self._allocators[name].shape, self._allocators[name].address
        array = np.empty(shape, _dtype(self._engine, name))
        if array.nbytes:
            self._buffers.read(array, address)
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


def _is_within(shape: tuple[int, ...], limits: Any) -> bool:
    """`limits` are the least, the best and the largest shape of a profile."""
    low, _, high = (tuple(limit) for limit in limits)
    same = len(low) == len(shape) == len(high)
    return same and all(a <= dim <= b for a, dim, b in zip(low, shape, high, strict=True))


def _names(trt: Any, engine: Any) -> tuple[list[str], list[str]]:
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    return inputs, [name for name in names if name not in inputs]


def _dtype(engine: Any, name: str) -> str:
    kind = engine.get_tensor_dtype(name).name
    if kind not in _NUMPY:
        raise WorkbenchError(f"{name!r} has the type {kind}, which numpy cannot hold.")
    return _NUMPY[kind]


def as_profiler(trt: Any, graph: Graph) -> Any:
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
