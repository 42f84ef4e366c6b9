"""What stands in the dock where Netron cannot be shown: what is missing, and the command that brings it."""

from __future__ import annotations

import importlib
import sys

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.views.fonts import mono_font
from workbench.views.netron.files import netron_folder
from workbench.views.widgets import button, empty_label

COMMAND = "pip install 'inference-workbench[netron]'"
LIBRARIES = "libnss3 libasound2 libxcomposite1 libxdamage1 libxtst6 libxkbfile1 libxrandr2"
"""Debian packages that QtWebEngine needs besides those of a window."""


class NotHere(msgspec.Struct, frozen=True):
    """Why Netron cannot be shown, and what to type."""

    why: str
    command: str = COMMAND


def what_is_missing() -> NotHere | None:
    """None where everything is installed and loads."""
    if netron_folder() is None:
        return NotHere("Netron is not installed here.")
    try:
        importlib.import_module("PySide6.QtWebEngineWidgets")
    except ModuleNotFoundError:
        return NotHere("QtWebEngine, in which Netron's page is shown, is not installed here.")
    except ImportError as error:
        library = str(error).partition(":")[0]
        why = f"QtWebEngine does not load here: {library} is missing."
        return NotHere(why, f"sudo apt-get install {LIBRARIES}") if sys.platform == "linux" else NotHere(why)
    return None


class Missing(QWidget):
    def __init__(self, reason: NotHere) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.command = reason.command
        self.text = empty_label(f"{reason.why}\nEverything else works without it. To get it, type")
        line = QLabel(reason.command)
        line.setFont(mono_font())
        line.setWordWrap(True)
        line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = button("Copy", "ghost", "Copy the command")
        self.copy.clicked.connect(self._copy)
        after = empty_label("and start the program again.")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.copy)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addWidget(line)
        column.addLayout(row)
        column.addWidget(after)
        column.addStretch(2)

    def _copy(self, _checked: bool = False) -> None:
        QGuiApplication.clipboard().setText(self.command)
