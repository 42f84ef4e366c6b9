"""Asking for files and folders without holding up the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

Chosen = Callable[[str], object]


def ask_for_file(parent: QWidget, title: str, filters: str, chosen: Chosen, folder: str = "") -> QFileDialog:
    """Calls `chosen` with the path of an existing file, if the user picks one; starts in `folder`."""
    dialog = QFileDialog(parent.window(), title, folder, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _show(dialog, chosen)


def ask_for_folder(parent: QWidget, title: str, chosen: Chosen) -> QFileDialog:
    dialog = QFileDialog(parent.window(), title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _show(dialog, chosen)


def ask_where_to_save(parent: QWidget, title: str, name: str, filters: str, chosen: Chosen) -> QFileDialog:
    """The suffix follows the filter chosen, where the user types none."""
    dialog = QFileDialog(parent.window(), title, name, filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(name.rpartition(".")[2])
    dialog.filterSelected.connect(lambda text: dialog.setDefaultSuffix(text.partition("*.")[2].rstrip(") ")))
    return _show(dialog, chosen)


def _show(dialog: QFileDialog, chosen: Chosen) -> QFileDialog:
    dialog.setWindowModality(Qt.WindowModality.NonModal)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.show()
    return dialog
