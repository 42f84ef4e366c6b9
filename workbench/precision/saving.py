"""Writing a typed model: the same bytes for the same model, external data where protobuf's limit asks for it."""

from __future__ import annotations

from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError
from workbench.core.writing import written_whole

TYPED_FILE = "typed.onnx"
PROTOBUF_LIMIT = 1_800_000_000
"""Bytes of weights above which they go to a file beside the model; protobuf ends at 2 GiB."""


def weights_bytes(model: onnx.ModelProto) -> int:
    """Bytes of the top-level initializers."""
    return sum(len(tensor.raw_data) or tensor.ByteSize() for tensor in model.graph.initializer)


def save_model(model: onnx.ModelProto, folder: Path, limit: int = PROTOBUF_LIMIT, name: str = TYPED_FILE) -> Path:
    """Writes `folder/name` (and `<name>.data` beside it where weights pass `limit`), whole or not at all.

    Returns its path. Raises WorkbenchError where the disk refuses.
    """
    path = folder / name
    data = path.with_name(f"{name}.data")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.unlink(missing_ok=True)
        if weights_bytes(model) >= limit:
            onnx.save_model(model, str(path), save_as_external_data=True, location=data.name)
        else:
            with written_whole(path, sync=False) as file:
                file.write(model.SerializeToString(deterministic=True))
    except OSError as error:
        raise WorkbenchError(f"Cannot write {path.name}: {error.strerror}.", "Free some disk space.") from error
    return path
