"""Importing: a run made of files that another tool wrote about an engine."""

from __future__ import annotations

import msgspec

from workbench.core.run import Run, RunError


class ImportRequest(msgspec.Struct, frozen=True, tag="import"):
    """`files` tell of one engine: its layers, times of layers, latencies. `model_path` is the ONNX file it was built
    from, "" where that is not at hand. `id` and `folder` are those of the run that is made."""

    id: str
    folder: str
    files: tuple[str, ...]
    model_path: str = ""


class Imported(msgspec.Struct, frozen=True):
    """The run as it stands in its folder, or why there is none."""

    id: str
    run: Run | None = None
    error: RunError | None = None
