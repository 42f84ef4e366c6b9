"""Writing a typed model: the same bytes for the same model, external data where protobuf's limit asks for it."""

from __future__ import annotations

from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError

TYPED_FILE = "typed.onnx"
PROTOBUF_LIMIT = 1_800_000_000
"""Bytes of weights above which they go to a file beside the model; protobuf ends at 2 GiB."""


def weights_bytes(model: onnx.ModelProto) -> int:
    """Bytes of the top-level initializers."""
    return sum(len(tensor.raw_data) or tensor.ByteSize() for tensor in model.graph.initializer)


def save_model(model: onnx.ModelProto, folder: Path, limit: int = PROTOBUF_LIMIT) -> Path:
    """Writes `folder/typed.onnx` (and `typed.onnx.data` where weights pass `limit`) and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TYPED_FILE
    data = path.with_name(path.name + ".data")
    data.unlink(missing_ok=True)
    try:
        if weights_bytes(model) < limit:
            path.write_bytes(model.SerializeToString(deterministic=True))
        else:
            onnx.save_model(model, str(path), save_as_external_data=True, location=data.name)
    except OSError as error:
        raise WorkbenchError(f"Cannot write {path.name}: {error.strerror}", "Free some disk space.") from error
    return path
