"""Large layouts are made beside the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from tests.views.canvas.graphs import blocks, chain, residual
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.layout import Check
from workbench.views.canvas.loading import Loader

TIMEOUT_MS = 180_000


@pytest.fixture
def animated(canvas: GraphCanvas) -> GraphCanvas:
    canvas.is_animated = True
    return canvas


def test_the_window_answers_while_a_large_graph_is_laid_out(
    animated: GraphCanvas, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[bool] = []
    answered, start = threading.Event(), Loader.start

    def slowly(loader: Loader[object], make: Callable[[Check], object], deliver: Callable[[object], None]) -> None:
        def held(check: Check) -> object:
            made = make(check)
            answered.wait(60)  # the layout of a fast machine would be there before the window has answered
            return made

        start(loader, held, deliver)

    def tick() -> None:
        ticks.append(animated.is_laying_out)
        if len(ticks) > 3:
            answered.set()

    monkeypatch.setattr(Loader, "start", slowly)
    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(5)
    animated.set_graph(chain(4000))
    assert animated.is_laying_out
    assert animated.scene.count == 0
    assert not animated.grab().isNull()
    qtbot.waitUntil(lambda: not animated.is_laying_out, timeout=TIMEOUT_MS)
    timer.stop()
    assert sum(ticks) > 3
    assert animated.scene.count == 4002


def test_a_newer_graph_replaces_one_under_way(animated: GraphCanvas, qtbot: QtBot) -> None:
    animated.set_graph(chain(4000))
    animated.set_graph(residual())
    assert animated.scene.count == 7
    qtbot.waitUntil(lambda: not [t for t in threading.enumerate() if t.name == "layout"], timeout=TIMEOUT_MS)
    qtbot.wait(20)
    assert animated.scene.count == 7


def test_what_is_asked_meanwhile_is_done_after(animated: GraphCanvas, qtbot: QtBot) -> None:
    animated.set_graph(chain(4000))
    animated.set_selection(["n3000"], reveal=True)
    animated.expand_all()
    animated.clear_selection()
    animated.set_selection(["n3000"])
    qtbot.waitUntil(lambda: not animated.is_laying_out, timeout=TIMEOUT_MS)
    box = animated.scene.index["n3000"]
    assert animated.current == box
    assert animated.marks.selected[box]


def test_the_old_picture_stays_until_the_new_one_is_made(animated: GraphCanvas, qtbot: QtBot) -> None:
    animated.set_graph(*blocks(500))
    qtbot.waitUntil(lambda: not animated.is_laying_out, timeout=TIMEOUT_MS)
    before = animated.scene.ids
    with qtbot.waitSignal(animated.groups_changed, timeout=TIMEOUT_MS):
        animated.expand_all()
        assert animated.is_laying_out
        assert animated.scene.ids == before
        assert not animated.grab().isNull()
    assert animated.scene.count == 2005


def test_what_fails_beside_the_thread_is_raised_in_it(qtbot: QtBot) -> None:
    def broken(check: Check) -> int:
        check()
        raise ValueError("no such layout")

    holder = QObject()
    loader: Loader[int] = Loader(holder)
    with qtbot.captureExceptions() as caught:
        loader.start(broken, lambda _made: None)
        qtbot.waitUntil(lambda: bool(caught), timeout=TIMEOUT_MS)
    assert str(caught[0][1]) == "no such layout"
    assert not loader.is_busy


def test_closing_the_window_stops_the_layout(qtbot: QtBot) -> None:
    started, stopped = threading.Event(), threading.Event()

    def endless(check: Check) -> int:
        started.set()
        try:
            while True:
                check()
        finally:
            stopped.set()

    holder = QObject()
    loader: Loader[int] = Loader(holder)
    loader.start(endless, lambda _made: None)
    assert started.wait(60)
    del holder
    qtbot.waitUntil(stopped.is_set, timeout=TIMEOUT_MS)
