"""Search in the window, by keys: count, next and back, what is marked, and how it ends."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.views.canvas.graphs import blocks
from tests.views.driving import CONTROL, build, click
from workbench.views.main_window import MainWindow

SHIFT = Qt.KeyboardModifier.ShiftModifier


def look_for(window: MainWindow, text: str) -> None:
    QTest.keyClick(window, Qt.Key.Key_F, CONTROL)
    QTest.keyClicks(window.top.search, text)


def said(window: MainWindow) -> str:
    words = window.searching.card.words.words
    return f"{words.main} {words.soft}".strip()


def test_enter_goes_through_both_graphs_and_counts(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    look_for(window, "relu")
    search = window.searching.search
    nodes, total = len([hit for hit in search.hits if hit.side.value == "source"]), search.count
    assert nodes == 2 and total > 2 and said(window) == f"{total} found in 2 nodes, {total - 2} layers"
    field = window.top.search
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.session.selection.nodes == {"n1"} and said(window).startswith(f"1 of {total}")
    QTest.keyClick(window, Qt.Key.Key_F3)
    assert window.session.selection.nodes == {"n3"} and said(window).startswith(f"2 of {total}")
    QTest.keyClick(field, Qt.Key.Key_Return, SHIFT)
    QTest.keyClick(window, Qt.Key.Key_F3, SHIFT)
    assert said(window).startswith(f"{total} of {total}") and window.session.selection.by_layer
    click(window.searching.card.next)
    assert said(window).startswith("1 of") and window.session.selection.nodes == {"n1"}


def test_matches_are_marked_and_all_others_step_back(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    look_for(window, "op:relu")
    QTest.keyClick(window.top.search, Qt.Key.Key_Return)
    relus = {canvas.scene.homes["n1"], canvas.scene.homes["n3"]}
    assert {box for box, is_found in enumerate(canvas.marks.found.tolist()) if is_found} == relus
    assert canvas.marks.saying.match == "n1"
    assert not any(canvas.marks.dim[box] for box in relus) and canvas.marks.dim.any()


def test_escape_gives_back_selection_and_view(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    window.session.select_nodes(["n4"])
    canvas.zoom_about(1.7, 30, 40)
    before = canvas.camera
    look_for(window, "conv")
    QTest.keyClick(window.top.search, Qt.Key.Key_Return)
    assert window.session.selection.nodes != {"n4"}
    QTest.keyClick(window.top.search, Qt.Key.Key_Escape)
    assert window.session.selection.nodes == {"n4"} and canvas.camera == before
    assert window.top.search.text() == "" and not window.searching.card.isVisible()
    assert canvas.hasFocus() and not canvas.marks.found.any() and not canvas.marks.dim.any()


def test_escape_closes_what_the_search_opened(window: MainWindow) -> None:
    canvas = window.panes.source.canvas
    canvas.set_graph(*blocks(3))
    canvas.collapse_all()
    before = canvas.view()
    look_for(window, "relu")
    canvas.fly_to("n2")  # inside two groups
    assert "n2" in canvas.scene.index
    QTest.keyClick(window.top.search, Qt.Key.Key_Escape)
    assert canvas.view() == before and "n2" not in canvas.scene.index


def test_nothing_found_says_what_is_looked_through(window: MainWindow) -> None:
    look_for(window, "zebra")
    card = window.searching.card
    assert said(window) == "Nothing found" and card.help.isVisible() and "op:" in card.help.text()
    assert not card.next.isEnabled()
    QTest.keyClick(window.top.search, Qt.Key.Key_Return)
    assert not window.session.selection


def test_a_text_that_is_cleared_ends_the_search_and_keeps_the_selection(window: MainWindow) -> None:
    look_for(window, "conv")
    QTest.keyClick(window.top.search, Qt.Key.Key_Return)
    found = window.session.selection
    window.top.search.clear()
    assert window.session.selection == found and not window.searching.card.isVisible()


def test_an_engine_that_comes_is_searched_too(window: MainWindow, qtbot: QtBot) -> None:
    look_for(window, "relu")
    before = window.searching.search.count
    build(window, qtbot)
    assert window.searching.search.count > before
