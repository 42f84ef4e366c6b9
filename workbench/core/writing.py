"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path, *, sync: bool = True) -> Iterator[IO[bytes]]:
    """A binary file beside `path` that takes its place once all of it is written; where that fails nothing is left.

    No reader ever sees half of it, and two writers never share one. `sync` False spares the wait for the disk, for
    what can be made again. Raises OSError that names `path` where the disk refuses.
    """
    part = path.with_name(f"{path.name}.{threading.get_native_id()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
