"""What calibration says of the open model: looked at by a job of its own, or left behind by a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.calibration_report import Calibrated, CalibrateRequest, CalibrationReport
from workbench.core.errors import WorkbenchError
from workbench.core.events import Progress
from workbench.core.precision import CalibrationMethod, Precision
from workbench.session.requests import plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "calibration"


class Calibrations(QObject):
    """`report` fits the model and the calibration set that are chosen; `changed` says that it is another, or none."""

    changed = Signal()
    told = Signal(object)  # Progress: of the observation under way

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._made: CalibrationReport | None = None
        self._of_run: tuple[str, CalibrationReport | None] = ("", None)
        self._job = ""
        session.runs.finished.connect(self._finished)
        session.runs.ticked.connect(self._ticked)
        for news in (session.model_changed, session.choices_changed, session.current_changed):
            news.connect(self._document_changed)
        session.runs.changed.connect(self._runs_changed)

    @property
    def report(self) -> CalibrationReport | None:
        """Of the last observation, where it was of what is chosen now; else of the current run."""
        return self._made if self._fits(self._made) else self._left_by_run()

    @property
    def method(self) -> CalibrationMethod:
        """The method that the plan has now: the ranges of all are known, so changing it needs no new pass."""
        return self._session.choices.plan.calibration.method

    @property
    def is_observing(self) -> bool:
        return bool(self._job)

    @property
    def can_observe(self) -> bool:
        return self._session.has_model and bool(self._session.choices.calibration) and not self.is_observing

    def observe(self) -> None:
        """Puts an observation of the calibration set into the queue."""
        session = self._session
        if session.model is None or not self.can_observe:
            return
        job = session.runs.new_job()
        if job is None:
            return
        job_id, folder = job
        plain = plain_request(session.model, session.choices, job_id, folder)
        request = msgspec.structs.replace(plain, calibration=session.choices.calibration)  # whatever the plan uses
        self._job = job_id
        session.runs.start(CalibrateRequest(job_id, str(folder), request), JOB)
        self.changed.emit()

    def cancel(self) -> None:
        """Ends the observation; what it has seen is kept, and the next one goes on from there."""
        if self._job:
            self._session.runs.cancel(self._job)

    def choose(self, method: CalibrationMethod) -> None:
        """Makes it the plan's, as one undoable choice."""
        session = self._session
        session.choose_all(session.choices.with_calibration(method=method), f"Ranges by {method.value}")

    def build_all(self) -> None:
        """One INT8 build with every method, for a comparison of their accuracy."""
        choices = self._session.choices
        default = choices.plan.default if choices.plan.needs_calibration else Precision.INT8
        for method in CalibrationMethod:
            self._session.build(choices.with_calibration(method=method).with_plan(default=default))

    def _fits(self, report: CalibrationReport | None) -> bool:
        session = self._session
        return (
            report is not None
            and session.model is not None
            and report.model_sha256 == session.model.sha256
            and report.source == session.choices.calibration
        )

    def _left_by_run(self) -> CalibrationReport | None:
        run = self._session.current
        if run is None or run.build is None or not self._session.is_of_model(run):
            return None
        if self._of_run[0] != run.id:
            self._of_run = (run.id, self._read(run.id))
        return self._of_run[1]

    def _read(self, run_id: str) -> CalibrationReport | None:
        try:
            return self._session.runs.store.calibration(run_id)
        except WorkbenchError as error:
            self._session.runs.failed.emit(error)
            return None

    def _document_changed(self, _news: object = None) -> None:
        self.changed.emit()

    def _runs_changed(self, ids: frozenset[str]) -> None:
        if self._of_run[0] in ids or (self._session.current and self._session.current.id in ids):
            self._of_run = ("", None)
            self.changed.emit()

    def _ticked(self, ids: frozenset[str]) -> None:
        live = self._session.runs.live.get(self._job)
        if self._job in ids and live is not None and isinstance(live.progress, Progress):
            self.told.emit(live.progress)

    def _finished(self, result: object) -> None:
        if not isinstance(result, Calibrated) or result.id != self._job:
            return
        self._job = ""
        if result.report is not None:
            self._made = result.report
        try:
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self.changed.emit()
