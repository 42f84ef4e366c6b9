"""Where the typed ONNX goes: asks for a file, and has it written."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.session.exports import Exports
from workbench.session.session import Session
from workbench.views.files import ask_where_to_save


class TypedExport:
    """`ask` is the action's."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._exports = Exports(session)
        self._window = window

    def ask(self) -> QFileDialog:
        """Asks for a file that need not exist; what is chosen is written by a job."""
        title, name = "Export typed ONNX", self._exports.name
        return ask_where_to_save(self._window, title, name, "ONNX models (*.onnx)", self._exports.export)
