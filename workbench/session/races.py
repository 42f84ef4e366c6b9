"""Races: what interleaved timing has said of pairs of runs, kept beside the runs for the next start."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.core.json import read_json, write_json
from workbench.core.run import Race, RaceEntry

FILE = "races.json"
KEPT = 200


class Races:
    """The newest first. A file that cannot be read counts as empty: races can be run again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            self._all = read_json(self._path, list[Race]) if self._path.is_file() else []
        except WorkbenchError:
            self._all = []

    def add(self, race: Race) -> None:
        self._all = [race, *self._all][:KEPT]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, self._all)

    def entry(self, baseline: str, run: str) -> RaceEntry | None:
        """What the newest race of these two says of `run` against `baseline`; None where they never raced."""
        for race in self._all:
            if race.entries and race.entries[0].run == baseline:
                for entry in race.entries:
                    if entry.run == run:
                        return entry
        return None
