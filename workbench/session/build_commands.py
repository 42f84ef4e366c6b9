"""The current run as a command of NVIDIA's tools, on the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from workbench.core.errors import WorkbenchError
from workbench.pipeline.forms import FORMS, command_text
from workbench.pipeline.forms.recipe import BACKEND

if TYPE_CHECKING:
    from workbench.session.session import Session


class BuildCommands:
    """`copy_*` are the actions'."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def are_possible(self) -> bool:
        """Whether the current run was built here, by TensorRT."""
        run = self._session.current
        return run is not None and run.config.backend == BACKEND

    def copy_trtexec11(self) -> None:
        self.copy("trtexec11")

    def copy_trtexec10(self) -> None:
        self.copy("trtexec10")

    def copy_polygraphy(self) -> None:
        self.copy("polygraphy")

    def copy_python(self) -> None:
        self.copy("python")

    def copy(self, form: str) -> None:
        """Copies, and says so with the first line of what was copied."""
        from workbench.session.session import Message

        session = self._session
        run = session.current
        try:
            request = session.runs.store.request(run.id) if run is not None else None
            if request is None:
                raise WorkbenchError("Nothing says how this run was built.", "Build it again.")
            text = command_text(request, form)
        except WorkbenchError as error:
            session.show_error(error)
            return
        QGuiApplication.clipboard().setText(text)
        session.show(Message(f"Copied as {FORMS[form][0]}.", "It begins with the export of the typed ONNX.", False))
