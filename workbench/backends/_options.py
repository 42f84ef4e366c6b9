"""Options of a backend, which come as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from workbench.core.errors import WorkbenchError

T = TypeVar("T")

SWITCH = {"off": False, "on": True}


def choice(options: Mapping[str, str], key: str, known: Mapping[str, T], default: str) -> T:
    """What the option's word stands for. Raises WorkbenchError for a word that is not known."""
    word = options.get(key, default)
    if word not in known:
        raise WorkbenchError(f"The option {key} is {word!r}.", f"It takes one of: {', '.join(known)}.")
    return known[word]


def thread_counts(physical: int, logical: int) -> tuple[str, ...]:
    """Worth trying: the default (0: all physical cores), powers of two below, and all hyper-threads."""
    counts = {2**power for power in range(physical.bit_length())} | {logical}
    return ("0", *(str(count) for count in sorted(counts - {physical})))


def pool_threads(threads: int, streams: int) -> int:
    """Of one pool that all streams share, each beside the thread that calls: so that each has `threads`. 0: all cores.

    A pool of n threads is n - 1 workers; the caller is the other one, and of callers there are as many as streams.
    """
    return streams * (threads - 1) + 1 if threads else 0


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
