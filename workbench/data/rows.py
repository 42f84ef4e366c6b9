"""The contract of a reader: what a sample set is once it is open."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.data.feeding import Wanted

Label = str | int | float | tuple[float, ...]
Array = NDArray[np.generic]


class Rows(msgspec.Struct, frozen=True):
    """`size` samples, each read when asked for. `feed(i)` gives values for the inputs in `covers`.

    A reader is a module of `data/readers` with `accepts(path) -> bool` (cheap) and `read(path, wanted) -> Rows`,
    which raises WorkbenchError for a set that cannot be used and says what is odd in `wanted.note`.
    """

    size: int
    covers: frozenset[str]
    feed: Callable[[int], dict[str, Array]]
    labels: tuple[Label, ...] | None = None


def readers() -> list[ModuleType]:
    """All readers, by being there."""
    package = importlib.import_module("workbench.data.readers")
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def read_rows(path: Path, wanted: Wanted) -> Rows | None:
    """The rows of the first reader that takes the path; None where none does."""
    for reader in readers():
        if reader.accepts(path):
            rows: Rows = reader.read(path, wanted)
            return rows
    return None
