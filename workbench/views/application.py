"""The program with a window: QApplication, fonts, theme, exception hook, session, main window."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from workbench.session.session import Session
from workbench.views import theme
from workbench.views.crash import ExceptionHook
from workbench.views.fonts import load_fonts, text_font
from workbench.views.icons import app_icon
from workbench.views.main_window import MainWindow
from workbench.views.screenshot import take_screenshot


def open_window(model: str = "", screenshot: str = "") -> int:
    """Opens the window, with `model` where one is given; returns the exit code when it is closed.

    With `screenshot` the window is drawn, saved to that PNG and closed again.
    """
    app = make_application()
    session = Session()
    ExceptionHook(session).install()
    window = MainWindow(session, remembers=not screenshot)
    window.show()
    session.probe_backends()
    if model:
        session.open(model)
    wake = QTimer()  # lets Python see Ctrl+C in the terminal
    wake.timeout.connect(lambda: None)
    wake.start(500)
    try:
        if screenshot:
            take_screenshot(window, Path(screenshot))
            window.close()
            return 0
        return app.exec()
    finally:
        session.close()
        sys.excepthook = sys.__excepthook__


def make_application() -> QApplication:
    """The one QApplication, in our style: Fusion, shipped fonts, our palette."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["workbench"])
    app.setApplicationName("inference-workbench")
    app.setApplicationDisplayName("Workbench")
    QGuiApplication.setDesktopFileName("inference-workbench")
    app.setStyle("Fusion")
    load_fonts()
    app.setFont(text_font())
    app.setWindowIcon(app_icon())
    theme.apply_theme(app, theme.resolve("system"))
    return app
