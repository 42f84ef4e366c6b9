"""The command palette: every action, node and layer by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import msgspec
import shiboken6
from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from workbench.session.search import GraphSearch
from workbench.session.selection import Side
from workbench.session.session import Session
from workbench.session.words import node_label
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, paint_words, words_width

WIDTH, HEIGHT = 560, 400
ROW_HEIGHT = 26
MOST = 60


Index = QModelIndex | QPersistentModelIndex


class Entry(msgspec.Struct, frozen=True):
    text: str
    detail: str
    run: Callable[[], object]


class EntryDelegate(QStyledItemDelegate):
    """The name at the left, what it is or its key at the right."""

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, entry = current(), index.data(Qt.ItemDataRole.UserRole)
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(option.rect, QColor(theme.accent_ground if is_current else theme.panel))
        room = option.rect.adjusted(10, 0, -10, 0)
        detail = Words(entry.detail, tone="soft")
        width = words_width(detail)
        paint_words(painter, room.adjusted(0, 0, -width - 12, 0), Words(entry.text))
        paint_words(painter, room, detail, right=True)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, ROW_HEIGHT)


class Palette(QFrame):
    """A list over the window, narrowed by typing; Enter runs, Escape closes."""

    def __init__(self, window: QWidget, session: Session, actions: dict[str, QAction], search: GraphSearch) -> None:
        super().__init__(window)
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.window_below = window
        self._session = session
        self._actions = actions
        self._search = search
        self._before: QWidget | None = None  # had the keys when the palette came up
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type an action, a node or a layer")
        self.field.setAccessibleName("Action, node or layer")
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("What is called so")
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.itemActivated.connect(lambda _item: self._run())
        self.list.itemClicked.connect(lambda _item: self._run())
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.hide()

    def popup(self) -> None:
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.setGeometry((self.window_below.width() - WIDTH) // 2, 60, WIDTH, HEIGHT)
        self.field.clear()
        self._filter("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def _entries(self, text: str) -> Iterator[Entry]:
        """Actions first, then what the search over the graphs finds, the best first."""
        words = text.casefold().split()
        for action in self._actions.values():
            entry = Entry(action.text(), action.shortcut().toString() or action.data() or "", action.trigger)
            is_meant = all(word in f"{entry.text} {entry.detail}".casefold() for word in words)
            if action.isEnabled() and action.objectName() != "palette" and is_meant:
                yield entry
        session = self._session
        for node in self._search.best(Side.SOURCE, text, MOST):
            yield Entry(f"{node.op}  {node_label(node)}", "node", partial(session.select_nodes, [node.id]))
        for layer in self._search.best(Side.ENGINE, text, MOST):
            yield Entry(f"{layer.heading}  {node_label(layer)}", "layer", partial(session.select_layers, [layer.id]))

    def _filter(self, text: str) -> None:
        self.list.clear()
        for entry in islice(self._entries(text), MOST):
            item = QListWidgetItem(f"{entry.text} {entry.detail}".rstrip())
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _leave(self) -> None:
        """The keys go back to where they came from."""
        self.hide()
        if self._before is not None and shiboken6.isValid(self._before):
            self._before.setFocus()

    def _run(self) -> None:
        item = self.list.currentItem()
        self._leave()
        if item is not None:
            item.data(Qt.ItemDataRole.UserRole).run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the field keeps the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.accept()  # no shortcut of the window while one types here
            return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self.list.setCurrentRow(min(max(self.list.currentRow() + step, 0), self.list.count() - 1))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._leave()
                return True
        if event.type() == QEvent.Type.FocusOut and not self.list.underMouse():
            self.hide()
        return super().eventFilter(watched, event)
