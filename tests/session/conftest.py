"""An open session on the null backend, and a way to wait for what it does in other processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.session.models import open_here, save_small_model
from workbench.core.run import Run
from workbench.session.session import Session

TIMEOUT_MS = 180_000


@pytest.fixture
def session(qtbot: QtBot, qapp: object) -> Iterator[Session]:
    made = Session()
    made.settings.set("timing_seconds", 0.2)
    yield made
    made.close()


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    return save_small_model(tmp_path / "small.onnx")


@pytest.fixture
def opened(session: Session, small_model: Path) -> Session:
    open_here(session, small_model)
    session.choose("Null", backend="null", evaluation="random")
    return session


def build_and_wait(session: Session, qtbot: QtBot) -> Run:
    """Builds with the present choices and waits for the end; returns the run as it stands then."""
    started = session.build()
    assert started is not None
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
    run = session.runs.get(started.id)
    assert run is not None
    return run
