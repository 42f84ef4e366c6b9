"""Memory of engines as the largest shape of a profile grows: one build a point, each in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.profile import DimKind
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest, points
from workbench.core.targets import targets_of
from workbench.session.requests import plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "memory"
PICTURE_STEP = 32


class ProfileMemories(QObject):
    """`start` queues the builds of one dimension; `found` grows as they end. A new start, or another model, forgets."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._jobs: list[str] = []
        self._count = 0
        self.dim = ""
        self.title = ""  # of what was measured: precision, target
        self.found: tuple[ProfileMemory, ...] = ()
        session.runs.finished.connect(self._finished)
        session.runs.ticked.connect(self._ticked)
        session.model_changed.connect(self._forget)

    @property
    def is_at_work(self) -> bool:
        return bool(self._jobs)

    @property
    def words(self) -> str:
        """`2 of 5 builds`, with the phase of the one at work."""
        if not self._jobs:
            return ""
        live = self._session.runs.live.get(self._jobs[0])
        phase = live.progress.text or live.progress.phase if live is not None else ""
        return f"build {self._count - len(self._jobs) + 1} of {self._count}" + (f": {phase}" if phase else "")

    @property
    def share(self) -> float:
        return (self._count - len(self._jobs)) / self._count if self._count else 0.0

    @property
    def backends(self) -> tuple[str, ...]:
        """Those that tell the memory of an engine for a range of shapes, and are here."""
        return tuple(name for name, info in self._session.backends.items() if info.targets and info.available)

    def start(self, dim: str) -> None:
        """Builds for the first profile, `dim` going up to one value after the other, by TensorRT."""
        session = self._session
        ranges = session.profiles.ranges
        if session.model is None or self.is_at_work or not ranges or not self.backends:
            return
        kinds = {each.name: each.kind for each in session.profiles.dims}
        step = PICTURE_STEP if kinds.get(dim) is DimKind.PICTURE else 1
        self.dim, self.found = dim, ()
        for most in points(ranges[0][dim], step):
            job = session.runs.new_job()
            if job is None:
                break
            self._submit(dim, most, *job)
        self._count = len(self._jobs)
        self.changed.emit()

    def cancel(self) -> None:
        """Ends the build at work and those that wait; what was measured stays."""
        for job in reversed(self._jobs):
            self._session.runs.cancel(job)

    def _submit(self, dim: str, most: int, job: str, folder: Path) -> None:
        session = self._session
        assert session.model is not None
        info = session.backends[self.backends[0]]
        chosen = session.choices
        target = targets_of(session.chosen_targets.kept(info))[0]
        choices = msgspec.structs.replace(chosen, backend=self.backends[0], target=target, optimize=True)
        request = msgspec.structs.replace(plain_request(session.model, choices, job, folder), evaluation="")
        self.title = f"{choices.plan.default.label} for {target}"
        self._jobs.append(job)
        session.runs.start(ProfileMemoryRequest(job, str(folder), request, dim, most), JOB)

    def _ticked(self, ids: frozenset[str]) -> None:
        if self._jobs and self._jobs[0] in ids:
            self.changed.emit()

    def _finished(self, result: object) -> None:
        if not isinstance(result, ProfileMemory) or result.id not in self._jobs:
            return
        self._jobs.remove(result.id)
        if result.error is None:
            self.found = tuple(sorted((*self.found, result), key=lambda one: one.most))
        try:
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self.changed.emit()

    def _forget(self, _model: object = None) -> None:
        self.cancel()
        self.dim, self.found = "", ()
        self.changed.emit()
