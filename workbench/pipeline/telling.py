"""Telling of progress without a run: for jobs that leave nothing in the history but a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from workbench.core.errors import one_line
from workbench.core.events import LogLine, Progress
from workbench.pipeline.record import Emit, Throttle


class Teller(Protocol):
    """Who a step of the pipeline speaks to, and who may stop it. A `Record` is one."""

    cancelled: Callable[[], bool]

    def progress(self, phase: str, done: int = 0, total: int = 0, text: str = "") -> None: ...

    def log(self, text: str, level: str = "info") -> None: ...


class JobTeller:
    """Events with a job's id: its progress at 30 Hz at most, its log as it comes."""

    def __init__(self, job: str, emit: Emit, cancelled: Callable[[], bool]) -> None:
        self._job, self._emit = job, emit
        self.cancelled = cancelled
        self._throttle = Throttle()

    def progress(self, phase: str, done: int = 0, total: int = 0, text: str = "") -> None:
        if self._throttle.lets("progress", always=done in (0, total)):
            self._emit(Progress(self._job, phase, done, total, one_line(text, 200)))

    def log(self, text: str, level: str = "info") -> None:
        self._emit(LogLine(self._job, one_line(text, 2000), level))
