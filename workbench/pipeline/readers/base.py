"""What a reader gives, and the checks all of them share. The files come from strangers."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from xml.etree.ElementTree import Element

import msgspec

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.graph import Fate, Graph
from workbench.core.model import Model

MOST_LAYERS = 10_000
MOST_TIMES = 5_000_000
_LONGEST_MS = 1e9

Document = dict[str, Any] | list[Any] | Element
"""Decoded JSON, or the root of an XML file."""


class Engine(msgspec.Struct, frozen=True):
    """An engine's graph linked to a model, and ms by layer id where the graph's own file has them."""

    graph: Graph
    fates: dict[str, Fate]
    layer_ms: dict[str, float] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one file tells. `title` names the engine's maker; `rank` says whose title wins (the larger).

    `link` builds the graph, with the sources of a model where there is one. `layer_ms` are mean ms by name, in the
    order of the layers, names may be doubled; `iterations` is over how many. `only_layers` are notes on the engine.
    """

    title: str
    rank: int = 0
    link: Callable[[Model | None], Engine] | None = None
    layer_ms: tuple[tuple[str, float], ...] = ()
    iterations: int = 0
    latencies_ms: tuple[float, ...] = ()
    protocol: str = ""
    notes: tuple[str, ...] = ()


class Reader(Protocol):
    """A module of this folder."""

    WHAT: str
    """What it reads, for people."""

    def recognise(self, document: Document) -> bool:
        """Whether this is its kind of file, by a look at its beginning."""
        ...

    def read(self, document: Document) -> Part:
        """Raises WorkbenchError for what does not hold together."""
        ...


def readers() -> list[Reader]:
    """All modules of this folder but this one."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return [importlib.import_module(f"{__package__}.{name}") for name in names if name != "base"]


def number(entry: object, key: str) -> float:
    """A time in ms: finite and not negative. Raises WorkbenchError."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WorkbenchError(f"{key} is {one_line(repr(value), 60)} in an entry, which is no time.", "Export it again.")
    if not 0 <= value <= _LONGEST_MS:
        raise WorkbenchError(f"{key} is {value:g} in an entry, which is no time in ms.", "Export it again.")
    return float(value)


def check_count(count: int, most: int, what: str) -> None:
    """Raises WorkbenchError where there are too many entries to be an engine's."""
    if count > most:
        raise WorkbenchError(
            f"The file has {count:,} {what}; {most:,} are the most that is read.", "Is it the right file?"
        )


def dicts(document: object) -> list[dict[str, Any]]:
    """The entries of a list that are objects."""
    return [entry for entry in document if isinstance(entry, dict)] if isinstance(document, list) else []


def text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
