"""run_job: whatever the child does, the caller gets a result with a reason and no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.jobs.conftest import MakeRequest
from workbench.core.events import AnyEvent, Changed, Progress, Resident, Timed
from workbench.core.json import encode, read_json
from workbench.core.run import Run, RunRequest, Status
from workbench.jobs import run_job
from workbench.pipeline.files import LOG_FILE, RUN_FILE


def wait_until(condition: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def run_to_end(request: RunRequest, cancel: threading.Event | None = None) -> tuple[Run, list[list[AnyEvent]]]:
    batches: list[list[AnyEvent]] = []
    result = run_job(request, batches.append, cancel or threading.Event())
    assert isinstance(result, Run)
    return result, batches


def on_disk(request: RunRequest) -> Run:
    return read_json(Path(request.folder) / RUN_FILE, Run)


class Background:
    """A job in a thread, as the queue runs it."""

    def __init__(self, request: RunRequest) -> None:
        self.request, self.cancel = request, threading.Event()
        self.result: Run | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.result, _ = run_to_end(self.request, self.cancel)

    def child(self) -> psutil.Process:
        wait_until(lambda: bool(psutil.Process().children()))
        return psutil.Process().children()[0]

    def join(self) -> Run:
        self.thread.join(timeout=180)
        assert self.result is not None
        return self.result


def test_a_run_comes_back_done_and_is_on_disk(make_request: MakeRequest) -> None:
    request = make_request()
    run, batches = run_to_end(request)
    events = [event for batch in batches for event in batch]
    assert run.status is Status.DONE, run.error
    assert on_disk(request) == run
    assert all(event.run == request.id for event in events)
    assert next(e.phase for e in events if isinstance(e, Progress)) == "open"
    assert any(isinstance(e, Timed) for e in events)
    assert [e.part for e in events if isinstance(e, Changed)][-1] == "status"


@pytest.mark.parametrize(
    ("crash", "sentence"),
    [("segv", "ended by SIGSEGV"), ("exit", "ended unexpectedly with exit code 3")],
)
def test_a_crash_of_the_engine_is_a_failed_run_with_its_reason(
    make_request: MakeRequest, crash: str, sentence: str
) -> None:
    request = make_request(crash=crash)
    run, _ = run_to_end(request)
    assert run.status is Status.FAILED
    assert run.error is not None and sentence in run.error.message
    assert on_disk(request) == run


def test_a_segmentation_fault_leaves_its_python_stack_in_the_log(make_request: MakeRequest) -> None:
    request = make_request(crash="segv")
    run, _ = run_to_end(request)
    assert "_crash" in (Path(request.folder) / LOG_FILE).read_text()
    assert run.error is not None and "_crash" in run.error.detail


def test_a_refused_model_is_a_failed_run_with_message_and_hint(make_request: MakeRequest) -> None:
    run, _ = run_to_end(make_request(fail="No such kernel."))
    assert run.status is Status.FAILED
    assert run.error is not None
    assert run.error.message == "No such kernel." and run.error.hint


def test_a_hanging_build_is_cancelled_and_gone(make_request: MakeRequest) -> None:
    job = Background(make_request(crash="hang"))
    child = job.child()
    wait_until(lambda: (Path(job.request.folder) / RUN_FILE).exists())
    job.cancel.set()
    assert job.join().status is Status.CANCELLED
    assert not child.is_running()
    assert on_disk(job.request).status is Status.CANCELLED


def test_kill_dash_nine_on_the_child_is_a_failed_run(make_request: MakeRequest) -> None:
    job = Background(make_request(crash="hang"))
    child = job.child()
    wait_until(lambda: (Path(job.request.folder) / RUN_FILE).exists())
    child.kill()
    run = job.join()
    assert run.status is Status.FAILED
    assert run.error is not None and "SIGKILL" in run.error.message


def test_a_job_cancelled_before_it_began_starts_no_process(make_request: MakeRequest) -> None:
    cancel = threading.Event()
    cancel.set()
    request = make_request()
    run, _ = run_to_end(request, cancel)
    assert run.status is Status.CANCELLED
    assert not (Path(request.folder) / LOG_FILE).exists()


def test_a_folder_that_cannot_be_made_is_a_failed_run_with_its_reason(
    make_request: MakeRequest, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    request = msgspec.structs.replace(make_request(), folder=str(tmp_path / "file" / "run"))
    run, batches = run_to_end(request)
    assert run.status is Status.FAILED and batches == []
    assert run.error is not None and "Not a directory" in run.error.message and run.error.hint


def test_a_result_that_cannot_be_written_is_a_failed_run_and_told_to_nobody(make_request: MakeRequest) -> None:
    request = make_request()
    (Path(request.folder) / RUN_FILE).mkdir(parents=True)
    run, batches = run_to_end(request)
    assert run.status is Status.FAILED
    assert all(isinstance(event, Resident) for batch in batches for event in batch)
    assert run.error is not None and f"Is a directory: {request.folder}/{RUN_FILE}" in run.error.message


def test_a_run_that_ended_before_the_cancel_reached_it_stays_as_it_ended(make_request: MakeRequest) -> None:
    request, cancel = make_request(), threading.Event()

    def at_the_end(batch: list[AnyEvent]) -> None:
        if any(isinstance(event, Changed) and event.status is Status.DONE for event in batch):
            cancel.set()

    assert isinstance(done := run_job(request, at_the_end, cancel), Run)
    assert done.status is on_disk(request).status is Status.DONE


def test_half_written_files_of_a_cancelled_run_are_removed(make_request: MakeRequest) -> None:
    job = Background(make_request(crash="hang"))
    job.child()
    part = Path(job.request.folder) / "engine.part"
    wait_until(part.parent.exists)
    part.write_bytes(b"half")
    job.cancel.set()
    job.join()
    assert not part.exists()


def test_the_child_dies_with_the_program(make_request: MakeRequest) -> None:
    request = make_request(crash="hang")
    program = (
        "import sys, threading; from workbench.jobs import run_job; from workbench.core.json import decode;"
        "from workbench.core.run import RunRequest;"
        "run_job(decode(sys.stdin.buffer.read(), RunRequest), lambda batch: None, threading.Event())"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    assert parent.stdin is not None
    parent.stdin.write(encode(request))
    parent.stdin.close()
    wait_until(lambda: bool(psutil.Process(parent.pid).children()))
    child = psutil.Process(parent.pid).children()[0]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: is_gone(child))


def is_gone(process: psutil.Process) -> bool:
    """A zombie is: whoever took it over may never ask for its end."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_an_error_in_the_child_itself_ends_it_with_its_traceback_and_no_abort() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "workbench.jobs.child", str(os.getpid())],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stderr is not None
    with child.stdin, child.stderr:  # its input stays open, as it does for a job
        child.stdin.write(b"no request\n")
        child.stdin.flush()
        said = child.stderr.read()
    assert child.wait() == 1
    assert b"Traceback" in said and b"Fatal Python error" not in said
