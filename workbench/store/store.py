"""The history: one folder a run, each file written whole. Killed at any moment, what was finished is there again."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path

import msgspec
import numpy as np
import psutil
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.json import read_json, write_json
from workbench.core.places import data_home
from workbench.core.run import EngineGraph, Run, RunError, RunRequest, Status
from workbench.pipeline.files import GRAPH_FILE, LATENCIES_FILE, REQUEST_FILE, RUN_FILE

OWNER_FILE = "owner.json"
_ID = re.compile(r"[0-9a-z-]{8,64}")


class Owner(msgspec.Struct, frozen=True):
    """The program that started a run. A pid alone is reused; with its start time it is not."""

    pid: int
    started: float

    @classmethod
    def of_this_process(cls) -> Owner:
        return cls(os.getpid(), psutil.Process().create_time())

    def is_alive(self) -> bool:
        try:
            return bool(abs(psutil.Process(self.pid).create_time() - self.started) < 1.0)
        except psutil.Error:
            return False


class Store:
    """All runs below `root` (default: the user's data folder). Safe for several programs at once."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_home() / "runs"
        self.root.mkdir(parents=True, exist_ok=True)

    def new_folder(self) -> tuple[str, Path]:
        """A fresh run id (sorts by time) and its folder, owned by this process."""
        run_id = time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(3)
        folder = self.root / run_id
        folder.mkdir()
        write_json(folder / OWNER_FILE, Owner.of_this_process())
        return run_id, folder

    def folder(self, run_id: str) -> Path:
        """Where the files of this run are. Raises WorkbenchError for what is no id."""
        if not _ID.fullmatch(run_id):
            raise WorkbenchError(f"{run_id!r} is not the id of a run.", "`workbench runs` lists them.")
        return self.root / run_id

    def runs(self) -> list[Run]:
        """The history, newest first. What cannot be read is left out."""
        folders = sorted((f for f in self.root.iterdir() if (f / RUN_FILE).is_file()), reverse=True)
        return [run for folder in folders if (run := _read_run(folder)) is not None]

    def load(self, run_id: str) -> Run:
        return read_json(self.folder(run_id) / RUN_FILE, Run)

    def save(self, run: Run) -> None:
        write_json(self.folder(run.id) / RUN_FILE, run)

    def request(self, run_id: str) -> RunRequest | None:
        """What the run was made from."""
        path = self.folder(run_id) / REQUEST_FILE
        return read_json(path, RunRequest) if path.is_file() else None

    def engine_graph(self, run_id: str) -> EngineGraph | None:
        """The engine's graph and fates, or None where the run did not get that far."""
        path = self.folder(run_id) / GRAPH_FILE
        return read_json(path, EngineGraph) if path.is_file() else None

    def latencies(self, run_id: str) -> NDArray[np.float64]:
        """Measured latencies in ms, in order; empty where there are none."""
        path = self.folder(run_id) / LATENCIES_FILE
        if not path.is_file():
            return np.empty(0)
        try:
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False), dtype=np.float64)
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"The latencies of run {run_id} cannot be read: {error}") from error

    def rename(self, run_id: str, label: str) -> Run:
        run = msgspec.structs.replace(self.load(run_id), label=label)
        self.save(run)
        return run

    def delete(self, run_id: str) -> None:
        shutil.rmtree(self.folder(run_id), ignore_errors=True)

    def sweep(self) -> list[Run]:
        """Marks runs whose program died as interrupted, and removes folders that never became a run."""
        swept = []
        for folder in list(self.root.iterdir()):
            if not folder.is_dir() or _is_owned(folder):
                continue
            run = _read_run(folder)
            if run is None and not (folder / RUN_FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)
            elif run is not None and not run.status.is_final:
                swept.append(self._interrupt(run))
        return swept

    def _interrupt(self, run: Run) -> Run:
        error = RunError("The program ended while this run was at work.", "Build it again.")
        run = msgspec.structs.replace(run, status=Status.INTERRUPTED, error=error)
        self.save(run)
        return run


def _read_run(folder: Path) -> Run | None:
    try:
        return read_json(folder / RUN_FILE, Run)
    except WorkbenchError:
        return None


def _is_owned(folder: Path) -> bool:
    """Whether the program that made this folder is still alive."""
    try:
        return read_json(folder / OWNER_FILE, Owner).is_alive()
    except WorkbenchError:
        return False
