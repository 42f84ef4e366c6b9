"""Memory, a stream and its events on the GPU, by pycuda or else by cuda-bindings. Not run anywhere yet: no GPU was at
hand."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError

Array = NDArray[np.generic]


class DeviceBuffers(ABC):
    """Buffers and one stream on the first GPU. Addresses are ints; `close` frees everything."""

    stream: int

    @abstractmethod
    def allocate(self, size_bytes: int) -> int:
        """The address of a new buffer."""

    @abstractmethod
    def write(self, address: int, array: Array) -> None:
        """Host to device; `array` is contiguous. Complete on return."""

    @abstractmethod
    def read(self, array: Array, address: int) -> None:
        """Device to host into `array`. Complete on return."""

    @abstractmethod
    def stamp(self) -> Any:
        """An event on the stream: the moment when all before it is done."""

    @abstractmethod
    def elapsed_ms(self, first: Any, last: Any) -> float:
        """Between two stamps, after `wait`. Their events are freed."""

    @abstractmethod
    def wait(self) -> None:
        """Returns when the stream has nothing left to do."""

    @abstractmethod
    def close(self) -> None: ...


def open_buffers() -> DeviceBuffers:
    """pycuda first, cuda-bindings second. WorkbenchError with both reasons where neither works."""
    reasons = []
    for kind in (PyCudaBuffers, CudaBindingsBuffers):
        try:
            return kind()
        except (ImportError, RuntimeError, OSError) as error:
            reasons.append(str(error))
    raise WorkbenchError(f"The GPU cannot be used: {'; '.join(reasons)}.", "pip install cuda-bindings")


class PyCudaBuffers(DeviceBuffers):
    def __init__(self) -> None:
        self._driver: Any = importlib.import_module("pycuda.driver")
        self._driver.init()
        self._context = self._driver.Device(0).retain_primary_context()
        self._context.push()
        self._stream = self._driver.Stream()
        self._held: dict[int, Any] = {}
        self.stream = int(self._stream.handle)

    def allocate(self, size_bytes: int) -> int:
        buffer = self._driver.mem_alloc(max(size_bytes, 1))
        self._held[int(buffer)] = buffer
        return int(buffer)

    def write(self, address: int, array: Array) -> None:
        self._driver.memcpy_htod(address, array)

    def read(self, array: Array, address: int) -> None:
        self._driver.memcpy_dtoh(array, address)

    def stamp(self) -> Any:
        event = self._driver.Event()
        event.record(self._stream)
        return event

    def elapsed_ms(self, first: Any, last: Any) -> float:
        return float(last.time_since(first))

    def wait(self) -> None:
        self._stream.synchronize()

    def close(self) -> None:
        for buffer in self._held.values():
            buffer.free()
        self._held.clear()
        self._context.pop()


class CudaBindingsBuffers(DeviceBuffers):
    def __init__(self) -> None:
        self._cuda: Any = importlib.import_module("cuda.bindings.runtime")
        self._stream = self._call("cudaStreamCreate")
        self._held: list[int] = []
        self.stream = int(self._stream)

    def allocate(self, size_bytes: int) -> int:
        self._held.append(int(self._call("cudaMalloc", max(size_bytes, 1))))
        return self._held[-1]

    def write(self, address: int, array: Array) -> None:
        self._call("cudaMemcpy", address, array.ctypes.data, array.nbytes, self._kind("HostToDevice"))

    def read(self, array: Array, address: int) -> None:
        self._call("cudaMemcpy", array.ctypes.data, address, array.nbytes, self._kind("DeviceToHost"))

    def stamp(self) -> Any:
        event = self._call("cudaEventCreate")
        self._call("cudaEventRecord", event, self._stream)
        return event

    def elapsed_ms(self, first: Any, last: Any) -> float:
        found = float(self._call("cudaEventElapsedTime", first, last))
        self._call("cudaEventDestroy", first)
        self._call("cudaEventDestroy", last)
        return found

    def wait(self) -> None:
        self._call("cudaStreamSynchronize", self._stream)

    def close(self) -> None:
        for address in self._held:
            self._call("cudaFree", address)
        self._held.clear()
        self._call("cudaStreamDestroy", self._stream)

    def _kind(self, way: str) -> Any:
        return getattr(self._cuda.cudaMemcpyKind, f"cudaMemcpy{way}")

    def _call(self, name: str, *args: Any) -> Any:
        """The function's result. Each returns a tuple whose first item is its status."""
        status, *result = getattr(self._cuda, name)(*args)
        if int(status) != 0:
            raise RuntimeError(f"{name}: {status.name}")
        return result[0] if result else None
