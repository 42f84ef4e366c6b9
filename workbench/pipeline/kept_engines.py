"""Engines kept by what they were built from: what is asked for again is found instead of built.

The files of an engine are hard links of those in its run's folder, so that keeping one costs no disk while a run has
it; what no run has any more is let go, the least used first, once it takes more than a limit. An entry appears whole by
one rename, and its files are held against their SHA-256 before they are taken: killed at any moment, or by two programs
at once, no run ever gets another engine than the one it asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.backends.base import Backend
from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.model import TypedModel
from workbench.core.places import data_home
from workbench.core.run import BuildConfig, Reuse

ENTRY_FILE = "kept.json"
LIMIT_VARIABLE = "WORKBENCH_ENGINES_GIB"
LIMIT_GIB = 4.0
_STALE_S = 3600.0
"""A folder half made is of a program that was killed, once it is as old."""


class KeptEngine(msgspec.Struct, frozen=True):
    """`kept.json`: which run built it, when, in how many seconds; its files by name with their SHA-256."""

    source: Reuse
    files: dict[str, str]


class KeptEngines:
    """All below `root` (default: the user's data folder), one folder an engine. Safe for several programs at once."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_home() / "engines"

    def take(self, key: str, folder: Path) -> Reuse | None:
        """Puts the engine's files into `folder`; None where there is no such engine, or it is damaged (and let go)."""
        home = self.root / key
        if not (home / ENTRY_FILE).is_file():
            return None
        try:
            kept = read_json(home / ENTRY_FILE, KeptEngine)
            for name, digest in kept.files.items():
                if Path(name).name != name or _digest(home / name) != digest:
                    raise WorkbenchError(f"{name} of a kept engine is damaged.")
                _link(home / name, folder / name)
            os.utime(home / ENTRY_FILE)
        except WorkbenchError:
            self._remove(home)
            return None
        except OSError:  # removed by another program meanwhile, or a full disk: the build will say so
            return None
        return kept.source

    def keep(self, key: str, files: Sequence[Path], source: Reuse) -> None:
        """Takes an engine in, in the place of one with the same key. Raises OSError where the disk refuses."""
        self.root.mkdir(parents=True, exist_ok=True)
        fresh = self.root / f".new-{os.getpid()}-{time.monotonic_ns()}"
        fresh.mkdir()
        try:
            for file in files:
                _link(file, fresh / file.name)
            write_json(fresh / ENTRY_FILE, KeptEngine(source, {file.name: _digest(file) for file in files}))
            self._remove(self.root / key)
            fresh.rename(self.root / key)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not (self.root / key / ENTRY_FILE).is_file():  # else another program was faster, with the same bytes
                raise

    def tidy(self, limit_bytes: int | None = None) -> None:
        """Lets go what no run has any more, the least used first, until the rest takes no more than the limit."""
        limit = limit_bytes if limit_bytes is not None else limit_of_user()
        loose = sorted(self._loose(), reverse=True)
        total = 0
        for _, size, home in loose:
            total += size
            if total > limit:
                self._remove(home)
        self._sweep()

    def usage(self) -> tuple[int, int, int]:
        """How many engines there are, their bytes, and the bytes that only this store holds."""
        entries = [home for home in self._homes() if (home / ENTRY_FILE).is_file()]
        total = sum(_size(home) for home in entries)
        return len(entries), total, sum(size for _, size, _ in self._loose())

    def _loose(self) -> list[tuple[float, int, Path]]:
        """Engines that no run has: when each was last used, its bytes, its folder."""
        found = []
        for home in self._homes():
            with contextlib.suppress(OSError):
                stats = [file.stat() for file in home.iterdir() if file.name != ENTRY_FILE]
                if all(stat.st_nlink < 2 for stat in stats):
                    found.append(((home / ENTRY_FILE).stat().st_mtime, sum(stat.st_size for stat in stats), home))
        return found

    def _homes(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return [home for home in self.root.iterdir() if not home.name.startswith(".")]
        return []

    def _remove(self, home: Path) -> None:
        """Out of sight by one rename first: nobody finds half of it."""
        gone = self.root / f".gone-{os.getpid()}-{time.monotonic_ns()}"
        with contextlib.suppress(OSError):
            home.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def _sweep(self) -> None:
        """What programs that were killed left half made or half removed."""
        with contextlib.suppress(OSError):
            for part in self.root.glob(".*"):
                if time.time() - part.stat().st_mtime > _STALE_S:
                    shutil.rmtree(part, ignore_errors=True)


def engine_digest(backend: Backend, typed: TypedModel, config: BuildConfig) -> str:
    """Equal for the same typed ONNX, byte for byte, and the same versions, device and options; "" where none is kept.

    Plan, model and ranges are all in the typed ONNX.
    """
    parts = backend.engine_key(typed, config)
    if not parts:
        return ""
    whole = hashlib.sha256(encode((backend.id, parts)))
    path = Path(typed.path)
    for file in (path, path.with_name(f"{path.name}.data")):
        if file.is_file():
            whole.update(bytes.fromhex(_digest(file)))
    return whole.hexdigest()[:40]


def limit_of_user() -> int:
    """Bytes that engines without a run may take: 4 GiB, or what `WORKBENCH_ENGINES_GIB` says."""
    try:
        return int(max(0.0, float(os.environ.get(LIMIT_VARIABLE, LIMIT_GIB))) * 2**30)
    except (ValueError, OverflowError):
        return int(LIMIT_GIB * 2**30)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(source: Path, target: Path) -> None:
    """A second name of the file; a copy where the disk has no such thing."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _size(home: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(file.stat().st_size for file in home.iterdir())
    return 0
