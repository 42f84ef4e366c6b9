"""A picture of the window without a screen: opens a model with its finished runs, waits until it is drawn, saves."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from workbench.core.errors import WorkbenchError
from workbench.core.graph import Layer
from workbench.core.run import Run
from workbench.session.baseline import stats_of
from workbench.views.canvas import GraphCanvas
from workbench.views.main_window import MainWindow

OPEN_TIMEOUT_S = 120.0
SETTLE_MS = 700  # canvases fly and charts draw at 10 Hz


def take_screenshot(window: MainWindow, path: Path) -> None:
    """Waits for a model that is being opened, compares its runs, selects the hottest fused layer, saves a PNG."""
    session = window.session
    wait_until(
        lambda: not session.is_opening and not session.samples.is_busy and not session.is_probing, OPEN_TIMEOUT_S
    )
    if session.model is not None:
        runs = list(session.visible_runs())
        if runs:
            session.set_compared([run.id for run in runs[:6]])
            session.set_current(_fastest(runs[:6]).id)
        if (layer := hottest_fused(window)) is not None:
            session.select_layers([layer.id])
            window.panes.fly_to_selection()
    canvases = window.findChildren(GraphCanvas)
    wait_until(lambda: not any(canvas.is_laying_out for canvas in canvases), OPEN_TIMEOUT_S)
    settle(SETTLE_MS)
    if not window.grab().save(str(path)):
        raise WorkbenchError(f"The picture could not be written to {path}.", "Choose another place.")


def _fastest(runs: list[Run]) -> Run:
    timed = [(stats.median_ms, run.id, run) for run in runs if (stats := stats_of(run)) is not None]
    return min(timed)[2] if timed else runs[0]


def hottest_fused(window: MainWindow) -> Layer | None:
    """The slowest layer of the current run that several nodes were fused into, else the slowest."""
    session = window.session
    run = session.current
    times = session.runs.layer_ms(run.id) if run else {}
    timed = [layer for layer in session.links.layers.values() if times.get(layer.id)]
    timed.sort(key=lambda layer: (len(layer.sources) > 1, times[layer.id]), reverse=True)
    return timed[0] if timed else None


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Runs the event loop until `done()`; False where the time is over first."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        time.sleep(0.01)
    return True


def settle(milliseconds: int) -> None:
    """Lets the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
