"""The whole window on a session of its own, with a small model open and the null backend chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.session.conftest import TIMEOUT_MS
from tests.session.models import HOSTILE, open_here, save_small_model
from workbench.session.session import Session
from workbench.views.application import make_application
from workbench.views.main_window import MainWindow


@pytest.fixture
def empty_window(qtbot: QtBot, qapp: object) -> Iterator[MainWindow]:
    """The window as it comes up at the very first start."""
    make_application()
    session = Session()
    session.settings.set("timing_seconds", 0.3)
    session.settings.set("theme", "light")
    window = MainWindow(session)
    window.resize(1600, 1000)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()  # without a window manager nobody else does, and keys go to the active window
    qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT_MS)
    for pane in window.panes.by_side.values():
        pane.canvas.is_animated = False
    yield window
    window.close()


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    """A model whose first node has a name that would load a file if anything took it for HTML."""
    return save_small_model(tmp_path / "small.onnx", name=HOSTILE)


@pytest.fixture
def window(empty_window: MainWindow, model_path: Path) -> MainWindow:
    session = empty_window.session
    open_here(session, model_path)
    session.choose("Null", backend="null")
    session.undo.clear()
    return empty_window
