"""The camera of one graph carries the other, driven by wheel, drag and keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.views.canvas.graphs import chain
from tests.views.driving import LEFT, NONE, TIMEOUT_MS
from workbench.core.graph import Graph, Layer
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.camera import Camera
from workbench.views.following import CameraFollow, linked_camera

LENGTH, FUSED = 120, 4  # nodes, of which so many become a layer


def fused() -> Graph:
    """The chain with every four nodes as one layer."""
    layers = tuple(Layer(f"l{i}", "", "Op", (f"t{i}",), (f"t{i + 1}",)) for i in range(LENGTH // FUSED))
    return Graph("fused", layers, {}, ("t0",), (f"t{len(layers)}",))


def to_layers(nodes: Iterable[str]) -> frozenset[str]:
    return frozenset(f"l{int(node[1:]) // FUSED}" for node in nodes)


def to_nodes(layers: Iterable[str]) -> frozenset[str]:
    return frozenset(f"n{int(layer[1:]) * FUSED + i}" for layer in layers for i in range(FUSED))


class Both:
    def __init__(self) -> None:
        self.window = QWidget()
        self.source, self.engine = GraphCanvas(), GraphCanvas()
        row = QHBoxLayout(self.window)
        for canvas, graph in ((self.source, chain(LENGTH)), (self.engine, fused())):
            canvas.is_animated = False
            canvas.set_graph(graph)
            row.addWidget(canvas)
        self.window.resize(900, 600)
        self.follow = CameraFollow(self.window)
        self.follow.watch(self.source)
        self.follow.watch(self.engine)
        self.follow.set_pair(self.source, self.engine, to_layers, to_nodes)


@pytest.fixture
def both(qtbot: QtBot) -> Iterator[Both]:
    made = Both()
    qtbot.addWidget(made.window)
    made.window.show()
    qtbot.waitExposed(made.window)
    yield made


def wheel(canvas: GraphCanvas, steps: int) -> None:
    place = QPointF(canvas.width() / 2, canvas.height() / 2)
    nothing = QPoint()
    event = QWheelEvent(
        place, canvas.mapToGlobal(place), nothing, QPoint(0, 120 * steps), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def drag(canvas: GraphCanvas, dy: int) -> None:
    start = QPoint(20, canvas.height() // 2)
    QTest.mousePress(canvas, LEFT, NONE, start)
    for part in (0.5, 1.0):
        place = QPointF(start) + QPointF(0, dy * part)
        move = QMouseEvent(QEvent.Type.MouseMove, place, canvas.mapToGlobal(place), LEFT, LEFT, NONE)
        QApplication.sendEvent(canvas, move)
    QTest.mouseRelease(canvas, LEFT, NONE, start + QPoint(0, dy))


def middle(canvas: GraphCanvas) -> int:
    """The number of the box nearest to the middle of the pane."""
    y = canvas.camera.to_world(canvas.width() / 2, canvas.height() / 2)[1]
    heights = canvas.scene.placed.y
    ids = [(abs(float(heights[box]) - y), key) for key, box in canvas.scene.index.items() if ":" not in key]
    return int(min(ids)[1][1:])


def test_off_nothing_follows(both: Both) -> None:
    before = both.engine.camera
    wheel(both.source, 3)
    drag(both.source, -200)
    assert both.engine.camera == before


def test_turned_on_the_other_pane_goes_to_what_is_linked(both: Both) -> None:
    both.source.fly_to("n90")
    both.follow.set_on(True)
    assert abs(middle(both.engine) - 90 // FUSED) <= 1


def test_a_drag_of_the_source_carries_the_engine(both: Both) -> None:
    both.follow.set_on(True)
    for _ in range(12):
        drag(both.source, -250)
        assert abs(middle(both.engine) - middle(both.source) / FUSED) <= 2
    assert middle(both.source) > 30


def test_a_drag_of_the_engine_carries_the_source(both: Both) -> None:
    both.follow.set_on(True)
    for _ in range(5):
        drag(both.engine, -250)
        assert abs(middle(both.source) - middle(both.engine) * FUSED) <= 8
    assert middle(both.engine) > 8


def test_who_leads_is_never_moved_back(both: Both) -> None:
    """What the follower shows fits not exactly: if that moved the leader, both would drift."""
    both.follow.set_on(True)
    drag(both.source, -300)
    expected = both.source.camera.moved(0, -100)
    drag(both.source, -100)
    assert both.source.camera == expected
    before = both.source.camera
    for _ in range(3):
        QApplication.processEvents()
    assert both.source.camera == before


def test_the_follower_moved_by_the_program_does_not_lead(both: Both) -> None:
    """A flight to a selection in the other pane leaves the pane alone that the user is in."""
    both.follow.set_on(True)
    wheel(both.source, 2)
    before = both.source.camera
    both.engine.fly_to("l25")
    assert both.source.camera == before and middle(both.engine) == 25


def test_flights_on_both_sides_at_once_do_not_pull_at_each_other(both: Both, qtbot: QtBot) -> None:
    both.follow.set_on(True)
    both.source.is_animated = both.engine.is_animated = True
    both.source.fly_to("n100")
    both.engine.fly_to("l25")
    flights = both.source._flight, both.engine._flight
    qtbot.waitUntil(lambda: all(flight.goal is None for flight in flights), timeout=TIMEOUT_MS)
    assert middle(both.source) == 100 and middle(both.engine) == 25


def test_fitted_on_one_side_the_other_shows_all_of_it_too(both: Both) -> None:
    both.follow.set_on(True)
    both.source.setFocus()
    QTest.keyClick(both.source, Qt.Key.Key_F)
    top = both.engine.camera.to_device(0, float(both.engine.scene.placed.y.min()))[1]
    bottom = both.engine.camera.to_device(0, float(both.engine.scene.placed.y.max()))[1]
    assert -0.4 * both.engine.height() < top < bottom < 1.4 * both.engine.height()


def test_zooming_in_zooms_the_other_and_keeps_it_readable(both: Both) -> None:
    both.follow.set_on(True)
    drag(both.source, -300)
    small = both.engine.camera.zoom
    wheel(both.source, -8)
    assert both.engine.camera.zoom < small
    wheel(both.source, 12)
    assert both.engine.camera.zoom <= max(1.0, both.source.camera.zoom)


def test_without_a_link_in_view_the_other_stays(both: Both) -> None:
    both.follow.set_pair(both.source, both.engine, lambda _ids: frozenset(), lambda _ids: frozenset())
    both.follow.set_on(True)
    before = both.engine.camera
    wheel(both.source, 3)
    assert both.engine.camera == before
    assert linked_camera(both.source, both.engine, lambda _ids: frozenset()) is None


def test_panning_is_smooth(both: Both) -> None:
    """Small steps of one camera are small steps of the other: no jumps as boxes come into view and go."""
    both.follow.set_on(True)
    wheel(both.source, 1)
    both.source.look(Camera(0.9, 150, -1500))
    heights = []
    for step in range(60):
        both.source.look(Camera(0.9, 150, -1500 - 12 * step))
        heights.append(both.engine.camera.to_world(both.engine.width() / 2, both.engine.height() / 2)[1])
    steps = [b - a for a, b in pairwise(heights)]
    assert all(step > -1 for step in steps) and max(steps) < 12 / 0.9
