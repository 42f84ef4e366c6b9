"""Outputs whose shape depends on the data: TensorRT asks for memory while it runs, and says the shape in the end."""

from __future__ import annotations

from typing import Any

from workbench.backends.tensorrt_rtx.buffers import DeviceBuffers


def as_allocator(trt: Any, buffers: DeviceBuffers) -> Any:
    """An IOutputAllocator for one output: `address` and `shape` are those of the last inference."""

    class Allocator(trt.IOutputAllocator):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IOutputAllocator.__init__(self)
            self.address = 0
            self.shape: tuple[int, ...] = ()
            self._held = -1

        def reallocate_output_async(self, tensor_name: str, memory: int, size: int, alignment: int, stream: int) -> int:
            return self._place(size)

        def reallocate_output(self, tensor_name: str, memory: int, size: int, alignment: int) -> int:
            return self._place(size)

        def notify_shape(self, tensor_name: str, shape: Any) -> None:
            self.shape = tuple(shape)

        def _place(self, size: int) -> int:
            """cudaMalloc aligns to 256 bytes, which is more than TensorRT asks for."""
            if size > self._held:
                self.address, self._held = buffers.allocate(size), size
            return self.address

    return Allocator()
