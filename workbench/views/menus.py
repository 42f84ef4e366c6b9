"""QActions from the table of actions, and the menus they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from workbench.session.actions import ACTIONS, MENUS
from workbench.session.session import Session
from workbench.views.icons import icon
from workbench.views.widgets import tip

COPIES = ("copy_trtexec11", "copy_trtexec10", "copy_polygraphy", "copy_python")
RUNS_MENU = (
    *("race", "tune", "replan", "conditions"),
    *("choices", "take_plan", "baseline", "rename", "delete"),
    *("copy_runs", *COPIES, "report"),
)
BEGIN_IN_RUNS = ("choices", "copy_runs")


def make_actions(window: QWidget, session: Session) -> dict[str, QAction]:
    """One QAction an entry, bound to the entry's callback, a method of the window or of one of its parts."""
    made: dict[str, QAction] = {}
    for entry in ACTIONS:
        action = made[entry.id] = QAction(entry.title, window)
        action.setObjectName(entry.id)
        action.setShortcuts([QKeySequence(keys) for keys in entry.shortcut.split(";") if keys])
        keys = entry.shortcut.split(";")[0]
        action.setToolTip(tip(f"{entry.tooltip} ({keys})" if keys else entry.tooltip))
        action.triggered.connect(lambda _checked=False, find=attrgetter(entry.callback): find(window)())
        window.addAction(action)
    return made


def tint_actions(actions: dict[str, QAction]) -> None:
    """Icons in the colours of the theme in force."""
    for entry in ACTIONS:
        if entry.icon:
            actions[entry.id].setIcon(icon(entry.icon))


def update_actions(actions: dict[str, QAction], session: Session) -> None:
    """Enabled is what the session says."""
    for entry in ACTIONS:
        actions[entry.id].setEnabled(not entry.enabled or bool(attrgetter(entry.enabled)(session)))
    for key, text in (("undo", session.undo.undoText()), ("redo", session.undo.redoText())):
        actions[key].setText(f"{key.capitalize()} {text}".strip())


def fill_menu(menu: QMenu, actions: dict[str, QAction]) -> None:
    """The whole table, a sub-menu for each menu."""
    for title in MENUS:
        entries = [entry for entry in ACTIONS if entry.menu == title]
        begin = [entry.id for entry in entries if entry.begins]
        _fill(menu.addMenu(title), [entry.id for entry in entries], begin, actions)


def runs_menu(parent: QWidget, actions: dict[str, QAction]) -> QMenu:
    menu = QMenu(parent)
    _fill(menu, RUNS_MENU, BEGIN_IN_RUNS, actions)
    return menu


def panels_menu(menu: QMenu, cells: Sequence[Mapping[str, QAction]]) -> None:
    """The pages at the bottom, a line between two cells."""
    for cell in cells:
        menu.addSeparator()
        menu.addActions(list(cell.values()))


def _fill(menu: QMenu, keys: Sequence[str], begin: Sequence[str], actions: Mapping[str, QAction]) -> None:
    """Those that `begin` have a line above them; the copies for other programs wait in a menu of their own."""
    menu.setToolTipsVisible(True)
    copies: QMenu | None = None
    for key in keys:
        if key in begin:
            menu.addSeparator()
        if key in COPIES and copies is None:
            copies = menu.addMenu("Copy the build")
        (copies if copies is not None and key in COPIES else menu).addAction(actions[key])
