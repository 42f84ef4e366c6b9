"""Where files about an engine come from: a dialog, or dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.session.imports import SUFFIXES, Imports
from workbench.session.session import Session

FILTERS = "Engines and profiles (*.json *.xml);;All files (*)"


class RunImport:
    """`ask` is the action's."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self.imports = Imports(session)
        self._window = window

    def ask(self) -> QFileDialog:
        """Asks for the files of one engine: its layers, and times where there are any."""
        dialog = QFileDialog(self._window, "Import the files of one engine", "", FILTERS)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self.imports.take)
        dialog.show()
        return dialog


def dropped_files(data: QMimeData) -> list[str]:
    """Files about an engine among what is dragged."""
    paths = [url.toLocalFile() for url in data.urls()]
    return [path for path in paths if Path(path).suffix.lower() in SUFFIXES]
