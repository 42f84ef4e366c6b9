"""Catching what a C++ library writes to standard output by itself, past Python and past any logger."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stdout_caught(tell: Callable[[str], None]) -> Iterator[None]:
    """Inside, file descriptor 1 is a temporary file; its lines go to `tell` at the end, also after an error."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            file.seek(0)
            for line in file.read().decode(errors="replace").splitlines():
                tell(line)
