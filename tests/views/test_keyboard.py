"""Keys in the window: whose they are, and where they go afterwards; what a screen reader is told of signs and icons."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.session.models import open_here, save_small_model
from tests.views.canvas.graphs import blocks
from tests.views.driving import TIMEOUT_MS, build
from workbench.core.precision import Precision, Rule
from workbench.views.canvas import Tool
from workbench.views.main_window import MainWindow


def test_escape_in_a_graph_lays_down_the_tool_before_the_selection_goes(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.setFocus()
    window.session.select_nodes(["n1"])
    canvas.set_tool(Tool.BRUSH)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.tool is Tool.SELECT and window.session.selection.nodes == {"n1"}
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not window.session.selection


def test_escape_in_a_graph_climbs_to_the_group(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.set_graph(*blocks(3))
    canvas.setFocus()
    canvas.select_box(canvas.scene.index["n2"], adds=False)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.current_group and "open group" in canvas.accessibleDescription()


def test_a_node_that_a_search_flew_to_is_told_though_it_was_in_a_closed_group(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.set_graph(*blocks(3))
    canvas.collapse_all()
    canvas.fly_to("n2")
    assert canvas.current == canvas.scene.index["n2"]
    assert "n2" in canvas.accessibleDescription()


def test_what_the_colours_say_of_the_current_node_is_told_when_they_change(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.select_box(canvas.scene.index["n1"], adds=False)
    canvas.set_badges({"n1": "fused into somewhere"})
    assert "fused into somewhere" in canvas.accessibleDescription()


def test_the_palette_gives_the_keys_back(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.setFocus()
    QTest.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert window.palette_view.field.hasFocus()
    QTest.keyClick(window.palette_view.field, Qt.Key.Key_Escape)
    assert canvas.hasFocus()


def test_a_search_forgets_the_selection_before_it_with_the_model(window: MainWindow, tmp_path: Path) -> None:
    session = window.session
    session.select_nodes(["n4"])
    window.searching.focus()
    QTest.keyClicks(window.top.search, "relu")
    open_here(session, save_small_model(tmp_path / "shorter.onnx", blocks=1))
    QTest.keyClick(window.top.search, Qt.Key.Key_Escape)
    assert not session.selection


def test_the_card_of_a_search_goes_with_the_model(window: MainWindow) -> None:
    window.searching.focus()
    QTest.keyClicks(window.top.search, "relu")
    assert window.searching.card.isVisible()
    window.session.close_model()
    assert not window.searching.card.isVisible()


def nameless(root: QWidget) -> list[str]:
    """Buttons of ours that show a sign or an icon and have no name, or nothing to read when the mouse is on them."""
    found = [part for part in root.findChildren(QPushButton) if not any(char.isalnum() for char in part.text())]
    found = [part for part in found if part.isVisibleTo(root)]
    return [repr(part.text()) for part in found if not (part.accessibleName() and part.toolTip())]


def test_every_button_with_a_sign_or_an_icon_has_a_name_and_a_tooltip(window: MainWindow, qtbot: QtBot) -> None:
    assert nameless(window) == []
    window.plan_panel.edit("rules")
    editor = window.plan_panel.editor
    assert editor is not None and nameless(editor) == []


def test_enter_in_an_editor_presses_no_button(window: MainWindow, qtbot: QtBot) -> None:
    window.plan_panel.edit("rules")
    window.profiles.show()
    window.options.show()
    windows = (window.plan_panel.editor, window.profiles.window, window.options.window)
    buttons = [part for each in windows if each is not None for part in each.findChildren(QPushButton)]
    assert buttons and not [part.text() for part in buttons if part.isDefault() or part.autoDefault()]


def tabbed(window: MainWindow, start: QWidget, end: QWidget) -> list[QWidget | None]:
    """What the Tab key goes through from one part to another."""
    start.setFocus()
    passed: list[QWidget | None] = [window.focusWidget()]
    while passed[-1] is not end and len(passed) < 40:
        QTest.keyClick(passed[-1], Qt.Key.Key_Tab)
        passed.append(window.focusWidget())
    return passed


def test_the_tab_key_goes_through_the_tabs_of_a_cell_and_then_into_its_page(window: MainWindow) -> None:
    cell = window.bottom.cells[2]
    cell.show_page(window.bottom.search)
    seen = [tab for tab in cell.tabs if tab.isVisible()]
    passed = tabbed(window, seen[0], window.bottom.search.kind)
    rest = [cell.strip.rest] if cell.strip.rest.isVisible() else []
    assert passed == [*seen, *rest, cell.more, window.bottom.search.kind]


def test_the_tab_key_comes_to_the_shape_and_the_rules_where_they_stand(window: MainWindow) -> None:
    window.session.plan.set_default(Precision.FP16)  # rows are made anew
    panel = window.model_panel
    passed = tabbed(window, panel.fields["x"], window.plan_panel.rows[0])
    assert passed[1] is panel.profiles and passed[2] is window.plan_panel.add
    assert set(window.plan_panel.paint.brushes.values()) <= set(passed)


def test_a_rule_that_is_deleted_by_key_leaves_the_keys_among_the_rules(window: MainWindow, qtbot: QtBot) -> None:
    panel, plan = window.plan_panel, window.session.plan
    for op in ("Conv", "Relu"):
        plan.add_rule(Rule(Precision.FP16, op=op))
    qtbot.waitUntil(panel.rows[2].isVisible, timeout=TIMEOUT_MS)
    panel.rows[2].setFocus()
    QTest.keyClick(panel.rows[2], Qt.Key.Key_Delete)
    assert len(plan.value.rules) == 1 and panel.rows[1].hasFocus()


def test_the_tab_key_goes_from_graph_to_graph(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    source, engine = window.panes.source.canvas, window.panes.engine.canvas
    qtbot.waitUntil(engine.isVisible, timeout=TIMEOUT_MS)
    source.setFocus()
    QTest.keyClick(source, Qt.Key.Key_Tab)
    assert engine.hasFocus()
    QTest.keyClick(engine, Qt.Key.Key_Backtab)
    assert source.hasFocus()
