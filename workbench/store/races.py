"""Races: what interleaved timing has said of pairs of runs, kept beside the runs for the next start."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.json import read_json, write_json
from workbench.core.run import Race, RaceEntry

FILE = "races.json"
KEPT = 200


class RaceBook:
    """The newest first. A file that cannot be read counts as empty: races can be run again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._all = self._read()

    def add(self, race: Race) -> None:
        """To what the file has now: the window and the command line write to one. Raises WorkbenchError."""
        self._all = [race, *self._read()][:KEPT]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._path, self._all)
        except OSError as error:
            raise disk_error(error) from error

    def find(self, baseline: str, run: str) -> tuple[Race, RaceEntry] | None:
        """The newest race of these two, and what it says of `run` against `baseline`; None where they never raced."""
        for race in self._all:
            if race.entries and race.entries[0].run == baseline:
                for entry in race.entries:
                    if entry.run == run:
                        return race, entry
        return None

    def _read(self) -> list[Race]:
        try:
            return read_json(self._path, list[Race]) if self._path.is_file() else []
        except WorkbenchError:
            return []
