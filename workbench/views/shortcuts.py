"""What the keys and the mouse do, made from the table of actions and the canvas's own keys."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from workbench.session.actions import ACTIONS, MENUS
from workbench.views.canvas.keys import TABLE as KEYS_OF_CANVAS
from workbench.views.keyvalues import KeyValues
from workbench.views.widgets import Head, Words

KEY_WIDTH = 130
CANVAS = (
    ("Wheel, drag", "zoom, move the graph"),
    ("Shift+drag", "select what lies in a box"),
    ("Double click", "open or close a group or body"),
    *((key.label, key.words) for key in KEYS_OF_CANVAS if key.label),
    ("Tab", "to the other graph"),
    ("1 … 9, 0", "paint a precision, erase paint"),
    ("B, R", "brush, rectangle; Esc: neither"),
)
SEARCH = (
    ("Enter, Shift+Enter", "the next, the one before"),
    ("Esc", "end, back to what was seen"),
    ("op:  name:  tensor:", "look only there"),
)
TABLE = (
    ("Click, Ctrl+click", "show a run, compare several"),
    ("Del, F2", "delete, rename"),
    ("Ctrl+C", "copy as text"),
)


class Shortcuts(QDialog):
    """A page of keys in three columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self.setMinimumWidth(1120)
        self.rows: list[tuple[str, str]] = []
        across = QHBoxLayout(self)
        across.setContentsMargins(24, 20, 24, 20)
        across.setSpacing(32)
        menus = [(title, _rows(title)) for title in MENUS]
        places = [("In a graph", CANVAS), ("In a search", SEARCH), ("In the runs table", TABLE)]
        for sections in (menus[:2], menus[2:], places):
            column = QVBoxLayout()
            column.setSpacing(6)
            for title, rows in sections:
                self._add(column, title, list(rows))
            column.addStretch(1)
            across.addLayout(column, 6 if sections is places else 5)

    def _add(self, column: QVBoxLayout, title: str, rows: list[tuple[str, str]]) -> None:
        if not rows:
            return
        self.rows += rows
        column.addWidget(Head(title))
        table = KeyValues(KEY_WIDTH)
        column.addWidget(table)
        table.set_rows([(keys, Words(what)) for keys, what in rows])
        column.addSpacing(10)


def _rows(menu: str) -> list[tuple[str, str]]:
    return [(_keys(entry.shortcut), entry.title) for entry in ACTIONS if entry.menu == menu and entry.shortcut]


def _keys(shortcut: str) -> str:
    first = shortcut.split(";")[0]
    return QKeySequence(first).toString(QKeySequence.SequenceFormat.NativeText)
