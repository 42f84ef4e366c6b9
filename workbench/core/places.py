"""Where the user's own files of the program are kept."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """`$WORKBENCH_HOME`, else `$XDG_DATA_HOME/inference-workbench`, else `~/.local/share/inference-workbench`.

    Not created here. A relative `XDG_DATA_HOME` is ignored, as its specification asks.
    """
    own = os.environ.get("WORKBENCH_HOME")
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_DATA_HOME", "")
    base = Path(shared) if Path(shared).is_absolute() else Path.home() / ".local" / "share"
    return base / "inference-workbench"
