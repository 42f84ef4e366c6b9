"""Runs of the open document: the history on disk, the queue, and what running jobs tell, drained 30 times a second."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.events import AnyEvent, Changed, LogLine, Progress
from workbench.core.json import write_json
from workbench.core.layer_errors import LayerErrors
from workbench.core.model import Model
from workbench.core.requests import AnyRequest, AnyResult
from workbench.core.run import EngineGraph, RaceRequest, Run, RunRequest, Status
from workbench.core.stages import Stage
from workbench.core.titles import Titles
from workbench.jobs import JobQueue
from workbench.pipeline.files import LOG_FILE, REQUEST_FILE
from workbench.session.live import LiveRun
from workbench.store import Store

TICK_MS = 33
GRAPHS_KEPT = 8


class Runs(QObject):
    """All runs by id, newest first. Callbacks of the queue come from its thread and meet the UI thread in a deque."""

    changed = Signal(object)  # frozenset of run ids that are new, other or gone
    engine_changed = Signal(object)  # a run's id: its engine graph is on disk now
    ticked = Signal(object)  # frozenset of job ids that told something
    busy_changed = Signal(object)  # bool
    finished = Signal(object)  # AnyResult
    failed = Signal(object)  # WorkbenchError

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.live: dict[str, LiveRun] = {}
        self.jobs: OrderedDict[str, str] = OrderedDict()  # id -> what it is, in words; waiting or running
        self._all: dict[str, Run] = {}
        self._titles: Titles | None = None
        self.changed.connect(self._forget_titles)
        self._graphs: OrderedDict[str, EngineGraph] = OrderedDict()
        self._layer_errors: OrderedDict[str, LayerErrors | None] = OrderedDict()
        self._queue: JobQueue | None = None
        self._cancelled: set[str] = set()  # jobs that the user ended: no error
        self._inbox: deque[list[AnyEvent] | AnyResult] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._drain)
        self.store.sweep()
        self._all = {run.id: run for run in self.store.runs()}

    # what there is

    def __iter__(self) -> Any:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def get(self, run_id: str) -> Run | None:
        return self._all.get(run_id)

    @property
    def titles(self) -> Titles:
        """What each is called among all."""
        if self._titles is None:
            self._titles = Titles(self._all.values())
        return self._titles

    def _forget_titles(self, _ids: frozenset[str]) -> None:
        self._titles = None

    @property
    def is_busy(self) -> bool:
        return bool(self.jobs)

    @property
    def running(self) -> str:
        """Id of the job at work, or ""."""
        return self._queue.running if self._queue else ""

    def engine(self, run_id: str) -> EngineGraph | None:
        """The engine's graph, or None where the run has none (yet)."""
        run = self._all.get(run_id)
        if run is None or run.build is None:
            return None
        if run_id not in self._graphs:
            try:
                graph = self.store.engine_graph(run_id)
            except WorkbenchError as error:
                self.failed.emit(error)
                return None
            if graph is None:
                return None
            self._graphs[run_id] = graph
            while len(self._graphs) > GRAPHS_KEPT:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(run_id)
        return self._graphs[run_id]

    def latencies(self, run_id: str) -> NDArray[np.float64]:
        """In ms, in order: what arrived live, else what is on disk."""
        live = self.live.get(run_id)
        if live is not None and len(live.latencies_ms):
            return live.latencies_ms
        try:
            return self.store.latencies(run_id) if run_id in self._all else np.empty(0)
        except WorkbenchError:
            return np.empty(0)

    def layer_ms(self, run_id: str) -> Mapping[str, float]:
        """Mean ms by layer id: of the finished pass, else of the one under way."""
        run = self._all.get(run_id)
        if run is not None and run.timing is not None and run.timing.layers:
            return run.timing.layers
        live = self.live.get(run_id)
        return dict(zip(live.layer_ids, live.layer_ms.tolist(), strict=False)) if live else {}

    def layer_errors(self, run_id: str) -> LayerErrors | None:
        """What arrives live while the run is at work, else what is on disk; None where it was not asked for."""
        live = self.live.get(run_id)
        if live is not None and live.layer_errors is not None and run_id in self.jobs:
            return live.layer_errors
        if run_id not in self._layer_errors:
            self._layer_errors[run_id] = self._read_layer_errors(run_id)
            while len(self._layer_errors) > GRAPHS_KEPT:
                self._layer_errors.popitem(last=False)
        return self._layer_errors[run_id]

    def _read_layer_errors(self, run_id: str) -> LayerErrors | None:
        try:
            return self.store.layer_errors(run_id) if run_id in self._all else None
        except WorkbenchError:
            return None

    def log(self, run_id: str) -> list[LogLine]:
        """Log lines told live, else those of the log file."""
        live = self.live.get(run_id)
        if live is not None and live.log:
            return list(live.log)
        try:
            text = (self.store.folder(run_id) / LOG_FILE).read_text("utf-8", "replace")
        except (OSError, WorkbenchError):
            return []
        return [_log_line(run_id, line) for line in text.splitlines()[-2000:]]

    def stages(self, run_id: str) -> tuple[Stage, ...]:
        """Where the time of a run goes, or went."""
        if run_id in self.jobs:
            return self.live[run_id].stages
        try:
            told = self.store.stages(run_id) if run_id in self._all else ()
        except WorkbenchError:
            told = ()
        live = self.live.get(run_id)
        return told or (live.stages if live is not None else ())  # a job that was killed has written none

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of jobs that have not begun, next first."""
        return self._queue.waiting if self._queue else ()

    # what is done

    def submit(self, request: RunRequest, model: Model) -> Run:
        """Puts a run into the queue; it stands in the history at once. Raises WorkbenchError where the disk refuses."""
        from workbench.pipeline import new_run

        run = new_run(request, model)
        try:
            write_json(self.store.folder(run.id) / REQUEST_FILE, request)
        except OSError as error:
            raise disk_error(error) from error
        self.store.save(run)
        self._all = {run.id: run, **self._all}
        self.start(request, "run")
        self.changed.emit(frozenset([run.id]))
        return run

    def race(self, run_ids: Sequence[str], seconds: float) -> str:
        """Times finished runs interleaved; the first is the baseline. Raises WorkbenchError where one cannot."""
        requests = [self.store.request(run_id) for run_id in run_ids]
        known = tuple(request for request in requests if request is not None)
        if len(known) < 2:
            raise WorkbenchError(
                "To compare, two or more runs with a measured time are needed.", "Select them in the runs table."
            )
        race_id, folder = self.store.new_folder()
        self.start(RaceRequest(id=race_id, folder=str(folder), runs=known, seconds=seconds), "race")
        return race_id

    def new_job(self) -> tuple[str, Path] | None:
        """A fresh id and folder; None where the disk takes none, which is told."""
        try:
            return self.store.new_folder()
        except WorkbenchError as error:
            self.failed.emit(error)
            return None

    def cancel(self, job_id: str = "") -> None:
        """Ends one job, or all."""
        if self._queue is None:
            return
        self._cancelled.update([job_id] if job_id else self.jobs)
        if job_id:
            self._queue.cancel(job_id)
        else:
            self._queue.cancel_all()

    def move(self, job_id: str, place: int) -> None:
        """Puts a job that waits at this place among those that wait (0: next)."""
        if self._queue is not None:
            self._queue.move(job_id, place)

    def adopt(self, run: Run) -> None:
        """Takes a run into the history that is complete in its folder."""
        self._all = {run.id: run, **self._all}
        self.changed.emit(frozenset([run.id]))

    def rename(self, run_id: str, label: str) -> None:
        """Raises WorkbenchError for a run at work, whose process would write over the name."""
        if run_id in self.jobs:
            raise WorkbenchError("This run is still at work.", "Name it when it has ended.")
        self._all[run_id] = self.store.rename(run_id, label)
        self.changed.emit(frozenset([run_id]))

    def delete(self, run_ids: Sequence[str]) -> None:
        """Removes runs and their files for good. Those at work are left."""
        gone: set[str] = set()
        for run_id in run_ids:
            if run_id not in self.jobs and run_id in self._all and self._delete(run_id):
                gone.add(run_id)
        self.changed.emit(frozenset(gone))

    def _delete(self, run_id: str) -> bool:
        """False where something of it stays on disk, which is told."""
        try:
            self.store.delete(run_id)
        except WorkbenchError as error:
            self.failed.emit(error)
            return False
        for known in (self._all, self._graphs, self._layer_errors, self.live):
            known.pop(run_id, None)
        return True

    def close(self) -> None:
        """Cancels everything and waits until no child is left."""
        self._timer.stop()
        if self._queue is not None:
            self._queue.close()
            self._queue = None

    # the meeting of threads

    def start(self, request: AnyRequest, what: str) -> None:
        """Puts a job into the queue; `what` it is, in a word."""
        if self._queue is None:
            self._queue = JobQueue(self._inbox.append, self._inbox.append)
        self.jobs[request.id] = what
        self.live[request.id] = LiveRun(request.id)
        self._queue.submit(request)
        if len(self.jobs) == 1:
            self._timer.start()
            self.busy_changed.emit(True)

    def _drain(self) -> None:
        told: set[str] = set()
        while self._inbox:
            item = self._inbox.popleft()
            if not isinstance(item, list):
                told.add(item.id)
                self._end(item)
                continue
            for event in item:
                told.add(event.run)
                self._take(event)
        if self.jobs:
            told.add(next(iter(self.jobs)))  # its elapsed time has changed
        self.ticked.emit(frozenset(told))

    def _take(self, event: AnyEvent) -> None:
        live = self.live.setdefault(event.run, LiveRun(event.run))
        if isinstance(event, Progress) and not live.progress.phase:
            live.begin()  # waiting in the queue does not count
        live.apply(event)
        if isinstance(event, Changed) and event.run in self._all:
            self._reload(event.run)
            if event.part == "build":
                self._graphs.pop(event.run, None)
                self.engine_changed.emit(event.run)

    def _reload(self, run_id: str) -> None:
        try:
            self._all[run_id] = self.store.load(run_id)
        except WorkbenchError as error:
            self.failed.emit(error)
            return
        self.changed.emit(frozenset([run_id]))

    def _end(self, result: AnyResult) -> None:
        self.jobs.pop(result.id, None)
        if result.id in self.live:
            self.live[result.id].end()
        self._layer_errors.pop(result.id, None)
        if isinstance(result, Run) and result.id in self._all:
            self._all[result.id] = result
            self.changed.emit(frozenset([result.id]))
            self.engine_changed.emit(result.id)
        error = result.error
        is_cancelled = result.id in self._cancelled or (isinstance(result, Run) and result.status is Status.CANCELLED)
        self._cancelled.discard(result.id)
        if error is not None and not is_cancelled:
            self.failed.emit(WorkbenchError(error.message, error.hint))
        self.finished.emit(result)
        if not self.jobs:
            self._timer.stop()
            self.busy_changed.emit(False)


def _log_line(run_id: str, line: str) -> LogLine:
    """As `Record.log` wrote it: the level first, where it is not info."""
    level, colon, text = line.partition(": ")
    return LogLine(run_id, text, level) if colon and level in ("debug", "warning", "error") else LogLine(run_id, line)
