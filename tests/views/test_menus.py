"""Menus and the page of keys: groups with lines, copies in a menu of their own, everything on a small screen."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QScrollArea

from workbench.session.actions import ACTIONS
from workbench.views.main_window import MainWindow
from workbench.views.menus import COPIES
from workbench.views.shortcuts import Shortcuts


def menu_of(window: MainWindow, title: str) -> QMenu:
    return next(menu for menu in window._main_menu.findChildren(QMenu) if menu.title() == title)


def test_every_action_stands_once_in_its_menu_in_groups(window: MainWindow) -> None:
    run = menu_of(window, "Run")
    other = next(menu for action in run.actions() if isinstance(menu := action.menu(), QMenu))
    assert [action.objectName() for action in other.actions()] == list(COPIES)
    said = [action.objectName() for action in run.actions() if not action.isSeparator() and action.menu() is None]
    assert said + list(COPIES) == [entry.id for entry in ACTIONS if entry.menu == "Run"]
    begin = [entry.id for entry in ACTIONS if entry.menu == "Run" and entry.begins]
    after = [b.objectName() for a, b in zip(run.actions(), run.actions()[1:], strict=False) if a.isSeparator()]
    assert after == begin and len(begin) > 2
    assert run.sizeHint().height() < window.minimumHeight()


def test_panels_are_named_without_a_prefix_and_found_as_panels(window: MainWindow) -> None:
    shown = [action for action in menu_of(window, "Panels").actions() if not action.isSeparator()]
    assert len(shown) == sum(len(cell.tabs) for cell in window.bottom.cells)
    palette = window.palette_view
    palette.popup()
    palette.field.setText("sweep panel")
    assert palette.list.item(0).text() == "Sweep panel"


def test_the_page_of_keys_has_every_shortcut_and_scrolls_in_a_small_window(window: MainWindow) -> None:
    window.resize(window.minimumSize())
    page = Shortcuts(window)
    said = {what for _, what in page.rows}
    assert {entry.title for entry in ACTIONS if entry.shortcut} <= said
    page.show()
    assert page.width() <= window.width() and page.height() <= window.height()
    area = page.findChild(QScrollArea)
    assert area is not None and area.verticalScrollBar().maximum() > 0
    page.close()
