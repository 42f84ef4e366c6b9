"""Options of a backend, which come as text, and what no backend offers yet."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.errors import WorkbenchError

NOT_WRITTEN = "Weight-only precision cannot be written into a model yet."
"""Why no backend offers it, though engines could run it."""


def number(options: Mapping[str, str], key: str, default: float) -> float:
    """The option as a number, not negative. Raises WorkbenchError for anything else."""
    text = options.get(key, str(default))
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e9:
        raise WorkbenchError(f"The option {key} is {text!r}.", "It takes a number, 0 or more.")
    return found
