"""Ceilings of machines: measured once, kept for every later roofline."""

from __future__ import annotations

from pathlib import Path

from workbench.core.ceilings import Ceilings
from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.json import read_json, write_json

FILE = "ceilings.json"


class CeilingBook:
    """One for each machine and count of threads, the newest. A file that cannot be read counts as empty."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def find(self, machine: str, threads: int) -> Ceilings | None:
        """Those of this machine and count; None where they were not measured."""
        known = (one for one in self.all() if (one.machine, one.threads) == (machine, threads))
        return next(known, None)

    def keep(self, measured: tuple[Ceilings, ...]) -> None:
        """In place of older ones. Raises WorkbenchError where the disk refuses."""
        new = {(one.machine, one.threads) for one in measured}
        others = [one for one in self.all() if (one.machine, one.threads) not in new]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._path, [*measured, *others])
        except OSError as error:
            raise disk_error(error) from error

    def all(self) -> list[Ceilings]:
        """The newest first."""
        try:
            return read_json(self._path, list[Ceilings]) if self._path.is_file() else []
        except WorkbenchError:
            return []
