"""run_job: one fresh child process for one job, watched by the calling thread until it is gone.

Plain and blocking, so that the window's worker threads, the command line and the tests call the same thing. The
calling thread must live as long as the child does: the kernel's death signal is tied to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import psutil

from workbench.core.errors import WorkbenchError, disk_error, one_line
from workbench.core.events import AnyEvent, Changed, Resident
from workbench.core.json import decode_event, encode, read_json, write_json
from workbench.core.requests import AnyRequest, AnyResult
from workbench.core.run import Run, RunError, RunRequest, Status
from workbench.jobs.kinds import kind_of
from workbench.pipeline.files import LOG_FILE
from workbench.pipeline.record import new_run

TICK_S = 1 / 30
RESIDENT_S = 0.25  # between two words on the memory of the child
MEMORY_SHARE = 0.8  # of this machine's memory; beyond it the child is stopped before the kernel picks a victim
LOG_TAIL = 4000
OnBatch = Callable[[list[AnyEvent]], None]


def run_job(request: AnyRequest, on_batch: OnBatch, cancel: threading.Event) -> AnyResult:
    """Runs `request` in a child and returns what stands on disk at the end; on a full disk, the reason it does not.

    `on_batch` gets lists of events, at most 30 lists a second, in the calling thread. Setting `cancel` kills the
    child and all it started, at once; a run that had just ended stays as it ended. Raises nothing of the child's or
    the disk's, only what `on_batch` raises; leaves no process behind.
    """
    if cancel.is_set():
        return _conclude(request, Status.CANCELLED, RunError("Cancelled before it began."), on_batch)
    try:
        child = _start(Path(request.folder))
    except OSError as error:
        return _conclude(request, Status.FAILED, _refused(error), on_batch)
    try:
        reader = _Reader(child)
        _send(child, request)
        killed = _watch(request.id, child, reader, on_batch, cancel)
    finally:
        _kill(child)
    if batch := reader.drain():
        on_batch(batch)
    return _result(request, child.returncode, killed, on_batch)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """The child, with its log in `folder`. Raises OSError where the disk or the system refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG_FILE).open("ab") as log:
        return _spawn(log)


def _spawn(log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", PYTHONUNBUFFERED="1")
    # numpy only keeps the books here: its threads would spin beside the engine's and quadruple the time of a check.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    environment["PYTHONSAFEPATH"] = "1"  # the folder of a job must not shadow a module
    return subprocess.Popen(
        [sys.executable, "-m", "workbench.jobs.child", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment,
        start_new_session=True,
    )


def _send(child: subprocess.Popen[bytes], request: AnyRequest) -> None:
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died at once; its exit code tells
        child.stdin.write(encode(request) + b"\n")
        child.stdin.flush()


class _Reader:
    """A thread that drains the child's pipe, so that the child never waits for us."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self._events: list[AnyEvent] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="job-reader", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            try:
                event = decode_event(line)
            except WorkbenchError:
                continue  # half a line of a killed child
            with self._lock:
                self._events.append(event)

    def take(self) -> list[AnyEvent]:
        with self._lock:
            batch, self._events = self._events, []
        return batch

    def drain(self) -> list[AnyEvent]:
        """What is left, after the child is gone."""
        self._thread.join(timeout=5)
        if self._child.stdout is not None and not self._thread.is_alive():
            self._child.stdout.close()
        return self.take()


def _watch(
    job_id: str, child: subprocess.Popen[bytes], reader: _Reader, on_batch: OnBatch, cancel: threading.Event
) -> Status | RunError | None:
    """Until the child ends by itself (None), is cancelled, or takes too much memory (the reason)."""
    limit = int(psutil.virtual_memory().total * MEMORY_SHARE)
    told_s = time.monotonic()
    while child.poll() is None:
        if cancel.wait(TICK_S):
            _kill(child)
            return Status.CANCELLED
        batch, rss = reader.take(), _rss(child.pid)
        if time.monotonic() - told_s >= RESIDENT_S:
            told_s = time.monotonic()
            batch.append(Resident(run=job_id, rss_bytes=rss))
        if batch:
            on_batch(batch)
        if rss > limit:
            _kill(child)
            return RunError(
                f"The build took more than {limit / 2**30:.0f} GiB of memory and was stopped.",
                "Build a smaller batch or shape, or use a machine with more memory.",
            )
    return None


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and everything in its process group, and reaps it. Harmless where it is gone already."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    elif child.poll() is None:
        child.kill()
    child.wait()
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()


def _result(request: AnyRequest, code: int, killed: Status | RunError | None, on_batch: OnBatch) -> AnyResult:
    """What is on disk where the job came to its end, else the reason why not, written there."""
    found = _read(request)
    if found is not None and (not isinstance(found, Run) or found.status.is_final):
        return found
    if killed is Status.CANCELLED:
        return _conclude(request, Status.CANCELLED, RunError("Cancelled."), on_batch)
    if isinstance(killed, RunError):
        return _conclude(request, Status.FAILED, killed, on_batch)
    if code == 0:
        error = RunError("The end of this run could not be written to its folder.", "Free some space on its disk.")
    else:
        error = RunError(_how_it_ended(code), "The log of this run has the last lines it wrote.", _log_tail(request))
    return _conclude(request, Status.FAILED, error, on_batch)


def _read(request: AnyRequest) -> AnyResult | None:
    kind = kind_of(request)
    with contextlib.suppress(WorkbenchError):
        return read_json(Path(request.folder) / kind.file, kind.result)
    return None


def _conclude(request: AnyRequest, status: Status, error: RunError, on_batch: OnBatch) -> AnyResult:
    """Writes the end of a job whose child could not, and says so; what the disk refuses is the reason then."""
    kind = kind_of(request)
    ended: AnyResult
    if isinstance(request, RunRequest):
        found = _read(request)
        run = found if isinstance(found, Run) else new_run(request)
        ended = msgspec.structs.replace(run, status=status, error=error)
    else:
        ended = kind.result(id=request.id, error=error)  # type: ignore[call-arg]  # a Run is made above
    try:
        _write(Path(request.folder), kind.file, ended)
    except OSError as problem:
        failed = {"error": _refused(problem)} | ({"status": Status.FAILED} if isinstance(ended, Run) else {})
        return msgspec.structs.replace(ended, **failed)
    if isinstance(ended, Run):
        on_batch([Changed(run=ended.id, part="status", status=status)])
    return ended


def _write(folder: Path, name: str, ended: AnyResult) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part in folder.rglob("*.part"):
        part.unlink(missing_ok=True)
    write_json(folder / name, ended)


def _refused(error: OSError) -> RunError:
    problem = disk_error(error)
    return RunError(problem.message, problem.hint)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"The process of this run ended unexpectedly with exit code {code}."
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    meaning = {
        "SIGSEGV": " (the engine crashed)",
        "SIGABRT": " (the engine aborted)",
        "SIGKILL": " (killed from outside, or out of memory)",
    }.get(name, "")
    return f"The process of this run was ended by {name}{meaning}."


def _log_tail(request: AnyRequest) -> str:
    path = Path(request.folder) / LOG_FILE
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL))
        return "\n".join(one_line(line) for line in file.read().decode("utf-8", "replace").splitlines())
    return ""
