"""Export of the typed ONNX: a job like a run, so that the window stays alive and it can be cancelled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from workbench.core.errors import WorkbenchError
from workbench.core.exporting import Exported, ExportRequest
from workbench.session.requests import plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "export"


class Exports(QObject):
    """Writes the plan that is chosen into a file; the session's message says how it went."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._jobs: set[str] = set()
        session.runs.finished.connect(self._finished)

    @property
    def name(self) -> str:
        """A name for the file: `model.int8.onnx`, with a `+` where rules change the default."""
        plan, model = self._session.choices.plan, self._session.model
        stem = Path(model.path).stem if model is not None else "model"
        return f"{stem}.{plan.default.value}{'+' * bool(plan.rules)}.onnx"

    def export(self, path: str) -> None:
        """Puts the export of the present choices to `path` into the queue."""
        session = self._session
        if session.model is None:
            return
        job = session.runs.new_job()
        if job is None:
            return
        job_id, folder = job
        request = plain_request(session.model, session.choices, job_id, folder)
        self._jobs.add(job_id)
        session.dismiss_message()
        session.runs.start(ExportRequest(job_id, str(folder), request, path), JOB)

    def _finished(self, result: object) -> None:
        if not isinstance(result, Exported) or result.id not in self._jobs:
            return
        self._jobs.discard(result.id)
        session = self._session
        if result.error is None:
            from workbench.session.session import Message

            session.show(Message(_sentence(result), " ".join(result.notes), is_error=False))
        try:
            session.runs.store.delete(result.id)
        except WorkbenchError as error:
            session.show_error(error)


def _sentence(result: Exported) -> str:
    name, mib = Path(result.path).name, result.size_bytes / 2**20
    weights = f", its weights in {Path(result.data).name} beside it" if result.data else ""
    return f"{name} is written: {mib:.1f} MiB, {result.nodes:,} nodes, opset {result.opset}{weights}."
