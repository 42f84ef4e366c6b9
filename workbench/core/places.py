"""Where the program keeps what it must remember."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """`$WORKBENCH_HOME`, else `$XDG_DATA_HOME/inference-workbench`, else the same below `~/.local/share`. Made if absent."""
    own = os.environ.get("WORKBENCH_HOME")
    base = os.environ.get("XDG_DATA_HOME")
    home = Path(own) if own else (Path(base) if base else Path.home() / ".local" / "share") / "inference-workbench"
    home.mkdir(parents=True, exist_ok=True)
    return home
