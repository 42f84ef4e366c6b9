"""What the keys and the mouse do, made from the table of actions and the canvas's own keys."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from workbench.session.actions import ACTIONS
from workbench.views.canvas.keys import TABLE as KEYS_OF_CANVAS
from workbench.views.keyvalues import KeyValues
from workbench.views.widgets import Head, Words

Rows = tuple[tuple[str, str], ...]
KEY_WIDTH = 118
WIDTH, HEIGHT = 1060, 720
COLUMNS = (("File", "Edit", "Run"), ("Plan", "View", "Help"))
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
BELOW = (("Ctrl+PgDown, PgUp", "the next tab, the one before"),)
PLACES: list[tuple[str, Rows]] = [
    ("In a graph", CANVAS),
    ("In a search", SEARCH),
    ("In the runs table", TABLE),
    ("In charts and tables", BELOW),
]


class Shortcuts(QDialog):
    """A page of keys in three columns; it scrolls where the window is small."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self.rows: list[tuple[str, str]] = []
        page = QWidget()
        page.setObjectName("panel")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        across = QHBoxLayout(page)
        across.setContentsMargins(24, 20, 24, 20)
        across.setSpacing(24)
        menus = [[(title, _rows(title)) for title in column] for column in COLUMNS]
        for sections in (*menus, PLACES):
            column = QVBoxLayout()
            column.setSpacing(6)
            for title, rows in sections:
                self._add(column, title, rows)
            column.addStretch(1)
            across.addLayout(column, 5 if sections is menus[0] else 6)
        scroll = QScrollArea()
        scroll.setObjectName("panel")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        room = parent.window().size() if parent is not None else QSize(WIDTH, HEIGHT)
        self.resize(min(WIDTH, room.width() - 20), min(HEIGHT, page.sizeHint().height(), room.height() - 20))

    def _add(self, column: QVBoxLayout, title: str, rows: Rows) -> None:
        if not rows:
            return
        self.rows += rows
        column.addWidget(Head(title))
        table = KeyValues(KEY_WIDTH)
        column.addWidget(table)
        table.set_rows([(keys, Words(what)) for keys, what in rows])
        column.addSpacing(10)


def _rows(menu: str) -> Rows:
    return tuple((_keys(entry.shortcut), entry.title) for entry in ACTIONS if entry.menu == menu and entry.shortcut)


def _keys(shortcut: str) -> str:
    first = shortcut.split(";")[0]
    return QKeySequence(first).toString(QKeySequence.SequenceFormat.NativeText)
