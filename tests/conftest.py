"""For every test a home and a data folder of its own; no widget, timer or thread left behind by those that use Qt."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in a job's process

KEPT_BY_LIBRARIES = {".config/QtProject.conf", ".cache/fontconfig"}
"""What Qt's file dialog remembers of itself, and the list of fonts where the system's cannot be written."""


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails where anything was written to the home folder: an engine's telemetry leaves its first traces there."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in [name for name in os.environ if name.startswith("XDG_") and name.endswith("_HOME")]:
            patch.delenv(name)
        yield
    written = {str(Path(*path.relative_to(home).parts[:2])) for path in home.rglob("*") if path.is_file()}
    assert written <= KEPT_BY_LIBRARIES


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the user's is read or written."""
    home = tmp_path / "data-home"
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def nothing_of_qt_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a visible window, a running timer of its own, or a thread."""
    if "qapp" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("qapp")
    threads = set(threading.enumerate())
    before = set(_windows())
    yield
    _let_go()
    windows = [window for window in _windows() if window not in before]
    assert not windows, f"windows left open: {windows}"
    left = [thread for thread in threading.enumerate() if thread not in threads and thread.is_alive()]
    for thread in left:
        thread.join(timeout=60)
    assert not [thread for thread in left if thread.is_alive()], "threads left running"


def _windows() -> list[object]:
    from PySide6.QtWidgets import QApplication, QMenu

    return [w for w in QApplication.topLevelWidgets() if w.isVisible() and not isinstance(w, QMenu)]


def _let_go() -> None:
    """What was asked to be deleted later is deleted now."""
    from PySide6.QtCore import QCoreApplication, QEvent

    assert "PySide6.QtWidgets" in sys.modules
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
