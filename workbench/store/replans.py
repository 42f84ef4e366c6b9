"""What changes of shape cost, as it was measured: kept for each model and configuration."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.json import read_json, write_json
from workbench.core.replanning import Replanned

FILE = "shape_changes.json"
KEPT = 100


class _Kept(msgspec.Struct, frozen=True):
    key: str
    result: Replanned


class ReplanBook:
    """The newest of each key counts. A file that cannot be read counts as empty: it can be measured again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def find(self, key: str) -> Replanned | None:
        return next((one.result for one in self._read() if one.key == key), None)

    def keep(self, key: str, result: Replanned) -> None:
        """Raises WorkbenchError where the disk refuses."""
        others = [one for one in self._read() if one.key != key]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._path, [_Kept(key, result), *others][:KEPT])
        except OSError as error:
            raise disk_error(error) from error

    def _read(self) -> list[_Kept]:
        try:
            return read_json(self._path, list[_Kept]) if self._path.is_file() else []
        except WorkbenchError:
            return []
