"""The history: one folder a run, each file written whole. Killed at any moment, what was finished is there again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import psutil
from numpy.typing import NDArray

from workbench.core.calibration_report import CalibrationReport
from workbench.core.errors import WorkbenchError, disk_error, one_line
from workbench.core.json import read_json, write_json
from workbench.core.layer_errors import LayerErrors
from workbench.core.places import data_home
from workbench.core.run import EngineGraph, Run, RunError, RunRequest, Status
from workbench.core.stages import Stage
from workbench.core.tuning import Tuning
from workbench.pipeline.files import (
    CALIBRATION_FILE,
    GRAPH_FILE,
    LATENCIES_FILE,
    LAYER_ERRORS_FILE,
    LAYER_SAMPLES_FILE,
    REQUEST_FILE,
    RUN_FILE,
    STAGES_FILE,
    TUNING_FILE,
)

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
    """All runs below `root` (default: the user's data folder). Safe for several programs at once.

    Made by the first run. What the disk refuses is a WorkbenchError.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or data_home() / "runs"

    def new_folder(self) -> tuple[str, Path]:
        """A fresh run id (sorts by time, to the microsecond) and its folder, owned by this process."""
        try:
            return self._make_folder()
        except OSError as error:
            refused = disk_error(error)
            raise WorkbenchError(
                refused.message, "Free its disk, or set WORKBENCH_HOME to a folder of yours."
            ) from error

    def _make_folder(self) -> tuple[str, Path]:
        """Has its owner before it has its name, so that no other program's `sweep` takes it for a dead one's."""
        run_id = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        folder, fresh = self.root / run_id, self.root / f".{run_id}-{os.getpid()}"
        self.root.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        try:
            write_json(fresh / OWNER_FILE, Owner.of_this_process())
            fresh.rename(folder)
        except OSError:
            shutil.rmtree(fresh)
            if folder.exists():  # another program was here in the same microsecond
                return self._make_folder()
            raise
        return run_id, folder

    def folder(self, run_id: str) -> Path:
        """Where the files of this run are. Raises WorkbenchError for what is no id."""
        if not _ID.fullmatch(run_id):
            raise WorkbenchError(f"{run_id!r} is not the id of a run.", "`workbench runs` lists them.")
        return self.root / run_id

    def runs(self) -> list[Run]:
        """The history, newest first. What cannot be read is left out."""
        return [run for folder in reversed(self._folders()) if (run := _read_run(folder)) is not None]

    def _folders(self) -> list[Path]:
        """Folders whose name is an id, oldest first; whatever else lies here is not ours."""
        try:
            return sorted(path for path in self.root.iterdir() if _ID.fullmatch(path.name))
        except FileNotFoundError:
            return []  # no run was ever made
        except OSError as error:
            raise disk_error(error) from error

    def load(self, run_id: str) -> Run:
        """The run of this id. Raises WorkbenchError where it cannot be read."""
        return read_json(self.folder(run_id) / RUN_FILE, Run)

    def find(self, text: str) -> Run:
        """The run that `text` names: its id, the end of one id only, or its label. Raises WorkbenchError."""
        runs = self.runs()
        found = [run for run in runs if text in (run.id, run.label)] or [run for run in runs if run.id.endswith(text)]
        if len(found) == 1 and text:
            return found[0]
        said = f"{len(found)} runs are called" if found and text else "There is no run"
        raise WorkbenchError(f"{said} {one_line(repr(text), 80)}.", "`workbench runs` lists them with their ids.")

    def save(self, run: Run) -> None:
        """Writes `run.json`. Raises WorkbenchError where the disk refuses."""
        try:
            write_json(self.folder(run.id) / RUN_FILE, run)
        except OSError as error:
            raise disk_error(error) from error

    def request(self, run_id: str) -> RunRequest | None:
        """What the run was made from."""
        path = self.folder(run_id) / REQUEST_FILE
        return read_json(path, RunRequest) if path.is_file() else None

    def engine_graph(self, run_id: str) -> EngineGraph | None:
        """The engine's graph and fates, or None where the run did not get that far."""
        path = self.folder(run_id) / GRAPH_FILE
        return read_json(path, EngineGraph) if path.is_file() else None

    def layer_errors(self, run_id: str) -> LayerErrors | None:
        """The errors of layers, or None where they were not asked for. Of a run that was ended: as far as it came."""
        path = self.folder(run_id) / LAYER_ERRORS_FILE
        return read_json(path, LayerErrors) if path.is_file() else None

    def stages(self, run_id: str) -> tuple[Stage, ...]:
        """Where the time of a run went; of one that was killed, and of older ones, nothing is known."""
        path = self.folder(run_id) / STAGES_FILE
        return read_json(path, tuple[Stage, ...]) if path.is_file() else ()

    def tuning(self, run_id: str) -> Tuning | None:
        """The newest search for this run's fastest options; None where there was none."""
        path = self.folder(run_id) / TUNING_FILE
        return read_json(path, Tuning) if path.is_file() else None

    def keep_tuning(self, tuning: Tuning) -> None:
        """Beside the run that was tuned. Raises WorkbenchError where the disk refuses."""
        try:
            write_json(self.folder(tuning.run) / TUNING_FILE, tuning)
        except OSError as error:
            raise disk_error(error) from error

    def calibration(self, run_id: str) -> CalibrationReport | None:
        """What calibration saw; None where the run needed no ranges."""
        path = self.folder(run_id) / CALIBRATION_FILE
        return read_json(path, CalibrationReport) if path.is_file() else None

    def latencies(self, run_id: str) -> NDArray[np.float64]:
        """Measured latencies in ms, in order; empty where there are none."""
        path = self.folder(run_id) / LATENCIES_FILE
        if not path.is_file():
            return np.empty(0)
        try:
            return np.asarray(np.lib.format.open_memmap(path, mode="r"), dtype=np.float64)
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"The latencies of run {run_id} cannot be read: {error}") from error

    def layer_samples(self, run_id: str) -> NDArray[np.float32]:
        """Ms [inferences, layers] in the order of the engine's graph; empty where there are none."""
        path = self.folder(run_id) / LAYER_SAMPLES_FILE
        if not path.is_file():
            return np.empty((0, 0), dtype=np.float32)
        try:
            found = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"The layer times of run {run_id} cannot be read: {error}") from error
        return found if found.ndim == 2 and found.dtype == np.float32 else np.empty((0, 0), dtype=np.float32)

    def rename(self, run_id: str, label: str) -> Run:
        """Gives the run a label; "" takes it away."""
        run = msgspec.structs.replace(self.load(run_id), label=label)
        self.save(run)
        return run

    def delete(self, run_id: str) -> None:
        """Removes the run and its files. Raises WorkbenchError where something of it stays."""
        try:
            shutil.rmtree(self.folder(run_id))
        except FileNotFoundError:
            return  # gone already
        except OSError as error:
            raise disk_error(error) from error

    def sweep(self) -> list[Run]:
        """Marks runs whose program died as interrupted, and removes its folders that never became a run.

        What the disk lets nobody change (another user's, read-only) stays as it is: the history can still be read.
        """
        swept = []
        for folder in self._folders():
            with contextlib.suppress(WorkbenchError, OSError):
                if (run := _read_run(folder)) is not None:
                    if not run.status.is_final and not _owner_lives(folder):
                        swept.append(self._interrupt(run))
                elif (folder / OWNER_FILE).is_file() and not (folder / RUN_FILE).exists() and not _owner_lives(folder):
                    shutil.rmtree(folder)
        return swept

    def _interrupt(self, run: Run) -> Run:
        for part in self.folder(run.id).rglob("*.part"):
            part.unlink(missing_ok=True)
        error = RunError("The program ended while this run was at work.", "Build it again.")
        run = msgspec.structs.replace(run, status=Status.INTERRUPTED, error=error)
        self.save(run)
        return run


def _read_run(folder: Path) -> Run | None:
    """The run in a folder; None where there is none that can be read, or another's (a folder copied by hand)."""
    try:
        run = read_json(folder / RUN_FILE, Run)
    except WorkbenchError:
        return None
    return run if run.id == folder.name else None


def _owner_lives(folder: Path) -> bool:
    """Whether the program that made this folder is still alive."""
    try:
        return read_json(folder / OWNER_FILE, Owner).is_alive()
    except WorkbenchError:
        return False
