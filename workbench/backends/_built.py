"""What every real engine tells once it is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from workbench.backends.base import Engine
from workbench.core.graph import Fate, Graph


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """As the attributes of `Engine`; `artefact` is a file."""

    graph: Graph
    fates: Mapping[str, Fate]
    memory: Mapping[str, int]
    artefact: Path
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    files: tuple[Path, ...] = ()


class BuiltEngine(Engine):
    """An engine with its facts; its size is that of the artefact."""

    def __init__(self, facts: Facts) -> None:
        self.graph = facts.graph
        self.fates = facts.fates
        self.memory = facts.memory
        self.artefact: Path = facts.artefact
        self.size_bytes = facts.artefact.stat().st_size
        self.notes = facts.notes
        self.versions = facts.versions
        self.files = facts.files
