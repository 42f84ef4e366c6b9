"""The canvas, driven by real events."""

from __future__ import annotations

import logging

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.views.canvas.events import (
    CONTROL,
    FLOWN_TO,
    LEFT,
    MIDDLE,
    NONE,
    SHIFT,
    color_at,
    drag,
    pixels,
    place_of,
    wheel,
)
from tests.views.canvas.graphs import chain, control_flow, layer, residual
from workbench.core.graph import Graph
from workbench.core.theme import LIGHT
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas import canvas as canvas_module
from workbench.views.canvas.camera import Camera
from workbench.views.canvas.flight import DURATION_MS
from workbench.views.canvas.heat import Heat
from workbench.views.canvas.surface import MARGIN, READABLE


def test_a_click_selects_and_says_so(canvas: GraphCanvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.selection_changed) as heard:
        QTest.mouseClick(canvas, LEFT, NONE, place_of(canvas, "n3"))
    assert heard.args == [frozenset({"n3"})]
    assert canvas.selection == {"n3"}


def test_control_and_shift_add_and_take_away(canvas: GraphCanvas) -> None:
    QTest.mouseClick(canvas, LEFT, NONE, place_of(canvas, "n0"))
    QTest.mouseClick(canvas, LEFT, CONTROL, place_of(canvas, "n3"))
    QTest.mouseClick(canvas, LEFT, SHIFT, place_of(canvas, "n5"))
    assert canvas.selection == {"n0", "n3", "n5"}
    QTest.mouseClick(canvas, LEFT, CONTROL, place_of(canvas, "n3"))
    assert canvas.selection == {"n0", "n5"}


def test_a_click_beside_clears(canvas: GraphCanvas) -> None:
    QTest.mouseClick(canvas, LEFT, NONE, place_of(canvas, "n3"))
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(20, 300))
    assert canvas.selection == frozenset()


def test_pills_are_current_but_never_selected(canvas: GraphCanvas) -> None:
    QTest.mouseClick(canvas, LEFT, NONE, place_of(canvas, "input:x"))
    assert canvas.selection == frozenset()
    assert canvas.scene.ids[canvas.current] == "input:x"
    assert "batch×3×32×32 float32" in canvas.accessibleDescription()


def test_the_program_selects_silently(canvas: GraphCanvas, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(canvas.selection_changed):
        canvas.set_selection(["n1", "n4", "nonsense"], reveal=True)
    assert canvas.selection == {"n1", "n4"}


def test_the_wheel_zooms_about_the_cursor(canvas: GraphCanvas) -> None:
    place = place_of(canvas, "n5")
    before = canvas.camera
    wheel(canvas, place, 3)
    assert canvas.camera.zoom > before.zoom * 1.3
    assert (place_of(canvas, "n5") - place).manhattanLength() <= 2
    wheel(canvas, place, -3)
    assert canvas.camera.zoom == pytest.approx(before.zoom)


@pytest.mark.parametrize("button", [LEFT, MIDDLE])
def test_a_drag_pans_and_selects_nothing(canvas: GraphCanvas, button: Qt.MouseButton) -> None:
    before = place_of(canvas, "n3")
    drag(canvas, QPoint(40, 400), QPoint(110, 330), button)
    assert place_of(canvas, "n3") - before == QPoint(70, -70)
    assert canvas.selection == frozenset()


def test_a_drag_that_starts_on_a_box_pans_too(canvas: GraphCanvas) -> None:
    before = place_of(canvas, "n3")
    drag(canvas, before, before + QPoint(50, 20))
    assert place_of(canvas, "n3") - before == QPoint(50, 20)
    assert canvas.selection == frozenset()


def test_shift_drag_selects_what_the_band_touches(canvas: GraphCanvas) -> None:
    top, bottom = place_of(canvas, "n1"), place_of(canvas, "n4")
    drag(canvas, top - QPoint(150, 2), bottom + QPoint(150, 2), LEFT, SHIFT)
    assert canvas.selection == {"n1", "n3", "n4"}


def test_arrows_walk_the_edges(canvas: GraphCanvas) -> None:
    canvas.setFocus()
    walked = []
    for key in [Qt.Key.Key_Down] * 7 + [Qt.Key.Key_Up]:
        QTest.keyClick(canvas, key)
        walked.append(canvas.scene.ids[canvas.current])
    assert walked == ["input:x", "n0", "n1", "n3", "n4", "n5", "output:y", "n5"]
    assert canvas.selection == {"n5"}
    assert canvas.accessibleDescription().startswith("Add  ·  n5\nblock/add")


def test_arrows_walk_along_the_rank(canvas: GraphCanvas) -> None:
    layers = (layer("n0", "Split", "x", "a b"), layer("n1", "Abs", "a", "c"), layer("n2", "Neg", "b", "d"))
    canvas.set_graph(Graph("g", layers, {}, ("x",), ("c", "d")))
    canvas.set_selection(["n1"])
    for key, there in ((Qt.Key.Key_Right, "n2"), (Qt.Key.Key_Right, "n2"), (Qt.Key.Key_Left, "n1")):
        QTest.keyClick(canvas, key)
        assert canvas.selection == {there}


def test_keys_zoom_fit_select_all_and_clear(canvas: GraphCanvas) -> None:
    fitted = canvas.camera
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.zoom > fitted.zoom
    QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.camera.zoom == pytest.approx(fitted.zoom)
    wheel(canvas, QPoint(5, 5), 4)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.camera == fitted
    QTest.keyClick(canvas, Qt.Key.Key_A, CONTROL)
    assert canvas.selection == {"n0", "n1", "n3", "n4", "n5"}
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.selection == frozenset()


def test_the_buttons_zoom_and_fit(canvas: GraphCanvas) -> None:
    fitted = canvas.camera
    out, into, fit = canvas._controls.buttons
    QTest.mouseClick(into, LEFT)
    assert canvas.camera.zoom > fitted.zoom
    QTest.mouseClick(out, LEFT)
    QTest.mouseClick(out, LEFT)
    assert canvas.camera.zoom < fitted.zoom
    QTest.mouseClick(fit, LEFT)
    assert canvas.camera == fitted


def test_double_click_and_enter_activate(canvas: GraphCanvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.activated) as heard:
        QTest.mouseDClick(canvas, LEFT, NONE, place_of(canvas, "n5"))
    assert heard.args == ["n5"]
    canvas.set_selection(["n1"])
    with qtbot.waitSignal(canvas.activated) as heard:
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert heard.args == ["n1"]


def test_double_click_opens_a_body_and_escape_climbs(canvas: GraphCanvas) -> None:
    canvas.set_graph(control_flow())
    QTest.mouseDClick(canvas, LEFT, NONE, place_of(canvas, "n1"))
    assert canvas.path == ("n1.then_branch",)
    QTest.mouseDClick(canvas, LEFT, NONE, place_of(canvas, "n1.then_branch.n0"))
    assert canvas.scene.ids == ["input:i", "n1.then_branch.n0.body.n0", "output:o"]
    for path in (("n1.then_branch",), ()):
        canvas.clear_selection()
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        assert canvas.path == path


def test_the_body_that_is_alive_is_opened_first(canvas: GraphCanvas) -> None:
    canvas.set_graph(control_flow())
    canvas.living_body = lambda bodies: bodies[-1]
    QTest.mouseDClick(canvas, LEFT, NONE, place_of(canvas, "n1"))
    assert canvas.path == ("n1.else_branch",)


def test_the_breadcrumb_leads_to_siblings_and_back(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.set_graph(control_flow())
    assert not canvas._breadcrumb.isVisible()
    canvas.activate_box(canvas.scene.index["n1"])
    assert canvas._breadcrumb.isVisible()
    assert crumbs(canvas) == ["main", "›  n1 If", "then_branch", "else_branch"]
    click_crumb(canvas, "else_branch")
    assert canvas.path == ("n1.else_branch",)
    with qtbot.waitSignal(canvas.body_changed) as heard:
        click_crumb(canvas, "main")
    assert heard.args == [()]
    assert canvas.scene.ids[canvas.current] == "n1"


def test_the_breadcrumb_names_the_way_and_nothing_shines_through(canvas: GraphCanvas) -> None:
    canvas.set_graph(control_flow())
    canvas.fly_to("n1.then_branch.n0.body.n0")
    assert crumbs(canvas) == ["main", "›  n1 If", "then_branch", "›  n0 Loop", "body"]
    canvas.look(Camera(1.0, 10 - canvas.scene.placed.x[0], 16 - canvas.scene.placed.y[0]))  # a pill under the crumbs
    picture, ground = canvas.grab().toImage(), QColor(LIGHT.canvas)
    assert picture.pixelColor(canvas.width() - 4, 10) == picture.pixelColor(3, 10) == ground


def crumbs(canvas: GraphCanvas) -> list[str]:
    return [part.text() for part in canvas._breadcrumb._parts]


def click_crumb(canvas: GraphCanvas, text: str) -> None:
    QTest.mouseClick(canvas._breadcrumb._parts[crumbs(canvas).index(text)], LEFT)


def test_a_layer_in_a_body_is_revealed_and_marks_its_holder(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.set_graph(control_flow())
    deep = "n1.then_branch.n0.body.n0"
    canvas.set_selection([deep])
    assert canvas.path == ()
    assert canvas.marks.holds.tolist().index(True) == canvas.scene.index["n1"]
    with qtbot.waitSignal(canvas.body_changed):
        canvas.set_selection([deep], reveal=True)
    assert canvas.path == ("n1.then_branch", "n1.then_branch.n0.body")
    assert bool(canvas.marks.selected[canvas.scene.index[deep]])


def test_a_flight_ends_in_the_middle(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(300))
    canvas.fly_to("n222")
    assert place_of(canvas, "n222") == FLOWN_TO


def test_flights_are_animated_and_end_at_their_goal(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.set_graph(chain(300))
    canvas.is_animated = True
    canvas.fly_to("n200")
    seen = [canvas.camera]
    for share in (0.25, 0.5, 0.75):  # by hand: a machine that stalls sees nothing between start and end
        canvas._flight._animation.setCurrentTime(round(share * DURATION_MS))
        seen.append(canvas.camera)
        assert place_of(canvas, "n200") != FLOWN_TO
    assert len(set(seen)) == 4
    qtbot.waitUntil(lambda: place_of(canvas, "n200") == FLOWN_TO, timeout=20_000)


def test_a_tall_graph_opens_readable_at_its_top(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(300))
    assert canvas.camera.zoom > 0.8
    assert 0 < place_of(canvas, "input:t0").y() < 100
    canvas.fit()
    assert 0 < place_of(canvas, "output:t300").y() < 700


def test_an_equal_graph_and_overlays_keep_the_camera(canvas: GraphCanvas) -> None:
    wheel(canvas, QPoint(100, 100), 2)
    canvas.set_selection(["n3"])
    before = canvas.camera
    canvas.set_overlay(Heat({"n0": 1.0, "n3": 2.0}, "ms"))
    canvas.set_badges({"n3": "folded"})
    canvas.set_graph(residual())
    assert canvas.camera == before
    assert canvas.selection == {"n3"}
    assert canvas.marks.has_values


def test_another_graph_starts_clean(canvas: GraphCanvas) -> None:
    canvas.set_overlay(Heat({"n0": 1.0}, "ms"))
    canvas.set_selection(["n0"])
    canvas.set_graph(chain(3))
    assert canvas.selection == frozenset()
    assert not canvas.marks.has_values


def test_an_empty_canvas_takes_keys_and_clicks(canvas: GraphCanvas) -> None:
    canvas.set_graph(None)
    QTest.keyClick(canvas, Qt.Key.Key_Down)
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(300, 300))
    assert canvas.current == -1


def test_resizing_keeps_the_whole_in_view_until_the_user_moves(canvas: GraphCanvas) -> None:
    canvas.resize(400, 400)
    assert canvas.camera.zoom < 1
    assert 0 < place_of(canvas, "output:y").y() < 400
    wheel(canvas, QPoint(200, 200), 1)
    middle = canvas.camera.to_world(200, 200)
    canvas.resize(500, 600)
    assert canvas.camera.to_world(250, 300) == pytest.approx(middle)


def test_a_bug_while_painting_becomes_a_banner(
    canvas: GraphCanvas, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such colour")

    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL + 1):
        patch.setattr(canvas_module, "paint_picture", broken)
        canvas.grab()
        assert canvas.error_text == "Drawing failed: no such colour"
        assert color_at(canvas, QPoint(590, 4)) == "#b3261e"
    canvas.set_graph(chain(2))
    assert color_at(canvas, QPoint(590, 4)) == LIGHT.canvas


def test_every_zoom_draws(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(40))
    canvas.set_overlay(Heat({f"n{i}": float(i) for i in range(40)}, "ms"))
    canvas.set_colors({f"n{i}": "#2f6fed" for i in range(40)})
    canvas.set_badges({"n3": "added"})
    canvas.set_selection(["n4", "n5"])
    for zoom in (0.02, 0.1, 0.22, 0.4, 0.6, 0.8, 1.0, 3.0):
        canvas.fly_to("n4")
        canvas.zoom_about(zoom / canvas.camera.zoom, 300, 350)
        assert (pixels(canvas)[..., :3] != pixels(canvas)[2, 350, :3]).any()


def test_a_graph_too_wide_for_the_pane_starts_at_its_border(canvas: GraphCanvas) -> None:
    names = tuple(f"input_{i}" for i in range(40))
    canvas.set_graph(Graph("wide", (layer("n0", "Concat", " ".join(names), "y"),), {}, names, ("y",)))
    assert canvas.camera.zoom == READABLE
    left = float((canvas.scene.placed.x - canvas.scene.widths / 2).min())
    assert 0 <= canvas.camera.to_device(left, 0)[0] <= MARGIN
