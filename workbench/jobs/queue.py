"""The queue: one job at a time, in order, so that measurements never disturb each other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from workbench.core.requests import AnyRequest, AnyResult
from workbench.jobs.supervisor import OnBatch, run_job

OnFinished = Callable[[AnyResult], None]


class JobQueue:
    """Runs jobs one after another in a thread of its own, which calls both callbacks; `cancel` may call them too."""

    def __init__(self, on_batch: OnBatch, on_finished: OnFinished) -> None:
        self._on_batch = on_batch
        self._on_finished = on_finished
        self._waiting: deque[tuple[AnyRequest, threading.Event]] = deque()
        self._running: tuple[AnyRequest, threading.Event] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="job-queue", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of jobs that have not begun, next first."""
        with self._changed:
            return tuple(request.id for request, _ in self._waiting)

    @property
    def running(self) -> str:
        """Id of the job at work, or ""."""
        with self._changed:
            return self._running[0].id if self._running else ""

    def submit(self, request: AnyRequest) -> None:
        """Puts a job at the end of the queue."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the queue is closed")
            self._waiting.append((request, threading.Event()))
            self._changed.notify_all()

    def cancel(self, job_id: str) -> None:
        """Ends this job. The end of one that waits is told by the calling thread, before this returns."""
        with self._changed:
            waiting = [job for job in self._waiting if job[0].id == job_id]
            for job in waiting:
                self._waiting.remove(job)
            for request, cancel in [*waiting, *self._jobs()]:
                if request.id == job_id:
                    cancel.set()
        for request, cancel in waiting:
            self._on_finished(run_job(request, self._on_batch, cancel))

    def move(self, job_id: str, place: int) -> None:
        """Puts a job that waits at this place among those that wait (0: next). Any other stays where it is."""
        with self._changed:
            job = next((job for job in self._waiting if job[0].id == job_id), None)
            if job is not None:
                self._waiting.remove(job)
                self._waiting.insert(max(0, place), job)

    def cancel_all(self) -> None:
        """Ends every job."""
        with self._changed:
            for _, cancel in self._jobs():
                cancel.set()

    def close(self) -> None:
        """Cancels everything and waits until no child is left."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.cancel_all()
        self._thread.join()

    def _jobs(self) -> list[tuple[AnyRequest, threading.Event]]:
        return [*self._waiting, *([self._running] if self._running else [])]

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if not self._waiting:
                    return
                self._running = self._waiting.popleft()
                request, cancel = self._running
            result = run_job(request, self._on_batch, cancel)
            with self._changed:
                self._running = None
            self._on_finished(result)
