"""Reading files that nobody vouches for: regular ones, of bounded size, and never a pipe that blocks."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from workbench.core.errors import WorkbenchError


def read_file(path: Path, *, limit: int, hint: str = "") -> bytes:
    """The whole of a regular file of at most `limit` bytes; `hint` is for one that is larger.

    Pipes, devices and folders are refused before anything is read: opened without blocking, then looked at.
    Raises WorkbenchError for everything that stands in the way.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _not_regular(path, found.st_mode)
        if found.st_size > limit:
            raise WorkbenchError(f"{path.name} has {found.st_size:,} bytes; {limit:,} are the most that is read.", hint)
        with open(handle, "rb", closefd=False) as file:
            return file.read(limit)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(handle)


def unreadable(path: Path, error: OSError | ValueError) -> WorkbenchError:
    """Why a file cannot be opened, in words."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOENT, errno.ENOTDIR):
        return WorkbenchError(f"There is no file {path}.", "Check the path.")
    if number in (errno.EACCES, errno.EPERM):
        return WorkbenchError(f"You may not read {path}.", "Ask its owner, or copy the file.")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return WorkbenchError(f"Cannot read {path}: {reason}.", "Check the path.")


def _not_regular(path: Path, mode: int) -> WorkbenchError:
    if stat.S_ISDIR(mode):
        return WorkbenchError(f"{path} is a folder, not a file.", "Choose the file in it.")
    return WorkbenchError(f"{path} is a pipe or device, not a file.", "Copy what it gives into a file first.")


def check_regular(path: Path) -> None:
    """Raises WorkbenchError where `path` is not a regular file; for readers that must open it themselves."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(mode):
        raise _not_regular(path, mode)
