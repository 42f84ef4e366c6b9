"""Groups that open and close in place, driven by real events."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.views.canvas.events import CONTROL, LEFT, NONE, SHIFT, drag, pixels, place_of
from tests.views.canvas.graphs import blocks, chain, residual
from workbench.core.theme import LIGHT
from workbench.views.canvas import GraphCanvas, Tool
from workbench.views.canvas.heat import Heat
from workbench.views.canvas.scene import HEADER

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def grouped(canvas: GraphCanvas) -> GraphCanvas:
    """Three blocks, the body open and all in it closed, in the middle of a pane that shows it whole."""
    canvas.set_graph(*blocks(3))
    canvas.expand_to_depth(1)
    canvas.home()
    return canvas


def header_of(canvas: GraphCanvas, group: str) -> QPoint:
    """A point of an open group's header, right of its title."""
    x, y, width, _ = canvas.scene.placed.frames[canvas.scene.groups.ids.index(group)].tolist()
    left, top = canvas.camera.to_device(x + width * 0.6, y + HEADER / 2)
    return QPoint(round(left), round(top))


def group_boxes(canvas: GraphCanvas) -> list[str]:
    return [box_id for box_id in canvas.scene.ids if box_id.startswith("group:")]


def closed(block: int) -> str:
    return f"group:body/{block}"


def test_a_small_graph_stands_fully_open_and_a_large_one_as_an_overview(canvas: GraphCanvas) -> None:
    canvas.set_graph(*blocks(3))
    assert not canvas.scene.closed
    assert canvas.scene.groups.titles[:3] == ["body", "block.0 ×3", "mlp ×3"]
    canvas.set_graph(*blocks(120))
    assert group_boxes(canvas) == [closed(k) for k in range(120)]
    assert canvas.scene.titles[canvas.scene.index[closed(0)]] == "block.0 ×120"
    canvas.set_graph(*blocks(400))
    assert group_boxes(canvas) == ["group:body"]


def test_a_double_click_opens_all_that_are_alike(grouped: GraphCanvas) -> None:
    QTest.mouseDClick(grouped, LEFT, NONE, place_of(grouped, closed(1)))
    assert group_boxes(grouped) == [f"group:body/{k}/mlp" for k in range(3)]
    QTest.mouseDClick(grouped, LEFT, NONE, header_of(grouped, "body/1"))
    assert group_boxes(grouped) == [closed(k) for k in range(3)]


def test_with_alt_only_this_one_opens(grouped: GraphCanvas) -> None:
    QTest.mouseDClick(grouped, LEFT, ALT, place_of(grouped, closed(1)))
    assert group_boxes(grouped) == [closed(0), "group:body/1/mlp", closed(2)]
    QTest.mouseDClick(grouped, LEFT, ALT, header_of(grouped, "body/1"))
    assert group_boxes(grouped) == [closed(k) for k in range(3)]


def test_the_header_comes_where_the_box_was(grouped: GraphCanvas) -> None:
    before = place_of(grouped, closed(1))
    zoom = grouped.camera.zoom
    QTest.mouseDClick(grouped, LEFT, NONE, before)
    x, y, width, _ = grouped.scene.placed.frames[grouped.scene.groups.ids.index("body/1")].tolist()
    middle = grouped.camera.to_device(x + width / 2, y + HEADER / 2)
    assert middle == pytest.approx((before.x(), before.y()), abs=1.5)
    assert grouped.camera.zoom == zoom
    place = header_of(grouped, "body/1")
    QTest.mouseDClick(grouped, LEFT, NONE, place)
    assert (place_of(grouped, closed(1)) - place).manhattanLength() <= 2


def test_what_is_current_stays_while_all_groups_open_and_close(grouped: GraphCanvas) -> None:
    QTest.mouseClick(grouped, LEFT, NONE, place_of(grouped, "n13"))
    before = place_of(grouped, "n13")
    for act in (grouped.expand_all, lambda: grouped.expand_to_depth(2), grouped.collapse_all):
        act()
        assert (place_of(grouped, "n13") - before).manhattanLength() <= 1
        assert grouped.scene.ids[grouped.current] == "n13"
    assert grouped.selection == {"n13"}


def test_enter_opens_escape_climbs_and_enter_closes(grouped: GraphCanvas) -> None:
    QTest.mouseClick(grouped, LEFT, NONE, place_of(grouped, closed(0)))
    assert grouped.selection == {"n1", "n2", "n3", "n4"}
    QTest.keyClick(grouped, Qt.Key.Key_Return)
    QTest.mouseClick(grouped, LEFT, NONE, place_of(grouped, "n3"))
    QTest.keyClick(grouped, Qt.Key.Key_Escape)
    assert grouped.current_group == "body/0"
    assert grouped.selection == {"n1", "n2", "n3", "n4"}
    QTest.keyClick(grouped, Qt.Key.Key_Escape)
    assert grouped.current_group == "body"
    assert len(grouped.selection) == 12
    QTest.keyClick(grouped, Qt.Key.Key_Escape)
    assert not grouped.selection
    QTest.mouseClick(grouped, LEFT, NONE, header_of(grouped, "body/0"))
    QTest.keyClick(grouped, Qt.Key.Key_Return)
    assert group_boxes(grouped) == [closed(k) for k in range(3)]
    assert grouped.scene.ids[grouped.current] == closed(0)


def test_arrows_walk_through_closed_groups(grouped: GraphCanvas) -> None:
    QTest.mouseClick(grouped, LEFT, NONE, place_of(grouped, "n0"))
    for there in (closed(0), closed(1), closed(2), "n13"):
        QTest.keyClick(grouped, Qt.Key.Key_Down)
        assert grouped.scene.ids[grouped.current] == there


def test_a_click_on_a_group_selects_its_layers(grouped: GraphCanvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(grouped.selection_changed) as heard:
        QTest.mouseClick(grouped, LEFT, NONE, place_of(grouped, closed(2)))
    assert heard.args == [frozenset({"n9", "n10", "n11", "n12"})]
    QTest.mouseClick(grouped, LEFT, CONTROL, place_of(grouped, closed(0)))
    assert len(grouped.selection) == 8
    QTest.mouseClick(grouped, LEFT, CONTROL, place_of(grouped, closed(2)))
    assert grouped.selection == {"n1", "n2", "n3", "n4"}
    QTest.mouseClick(grouped, LEFT, NONE, header_of(grouped, "body"))
    assert len(grouped.selection) == 12


def test_a_selected_layer_marks_the_group_that_hides_it(grouped: GraphCanvas) -> None:
    grouped.set_selection(["n5"])
    box = grouped.scene.index[closed(1)]
    assert grouped.marks.holds[box] and not grouped.marks.selected[box]
    grouped.set_selection(["n5", "n6", "n7", "n8"], reveal=True)
    assert grouped.marks.selected[grouped.scene.index[closed(1)]]  # all of it: nothing needs to open
    grouped.set_selection(["n5"], reveal=True)
    assert group_boxes(grouped) == [closed(0), closed(2)]
    assert 0 < place_of(grouped, "n5").y() < grouped.height()


def test_flying_to_a_hidden_layer_opens_what_is_around_it_only(grouped: GraphCanvas) -> None:
    grouped.collapse_all()
    grouped.fly_to("n9")
    assert group_boxes(grouped) == [closed(0), closed(1)]
    assert grouped.is_open("body/2/mlp")


def test_only_this_stands_open(grouped: GraphCanvas) -> None:
    grouped.expand_all()
    grouped.open_only("body/1")
    assert group_boxes(grouped) == [closed(0), "group:body/1/mlp", closed(2)]


def menu_at(canvas: GraphCanvas, place: QPoint) -> None:
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, canvas.mapToGlobal(place))
    QApplication.sendEvent(canvas, event)


def test_the_menu_is_about_what_was_clicked(grouped: GraphCanvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(grouped.context_menu_requested) as heard:
        menu_at(grouped, place_of(grouped, closed(1)))
    assert heard.args == [frozenset({"n5", "n6", "n7", "n8"}), grouped.mapToGlobal(place_of(grouped, closed(1)))]
    actions = {action.text(): action for action in grouped.context_actions()}
    assert list(actions)[:2] == ["Open block.1", "Open all 3 like block.1"]
    actions["Open block.1"].trigger()
    assert group_boxes(grouped) == [closed(0), "group:body/1/mlp", closed(2)]
    menu_at(grouped, header_of(grouped, "body/1"))
    actions = {action.text(): action for action in grouped.context_actions()}
    actions["Close all groups"].trigger()
    assert group_boxes(grouped) == ["group:body"]


def test_the_groups_that_were_open_are_remembered(grouped: GraphCanvas) -> None:
    grouped.toggle_group("body/1", alone=True)
    camera, seen = grouped.camera, grouped.scene.ids
    grouped.set_graph(residual())
    grouped.set_graph(*blocks(3))
    assert grouped.scene.ids == seen
    assert grouped.camera == camera


def test_scopes_that_come_later_keep_what_was_said(canvas: GraphCanvas) -> None:
    graph, scopes = blocks(3)
    canvas.set_graph(graph)
    canvas.set_selection(["n5"])
    canvas.set_graph(graph, scopes)
    assert len(canvas.scene.groups) == 7
    assert canvas.selection == {"n5"}


def test_a_stroke_of_the_brush_paints_boxes_and_groups(grouped: GraphCanvas, qtbot: QtBot) -> None:
    grouped.set_tool(Tool.BRUSH)
    assert grouped.cursor().shape() == Qt.CursorShape.CrossCursor
    with qtbot.waitSignal(grouped.painted) as heard:
        drag(grouped, place_of(grouped, "n0"), place_of(grouped, closed(1)))
    assert heard.args == [frozenset({"n0", *(f"n{i}" for i in range(1, 9))})]
    assert not grouped.selection
    with qtbot.waitSignal(grouped.painted) as heard:
        QTest.mouseClick(grouped, LEFT, NONE, header_of(grouped, "body"))
    assert len(heard.args[0]) == 12
    QTest.keyClick(grouped, Qt.Key.Key_Escape)
    assert grouped.tool is Tool.SELECT


def test_the_rectangle_paints_what_it_touches(grouped: GraphCanvas, qtbot: QtBot) -> None:
    grouped.set_tool(Tool.RECTANGLE)
    start, end = place_of(grouped, closed(1)) - QPoint(90, 2), place_of(grouped, closed(2)) + QPoint(90, 2)
    with qtbot.waitSignal(grouped.painted) as heard:
        drag(grouped, start, end)
    assert heard.args == [frozenset(f"n{i}" for i in range(5, 13))]
    with qtbot.assertNotEmitted(grouped.painted):
        drag(grouped, QPoint(3, 690), QPoint(12, 698))


def test_a_band_over_groups_selects_their_layers(grouped: GraphCanvas) -> None:
    start, end = place_of(grouped, closed(0)) - QPoint(90, 2), place_of(grouped, closed(1)) + QPoint(90, 2)
    drag(grouped, start, end, LEFT, SHIFT)
    assert grouped.selection == {f"n{i}" for i in range(1, 9)}


def test_headers_answer_the_pointer(grouped: GraphCanvas) -> None:
    place = header_of(grouped, "body")
    assert grouped.scene.groups.ids[grouped.header_under(QPointF(place))] == "body"
    assert grouped.header_under(QPointF(place) + QPointF(0, 60)) == -1


def test_the_hottest_of_many_boxes_on_one_pixel_is_seen(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(2000))
    canvas.set_overlay(Heat({f"n{i}": 9.0 if i == 777 else 1.0 for i in range(2000)}, "ms", low=0.0))
    canvas.zoom_about(0.0015 / canvas.camera.zoom, 0, 0)
    box = canvas.scene.index["n777"]
    canvas.centre_on(float(canvas.scene.placed.x[box]), float(canvas.scene.placed.y[box]))
    hot = QColor(LIGHT.heat[-1])
    seen = pixels(canvas)[..., :3].reshape(-1, 3).astype(int)
    assert (np.abs(seen - np.asarray([hot.blue(), hot.green(), hot.red()])).max(axis=1) < 8).any()


def test_every_zoom_draws_groups(grouped: GraphCanvas) -> None:
    grouped.toggle_group("body/1", alone=True)
    grouped.set_selection(["n5", "n9"])
    blank = pixels(grouped)[2, 2]
    for zoom in (0.005, 0.05, 0.22, 0.3, 0.4, 0.6, 1.0, 3.0):
        grouped.fly_to("n7")
        grouped.zoom_about(zoom / grouped.camera.zoom, 250, 350)
        assert (pixels(grouped) != blank).any()
        assert not grouped.error_text


def test_groups_count_what_their_graph_is_made_of(canvas: GraphCanvas) -> None:
    canvas.noun = "layer"
    canvas.set_graph(*blocks(3))
    assert canvas.scene.groups.sizes[0] == "12 layers"
    canvas.collapse_all()
    assert canvas.scene.names[canvas.scene.index["group:body"]].startswith("12 layers · ")


def test_alt_and_enter_open_and_close_one_of_those_alike(grouped: GraphCanvas) -> None:
    QTest.mouseClick(grouped, Qt.MouseButton.LeftButton, pos=place_of(grouped, "group:body/1"))
    QTest.keyClick(grouped, Qt.Key.Key_Return, ALT)
    assert set(grouped.scene.closed.values()) == {"body/0", "body/1/mlp", "body/2"}
    grouped.step_back()
    QTest.keyClick(grouped, Qt.Key.Key_Return, ALT)
    assert set(grouped.scene.closed.values()) == {"body/0", "body/1", "body/2"}
