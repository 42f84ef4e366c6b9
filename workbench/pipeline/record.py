"""The record of a run while it runs: every change is on disk before anybody is told of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.core.errors import Cancelled, WorkbenchError, disk_error, one_line
from workbench.core.events import AnyEvent, Changed, LogLine, Progress
from workbench.core.json import read_json, write_json
from workbench.core.layer_errors import LayerErrors
from workbench.core.model import Model
from workbench.core.run import Accuracy, Build, Run, RunError, RunRequest, Status, Timing
from workbench.core.stages import StageClock
from workbench.pipeline.files import LAYER_ERRORS_FILE, LOG_FILE, REQUEST_FILE, RUN_FILE, STAGES_FILE

Emit = Callable[[AnyEvent], None]
MIN_INTERVAL = 1 / 30
"""Seconds between two events of a kind that is only the newest of its kind worth."""


def new_run(request: RunRequest, model: Model | None = None) -> Run:
    """The run of a request before anything happened."""
    return Run(
        id=request.id,
        model=request.model_path,
        model_sha256=model.sha256 if model else "",
        model_name=Path(request.model_path).stem,
        config=request.config,
        status=Status.WAITING,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        calibration=request.calibration,
        evaluation=request.evaluation,
    )


def _known_model(folder: Path) -> str:
    """Of which model whoever submitted the run has noted that it is: it may end before the model is open here."""
    with contextlib.suppress(WorkbenchError):
        return read_json(folder / RUN_FILE, Run).model_sha256
    return ""


class Throttle:
    """Lets the newest through at most 30 times a second; what may not be lost is asked for with `always`."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def lets(self, kind: str, *, always: bool = False) -> bool:
        now = perf_counter()
        if not always and now - self._last.get(kind, -1.0) < MIN_INTERVAL:
            return False
        self._last[kind] = now
        return True


class Record:
    """`run` is what stands in `run.json`. Steps change it by `save`, and speak by `progress`, `log` and `emit`."""

    def __init__(self, request: RunRequest, emit: Emit, cancelled: Callable[[], bool]) -> None:
        self.request = request
        self.folder = Path(request.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.emit = emit
        self.cancelled = cancelled
        self.throttle = Throttle()
        self._start = perf_counter()
        self._clock = StageClock(self._start)
        self.run = msgspec.structs.replace(new_run(request), model_sha256=_known_model(self.folder))
        write_json(self.folder / REQUEST_FILE, request)
        self._save("status", msgspec.structs.replace(self.run, status=Status.RUNNING))

    def identify(self, model: Model) -> None:
        """Notes which model it is, once it is open."""
        self._save("status", msgspec.structs.replace(self.run, model_sha256=model.sha256))

    def built(self, build: Build) -> None:
        self._save("build", msgspec.structs.replace(self.run, build=build))

    def timed(self, timing: Timing) -> None:
        self._save("timing", msgspec.structs.replace(self.run, timing=timing))

    def checked(self, accuracy: Accuracy) -> None:
        self._save("accuracy", msgspec.structs.replace(self.run, accuracy=accuracy))

    def keep_layers(self, errors: LayerErrors) -> None:
        """Writes `layer_errors.json`, as often as there is more."""
        write_json(self.folder / LAYER_ERRORS_FILE, errors)

    def tell_layers(self) -> None:
        """Says that the errors of layers are complete."""
        self.emit(Changed(self.run.id, "layers", self.run.status))

    def finish(self, status: Status, error: RunError | None = None) -> Run:
        """The last change. Where the disk takes nothing more, the run that is returned says so; what is there stays."""
        if error is not None:
            self.log(f"{error.message} {error.hint}".strip(), "error" if status is Status.FAILED else "info")
        seconds = perf_counter() - self._start
        with contextlib.suppress(OSError):  # the run itself matters more, and says so
            write_json(self.folder / STAGES_FILE, self._clock.stages(perf_counter()))
        run = msgspec.structs.replace(self.run, status=status, error=error, seconds=seconds)
        try:
            self._save("status", run)
        except OSError as problem:
            refused = disk_error(problem)
            self.log(str(refused), "error")
            return msgspec.structs.replace(
                run, status=Status.FAILED, error=error or RunError(refused.message, refused.hint)
            )
        return run

    def stop_if_cancelled(self) -> None:
        """Raises Cancelled where the user asked to stop."""
        if self.cancelled():
            raise Cancelled

    def progress(self, phase: str, done: int = 0, total: int = 0, text: str = "", inner: tuple[str, ...] = ()) -> None:
        """Says how far a phase is. Its begin and end always get through, what is between at 30 Hz."""
        path = (phase, *inner)
        edge = path != self._clock.path or (total > 0 and done >= total)
        self._clock.enter(path, perf_counter())
        if self.throttle.lets("progress", always=edge):
            self.emit(Progress(self.run.id, phase, done, total, one_line(text, 200), inner))

    def log(self, text: str, level: str = "info") -> None:
        """One line for the log: into the file first, then to whoever listens, who hears it on a full disk too."""
        line = one_line(text, 2000)
        with contextlib.suppress(OSError), (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n" if level == "info" else f"{level}: {line}\n")
        self.emit(LogLine(self.run.id, line, level))

    def _save(self, part: str, run: Run) -> None:
        write_json(self.folder / RUN_FILE, run)
        self.run = run
        self.emit(Changed(run.id, part, run.status))
