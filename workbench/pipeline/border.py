"""The border of every verb: what a user can cause leaves as a result with its error, and nothing else leaves at all."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from workbench.core.errors import Cancelled, WorkbenchError, disk_error, one_line
from workbench.core.events import LogLine
from workbench.core.json import write_json
from workbench.core.requests import AnyRequest, AnyResult
from workbench.core.run import RunError
from workbench.pipeline.record import Emit

Result = TypeVar("Result", bound=AnyResult)


def carried_out(
    request: AnyRequest, file: str, emit: Emit, work: Callable[[Path], Result], failed: Callable[[RunError], Result]
) -> Result:
    """The result of `work(folder)`, or the one that `failed` makes of its error; it is in `file` of the job's folder.

    Never raises for what the user can cause; where the disk takes no result, the one that is returned says so.
    """
    folder = Path(request.folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        result = work(folder)
    except Cancelled:
        result = failed(RunError("Cancelled."))
    except Exception as error:  # noqa: BLE001  the same border as in `run`
        emit(LogLine(request.id, "".join(traceback.format_exception(error)), "debug"))
        result = failed(as_run_error(error))
    try:
        write_json(folder / file, result)
    except OSError as error:
        return failed(as_run_error(error))
    return result


def as_run_error(error: Exception) -> RunError:
    """What is told of an error: the user's own ones in their words, anything else as a bug with its traceback."""
    if isinstance(error, WorkbenchError):
        return RunError(error.message, error.hint)
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return RunError(
            "There is not enough memory for this run.", "Use smaller shapes or close other programs.", detail
        )
    if isinstance(error, OSError) and error.strerror:
        refused = disk_error(error)
        return RunError(refused.message, refused.hint, detail)
    reason = one_line(f"{type(error).__name__}: {error}", 200)
    return RunError(f"Internal error: {reason}", "Please report it with the log of this run.", detail)
