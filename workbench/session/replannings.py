"""Changes of shape: what one costs an engine whose shapes are free, measured with the shapes of the sweep's grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.replanning import Replanned, ReplanRequest
from workbench.core.run import RunRequest
from workbench.session.requests import plain_request
from workbench.store import ReplanBook

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "replan"
FIXED = "Every input of this model has a fixed shape: it never changes."
ONE_SHAPE = "Name two or more sizes of a free dimension in the tab Sweep: their shapes are measured here."


class Replannings(QObject):
    """One measurement at a time; its result is kept for the model and the whole configuration but its shapes."""

    changed = Signal()  # begun, ended, or another configuration is chosen

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._book = ReplanBook(session.runs.store.root)
        self._job = self._key = ""
        session.runs.finished.connect(self._finished)
        for signal in (session.model_changed, session.choices_changed):
            signal.connect(self._follow)

    @property
    def is_at_work(self) -> bool:
        return bool(self._job)

    @property
    def shapes(self) -> tuple[dict[str, Shape], ...]:
        """Those of the grid, each once."""
        try:
            points = self._session.sweeps.points if self._session.model is not None else ()
        except WorkbenchError:
            return ()
        return tuple({tuple(sorted(point.shapes.items())): point.shapes for point in points}.values())

    @property
    def reason(self) -> str:
        """Why nothing can be measured; "" where it can."""
        model = self._session.model
        if model is None or not any(spec.is_dynamic for spec in model.inputs):
            return FIXED if model is not None else "Open a model."
        return "" if len(self.shapes) > 1 else ONE_SHAPE

    @property
    def is_possible(self) -> bool:
        return not self._job and not self.reason

    @property
    def result(self) -> Replanned | None:
        """Of the model with the choices as they are."""
        return self._book.find(self._present_key()) if self._session.model is not None else None

    def start(self) -> None:
        """Puts the measurement into the queue."""
        session = self._session
        job = session.runs.new_job() if self.is_possible else None
        if session.model is None or job is None:
            return
        self._job, folder = job
        self._key = self._present_key()
        run = self._request(session.model, self._job, folder)
        seconds = session.settings.get("replan_seconds")
        session.runs.start(ReplanRequest(self._job, str(folder), run, self.shapes, seconds), JOB)
        self.changed.emit()

    def _request(self, model: Model, job: str, folder: Path) -> RunRequest:
        threads = self._session.settings.get("threads")
        return plain_request(model, msgspec.structs.replace(self._session.choices, threads=threads), job, folder)

    def _present_key(self) -> str:
        """Of everything but the shapes: another rule of the plan, option or version is another engine."""
        from workbench.pipeline.sweep_grid import sweep_key

        session = self._session
        if session.model is None:
            return ""
        request, info = self._request(session.model, "", Path()), session.backends.get(session.choices.backend)
        version = info.version if info is not None else ""
        return f"{sweep_key(session.model.sha256, request, version)} {request.config.threads}"

    def _follow(self, _news: object = None) -> None:
        self.changed.emit()

    def _finished(self, result: object) -> None:
        if not isinstance(result, Replanned) or result.id != self._job:
            return
        self._job = ""
        try:
            if result.error is None:
                self._book.keep(self._key, result)
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self.changed.emit()
