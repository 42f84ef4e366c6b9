"""A driver that records: an engine `y = 2 x`, its context and its memory, as far as the runner uses them.

What the real classes are called and take is held by test_tensorrt_rtx_runtime.py.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backends.tensorrt_rtx.buffers import DeviceBuffers

Shape = tuple[int, ...]


class Memory(DeviceBuffers):
    """Buffers in host memory; the clock of its events goes 1 ms for every inference."""

    def __init__(self) -> None:
        self.stream = 7
        self.held: dict[int, bytearray] = {}
        self.sizes: list[int] = []
        self.writes = 0
        self.clock_ms = 0.0
        self.closed = False

    def allocate(self, size_bytes: int) -> int:
        self.sizes.append(size_bytes)
        address = 1000 * len(self.sizes)
        self.held[address] = bytearray(size_bytes)
        return address

    def write(self, address: int, array: NDArray[np.generic]) -> None:
        self.writes += 1
        self.held[address][: array.nbytes] = array.tobytes()

    def read(self, array: NDArray[np.generic], address: int) -> None:
        array[...] = np.frombuffer(self.held[address], array.dtype, array.size).reshape(array.shape)

    def stamp(self) -> float:
        return self.clock_ms

    def elapsed_ms(self, first: float, last: float) -> float:
        return last - first

    def wait(self) -> None:
        """All is done at once here."""

    def close(self) -> None:
        self.closed = True


class Mode(Enum):
    INPUT = 1
    OUTPUT = 2


class Cache:
    """A runtime cache whose bytes are what was compiled, in order."""

    def __init__(self) -> None:
        self.kernels = b""

    def deserialize(self, blob: bytes) -> bool:
        self.kernels = bytes(blob)
        return True

    def serialize(self) -> bytes:
        return self.kernels


class Config:
    """A runtime configuration, with what was set."""

    dynamic_shapes_kernel_specialization_strategy = ""
    cuda_graph_strategy = ""

    def __init__(self) -> None:
        self.cache: Cache | None = None

    def create_runtime_cache(self) -> Cache:
        return Cache()

    def set_runtime_cache(self, cache: Cache) -> bool:
        self.cache = cache
        return True


class Context:
    """Doubles x. `free`: the shape of y is not known beforehand, and positive values alone are given."""

    def __init__(self, memory: Memory, engine: Engine, *, free: bool) -> None:
        self.memory, self.engine, self.free = memory, engine, free
        self.active_optimization_profile = 0
        self.profiler: Any = None
        self.runs = True
        self.shape: Shape = ()
        self.addresses: dict[str, int] = {}
        self.allocator: Any = None

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        assert stream == self.memory.stream
        self.active_optimization_profile = index
        return True

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        assert name == "x"
        self.shape = shape
        return True

    def infer_shapes(self) -> list[str]:
        return []

    def get_tensor_shape(self, name: str) -> Shape:
        return (-1,) if name == "y" and self.free else self.shape

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def set_output_allocator(self, name: str, allocator: Any) -> bool:
        self.allocator = allocator
        return True

    def execute_async_v3(self, stream: int) -> bool:
        if not self.runs:
            return False
        x = np.frombuffer(self.memory.held[self.addresses["x"]], np.float32, int(np.prod(self.shape)))
        y = (x[x > 0] if self.free else x) * np.float32(2)
        address = self.addresses.get("y", 0)
        if self.free:
            address = self.allocator.reallocate_output_async("y", 0, y.nbytes, 256, stream)
            self.allocator.notify_shape("y", y.shape)
        self.memory.held[address][: y.nbytes] = y.tobytes()
        self.memory.clock_ms += 1.0
        if self.profiler is not None:
            self.profiler.report_layer_time("double", 0.25)
        return True


class Engine:
    """One input x and one output y, float32, with optimization profiles as (least, best, largest)."""

    num_io_tensors = 2

    def __init__(self, memory: Memory, profiles: tuple[tuple[Shape, Shape, Shape], ...], *, free: bool) -> None:
        self._memory, self.profiles, self._free = memory, profiles, free
        self.num_optimization_profiles = len(profiles)
        self.config = Config()
        self.context = Context(memory, self, free=free)

    def get_tensor_name(self, index: int) -> str:
        return "xy"[index]

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode.INPUT if name == "x" else Mode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        return SimpleNamespace(name="FLOAT")

    def get_tensor_profile_shape(self, name: str, index: int) -> tuple[Shape, Shape, Shape]:
        return self.profiles[index]

    def create_runtime_config(self) -> Config:
        return self.config

    def create_execution_context(self, config: Config) -> Context:
        if config.cache is not None and b"double" not in config.cache.kernels:
            config.cache.kernels += b"double"
        return self.context


def module(engine: Engine) -> Any:
    """As much of `tensorrt_rtx` as the runner uses."""

    class Base:
        """A class of the bindings that is subclassed."""

    logger = type("Logger", (), {"WARNING": 1, "__init__": lambda self, level: None})
    runtime = type(
        "Runtime", (), {"__init__": lambda self, log: None, "deserialize_cuda_engine": lambda self, data: engine}
    )
    strategies = SimpleNamespace(WHOLE_GRAPH_CAPTURE="graph", DISABLED="no graph")
    return SimpleNamespace(
        Logger=logger,
        Runtime=runtime,
        TensorIOMode=Mode,
        IProfiler=Base,
        IOutputAllocator=Base,
        CudaGraphStrategy=strategies,
        DynamicShapesKernelSpecializationStrategy=SimpleNamespace(EAGER="eager"),
    )


def artefact(folder: Path) -> Path:
    path = folder / "engine.trt"
    path.write_bytes(b"an engine")
    return path
