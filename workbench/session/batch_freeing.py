"""A copy of the open model whose batch is free: written by a job beside the file, and opened in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.free_batch import FreeBatchRequest, FreedBatch
from workbench.core.model import Model
from workbench.session.requests import plain_request

if TYPE_CHECKING:
    from workbench.session.session import Message, Session

JOB = "free batch"


class BatchFreeing(QObject):
    """The file that was opened stays as it is, and stays among the recent ones."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._job = self._model = ""
        self._told: tuple[str, Message] | None = None
        session.runs.finished.connect(self._finished)
        session.model_changed.connect(self._opened)

    @property
    def is_at_work(self) -> bool:
        return bool(self._job)

    @property
    def path(self) -> Path:
        """`model.free.onnx` beside the model, with a number where that is taken."""
        model = self._session.model
        path = Path(model.path) if model is not None else Path("model.onnx")
        found, count = path.with_name(f"{path.stem}.free.onnx"), 1
        while found.exists():
            count += 1
            found = path.with_name(f"{path.stem}.free{count}.onnx")
        return found

    def start(self, path: str = "") -> None:
        """Writes the copy to `path` (beside the model where none is given), proves it, and opens it."""
        session = self._session
        job = session.runs.new_job() if session.model is not None and not self._job else None
        if session.model is None or job is None:
            return
        self._job, folder = job
        self._model = session.model.sha256
        request = plain_request(session.model, session.choices, self._job, folder)
        session.dismiss_message()
        session.runs.start(FreeBatchRequest(self._job, str(folder), request, path or str(self.path)), JOB)
        self.changed.emit()

    def _finished(self, result: object) -> None:
        if not isinstance(result, FreedBatch) or result.id != self._job:
            return
        self._job = ""
        session = self._session
        try:
            session.runs.store.delete(result.id)
        except WorkbenchError as error:
            session.show_error(error)
        if result.error is None:
            self._show(result)
        self.changed.emit()

    def _show(self, result: FreedBatch) -> None:
        """Opens the copy; what was done is told when it is there. Where another model was opened meanwhile it waits."""
        from workbench.session.session import Message

        name, model = Path(result.path).name, self._session.model
        if model is None or model.sha256 != self._model:
            actions = (("Open it", lambda: self._session.open(result.path)),)
            self._session.show(Message(f"{name} is written. {result.sentence}", "", False, actions))
            return
        self._told = result.path, Message(f"{name} is open. {result.sentence}", "The other file is as it was.", False)
        self._session.open(result.path)

    def _opened(self, model: Model | None) -> None:
        if self._told is not None and model is not None and model.path == self._told[0]:
            self._session.show(self._told[1])
            self._told = None
