"""What the keys and the mouse do, made from the table of actions and the canvas's own keys."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from workbench.session.actions import ACTIONS, MENUS
from workbench.views.keyvalues import KeyValues
from workbench.views.widgets import Head, Words

KEY_WIDTH = 130
CANVAS = (
    ("Wheel", "zoom"),
    ("Drag", "move the graph"),
    ("Shift+drag", "select what lies in a box"),
    ("Double click", "open a body"),
    ("Esc", "clear, then leave the body"),
    ("Arrows", "walk along the edges"),
    ("+  −  F", "zoom, fit"),
)
TABLE = (
    ("Click, Ctrl+click", "show a run, compare several"),
    ("Del, F2", "delete, rename"),
    ("Ctrl+C", "copy as text"),
)


class Shortcuts(QDialog):
    """A page of keys in two columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self.setMinimumWidth(760)
        self.rows: list[tuple[str, str]] = []
        across = QHBoxLayout(self)
        across.setContentsMargins(24, 20, 24, 20)
        across.setSpacing(32)
        menus = [(title, _rows(title)) for title in MENUS]
        for sections in (menus[:3], [*menus[3:], ("In a graph", CANVAS), ("In the runs table", TABLE)]):
            column = QVBoxLayout()
            column.setSpacing(6)
            for title, rows in sections:
                self._add(column, title, list(rows))
            column.addStretch(1)
            across.addLayout(column, 1)

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
