"""For bugs: what happened, with versions and the way to hand it on. The program goes on where it can."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from types import TracebackType

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication

from workbench import __version__
from workbench.core.errors import WorkbenchError
from workbench.session.session import Session
from workbench.views.text_dialog import TextDialog

_LOG = logging.getLogger(__name__)


def versions() -> str:
    """Program, Python, Qt and system, a line each."""
    return (
        f"workbench {__version__}\nPython {platform.python_version()}\n"
        f"PySide6 {pyside_version}, Qt {qVersion()}\n{platform.platform()}"
    )


class CrashDialog(TextDialog):
    """Tells the user whose fault it is, and what to hand on."""

    def __init__(self, text: str) -> None:
        super().__init__(
            "Something went wrong",
            "This is a fault of the program, not of your model.",
            "What was finished is saved. You can go on; please report the text below.",
            text,
        )


class ExceptionHook:
    """Installed as `sys.excepthook`: users' errors go to the banner, anything else to one crash dialog at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.dialog: CrashDialog | None = None

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            QApplication.quit()
            return
        if isinstance(error, WorkbenchError):
            self._session.show_error(error)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        _LOG.error("%s", text)
        if self.dialog is None or not self.dialog.isVisible():
            self.dialog = CrashDialog(f"{versions()}\n\n{text}")
            self.dialog.show()

    def install(self) -> None:
        sys.excepthook = self
