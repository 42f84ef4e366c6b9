"""Imports of what other tools wrote about an engine: a job like a run, so that no file can hold up the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from workbench.core.errors import WorkbenchError
from workbench.core.importing import Imported, ImportRequest

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "import"
SUFFIXES = (".json", ".xml")


class Imports(QObject):
    """Files become a run of the open model, which then is the current one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._jobs: set[str] = set()
        session.runs.finished.connect(self._finished)

    def take(self, files: Sequence[str]) -> None:
        """Puts the import of files about one engine into the queue."""
        session = self._session
        if session.model is None:
            error = "An engine is shown beside the model it was built from, and no model is open."
            session.show_error(WorkbenchError(error, "Open the ONNX file first, then import."))
            return
        job = session.runs.new_job()
        if job is None:
            return
        job_id, folder = job
        self._jobs.add(job_id)
        session.dismiss_message()
        session.runs.start(ImportRequest(job_id, str(folder), tuple(files), session.model.path), JOB)

    def _finished(self, result: object) -> None:
        if not isinstance(result, Imported) or result.id not in self._jobs:
            return
        self._jobs.discard(result.id)
        session = self._session
        if result.run is not None:
            session.runs.adopt(result.run)
            if not session.is_of_model(result.run):  # another was opened meanwhile
                return
            session.set_compared((result.id, *(known for known in session.compared if known != result.id)))
            session.set_current(result.id)
            return
        try:
            session.runs.store.delete(result.id)
        except WorkbenchError as error:
            session.show_error(error)
