"""The queue: one at a time, in order, cancellable, and gone when closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest

from tests.jobs.conftest import MakeRequest
from tests.jobs.test_supervisor import wait_until
from workbench.core.events import AnyEvent
from workbench.core.run import Race, Run, Status
from workbench.jobs import JobQueue


class Watcher:
    """Collects what a queue says, from its thread."""

    def __init__(self) -> None:
        self.finished: list[Run] = []
        self.order: list[str] = []
        self.all_done = threading.Event()
        self.queue = JobQueue(self._on_batch, self._on_finished)

    def _on_batch(self, batch: list[AnyEvent]) -> None:
        for event in batch:
            if event.run not in self.order[-1:]:
                self.order.append(event.run)

    def _on_finished(self, result: Run | Race) -> None:
        assert isinstance(result, Run)
        self.finished.append(result)

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.finished) == count)


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    found = Watcher()
    yield found
    found.queue.close()


def test_jobs_run_one_after_another_in_order(watcher: Watcher, make_request: MakeRequest) -> None:
    requests = [make_request() for _ in range(3)]
    for request in requests:
        watcher.queue.submit(request)
    watcher.wait_for(3)
    assert [run.id for run in watcher.finished] == [request.id for request in requests]
    assert watcher.order == [request.id for request in requests]


def test_a_waiting_job_can_be_cancelled_while_another_runs(watcher: Watcher, make_request: MakeRequest) -> None:
    first, second, third = make_request(delay_s="1"), make_request(), make_request()
    for request in (first, second, third):
        watcher.queue.submit(request)
    watcher.queue.cancel(second.id)
    assert second.id not in watcher.queue.waiting
    watcher.wait_for(3)
    ended = {run.id: run.status for run in watcher.finished}
    assert ended == {first.id: Status.DONE, second.id: Status.CANCELLED, third.id: Status.DONE}


def test_jobs_that_wait_change_places_and_the_running_one_does_not(watcher: Watcher, make_request: MakeRequest) -> None:
    first, second, third, fourth = make_request(crash="hang"), make_request(), make_request(), make_request()
    for request in (first, second, third, fourth):
        watcher.queue.submit(request)
    wait_until(lambda: watcher.queue.running == first.id)
    watcher.queue.move(fourth.id, 0)
    watcher.queue.move(second.id, 9)
    watcher.queue.move(first.id, 2)
    assert watcher.queue.waiting == (fourth.id, third.id, second.id)
    watcher.queue.cancel(first.id)
    watcher.wait_for(4)
    assert [run.id for run in watcher.finished][1:] == [fourth.id, third.id, second.id]


def test_a_crash_does_not_stop_the_queue(watcher: Watcher, make_request: MakeRequest) -> None:
    watcher.queue.submit(make_request(crash="segv"))
    watcher.queue.submit(make_request())
    watcher.wait_for(2)
    assert [run.status for run in watcher.finished] == [Status.FAILED, Status.DONE]


def test_the_running_job_is_named(watcher: Watcher, make_request: MakeRequest) -> None:
    first, second = make_request(crash="hang"), make_request()
    watcher.queue.submit(first)
    watcher.queue.submit(second)
    wait_until(lambda: watcher.queue.running == first.id)
    assert watcher.queue.waiting == (second.id,)
    watcher.queue.cancel_all()
    watcher.wait_for(2)
    assert watcher.queue.running == ""


def test_closing_ends_the_running_job_and_leaves_no_process(make_request: MakeRequest) -> None:
    watcher = Watcher()
    watcher.queue.submit(make_request(crash="hang"))
    wait_until(lambda: bool(psutil.Process().children()))
    watcher.queue.close()
    assert not psutil.Process().children()
    assert watcher.finished[0].status is Status.CANCELLED


def test_a_closed_queue_takes_nothing(make_request: MakeRequest) -> None:
    watcher = Watcher()
    watcher.queue.close()
    with pytest.raises(RuntimeError, match="closed"):
        watcher.queue.submit(make_request())
