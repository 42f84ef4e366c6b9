"""Weights set aside: into one file that models of a few nodes read from, each mapping only what it needs."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from onnx import ModelProto, TensorProto, numpy_helper

from workbench.model.inference import constant_tensor

SMALLEST = 1024
"""Bytes; what is smaller stays in the model, for operators like Reshape must see it when a session is made."""
PAGE = 4096  # ONNX Runtime maps a file from page boundaries on
_PLAIN = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.FLOAT16})


class WeightsAside:
    """The file. A context manager that removes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def take(self, model: ModelProto) -> ModelProto:
        """A copy whose large weights of the main graph lie here; those of Constant nodes too, as initializers.

        `model` loses them. What it held is freed only with it: a proto keeps its memory when a field is cleared.
        """
        _name_constants(model)
        for tensor in model.graph.initializer:
            if not tensor.HasField("raw_data") and tensor.data_type in _PLAIN:
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
            if len(tensor.raw_data) >= SMALLEST:
                self._move(tensor)
        self._file.flush()
        return ModelProto.FromString(model.SerializeToString())

    def _move(self, tensor: TensorProto) -> None:
        self._file.write(bytes(-self._file.tell() % PAGE))
        offset, length = self._file.tell(), self._file.write(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self.path.name), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)


def _name_constants(model: ModelProto) -> None:
    kept = []
    for node in model.graph.node:
        value = constant_tensor(node)
        if value is None:
            kept.append(node)
        else:
            tensor = model.graph.initializer.add()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
    if len(kept) < len(model.graph.node):
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]
        del model.graph.node[:]
        model.graph.node.extend(copies)
