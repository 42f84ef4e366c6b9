"""Tabs over charts and tables where room is scarce."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.views.driving import CONTROL, TIMEOUT_MS, click
from workbench.views.tab_cell import TabCell

TITLES = ("Runs", "Fusion", "Differences", "Calibration", "Tuning", "Advice", "Log")


@pytest.fixture
def cell(qtbot: QtBot) -> TabCell:
    made = TabCell()
    qtbot.addWidget(made)
    for title in TITLES:
        made.add(title, QWidget())
    made.resize(320, 200)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=TIMEOUT_MS)
    return made


def fits(cell: TabCell) -> None:
    """What is shown is whole, in order, and inside the strip; the chosen one is shown."""
    shown = [tab for tab in cell.tabs if tab.isVisible()]
    assert cell.tabs[cell.pages.currentIndex()] in shown
    ends = [(tab.x(), tab.x() + tab.width()) for tab in shown]
    if cell.strip.rest.isVisible():
        ends.append((cell.strip.rest.x(), cell.strip.rest.x() + cell.strip.rest.width()))
    assert all(tab.width() >= tab.sizeHint().width() for tab in shown)
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))
    assert ends[-1][1] <= cell.strip.width() and cell.strip.geometry().right() <= cell.more.geometry().left()


@pytest.mark.parametrize("width", [200, 280, 320, 480, 900])
@pytest.mark.parametrize("subtitle", ["", "186 iterations · sum 2.06 ms, whole 0.17 ms"])
def test_the_chosen_tab_is_whole_and_nothing_overlaps(cell: TabCell, width: int, subtitle: str) -> None:
    cell.resize(width, 200)
    for index in range(len(TITLES)):
        page = cell.pages.widget(index)
        cell.set_subtitle(page, subtitle)
        cell.show_page(page)
        cell.layout().activate()
        fits(cell)
    assert cell.tabs[0].toolTip() == "<qt>Runs</qt>"


def test_tabs_without_room_wait_in_a_menu(cell: TabCell) -> None:
    hidden = [cell.tabs[index].text() for index in cell.strip.hidden()]
    assert hidden and cell.strip.rest.text() == f"+{len(hidden)}"
    assert cell.strip.rest.toolTip() == f"<qt>{', '.join(hidden)}</qt>"
    cell.strip.menu.popup(cell.mapToGlobal(cell.rect().center()))
    assert [entry.text() for entry in cell.strip.menu.actions()] == hidden
    cell.strip.menu.setActiveAction(cell.strip.menu.actions()[-1])
    QTest.keyClick(cell.strip.menu, Qt.Key.Key_Return)
    assert cell.pages.currentIndex() == TITLES.index("Log")
    assert cell.tabs[TITLES.index("Log")].isVisible()
    fits(cell)


def test_with_room_every_tab_is_there(cell: TabCell) -> None:
    cell.resize(1200, 200)
    cell.layout().activate()
    assert all(tab.isVisible() for tab in cell.tabs) and not cell.strip.rest.isVisible()
    click(cell.tabs[4])
    assert cell.pages.currentIndex() == 4


def test_keys_turn_the_pages(cell: TabCell) -> None:
    cell.tabs[0].setFocus()
    QTest.keyClick(cell.tabs[0], Qt.Key.Key_PageDown, CONTROL)
    assert cell.pages.currentIndex() == 1
    for _ in range(2):
        QTest.keyClick(cell, Qt.Key.Key_PageUp, CONTROL)
    assert cell.pages.currentIndex() == len(TITLES) - 1
