"""Exporting: a plan written into an ONNX file that is the user's to keep."""

from __future__ import annotations

import msgspec

from workbench.core.run import RunError, RunRequest


class ExportRequest(msgspec.Struct, frozen=True, tag="export"):
    """Compiles the plan of `run` for its backend's dialect and writes the result to `path`. `folder` is the job's own.

    Free dimensions stay free unless `fixed_shapes`: then the file has the shapes of `run`.
    """

    id: str
    folder: str
    run: RunRequest
    path: str
    fixed_shapes: bool = False


class Exported(msgspec.Struct, frozen=True):
    """What was written. `asked` counts nodes by precision; `cleanup` is how much each clean-up pass did, by name.

    `data` is the file beside it that holds the weights where they pass the limit of protobuf; else "".
    """

    id: str
    path: str = ""
    data: str = ""
    size_bytes: int = 0  # both files
    nodes: int = 0
    opset: int = 0
    asked: dict[str, int] = {}
    cleanup: dict[str, int] = {}
    notes: tuple[str, ...] = ()
    error: RunError | None = None
