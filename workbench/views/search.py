"""Searching the graphs: the field in the bar, and below it a card with the count, the next and the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from workbench.core.words import plural
from workbench.session.search import GraphSearch
from workbench.session.search_index import HELP
from workbench.session.selection import Side
from workbench.views.canvas.folding import View
from workbench.views.guard import guarded
from workbench.views.widgets import Line, Words, button, soft_label, tip

if TYPE_CHECKING:
    from workbench.views.panes import Panes

CARD_WIDTH = 300
SHORT = "Search layers, ops, tensors     Ctrl F"


class SearchField(QLineEdit):
    """Tells of Enter (1), Shift+Enter (-1) and Escape; every key goes to the field before any shortcut."""

    stepped = Signal(int)
    left = Signal()
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(SHORT)
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(110)
        self.setMaximumWidth(270)
        self.setFixedHeight(30)
        self.setAccessibleName("Search")
        self.setToolTip(tip(f"{HELP} Enter: next, Shift+Enter: back, Escape: end the search."))

    @guarded
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Escape is the field's own, not the window's."""
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return bool(super().event(event))


class SearchCard(QFrame):
    """What was found; nothing found says what is looked through."""

    def __init__(self, window: QWidget, step: Callable[[int], None]) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = Line()
        self.back = self._button("‹", "The one before (Shift+Enter, Shift+F3)", lambda: step(-1))
        self.next = self._button("›", "The next (Enter, F3)", lambda: step(1))
        self.help = soft_label(HELP)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.words, 1)
        line.addWidget(self.back)
        line.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 6)
        column.addLayout(line)
        column.addWidget(self.help)
        self.hide()

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        made = button(text, "ghost", name)
        made.setFixedSize(26, 24)
        made.setAccessibleName(name.partition(" (")[0])
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(act)
        return made

    def show_search(self, search: GraphSearch, below: QWidget) -> None:
        has_hits = search.count > 0
        nodes = len(search.found(Side.SOURCE))
        parts = [plural(nodes, "node")] if nodes else []
        parts += [plural(search.count - nodes, "layer")] if search.count > nodes else []
        self.words.set_words(Words(search.words(), "in " + ", ".join(parts) if parts else "", bold=has_hits))
        self.help.setVisible(not has_hits)
        for part in (self.back, self.next):
            part.setEnabled(has_hits)
        corner = below.mapTo(self._window, QPoint(below.width(), below.height() + 4))
        self.setFixedWidth(CARD_WIDTH)
        self.adjustSize()
        self.move(corner.x() - CARD_WIDTH, corner.y())
        self.show()
        self.raise_()


class Searching:
    """Joins the field, the card, the search of the session and the panes. Escape gives back what was seen before."""

    def __init__(self, search: GraphSearch, panes: Panes, field: SearchField, window: QWidget) -> None:
        self.search, self._panes, self.field = search, panes, field
        self.card = SearchCard(window, self._step)
        self._views: dict[Side, View] = {}
        field.textChanged.connect(self._look)
        field.stepped.connect(self._step)
        field.left.connect(self.leave)
        search.changed.connect(self._show)

    def focus(self) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def next(self) -> None:
        self._step(1)

    def back(self) -> None:
        self._step(-1)

    def leave(self) -> None:
        """Selection, open groups and cameras are again what they were, and the keys go to the graph."""
        self.search.end(restore=True)
        for side, view in self._views.items():
            self._panes.by_side[side].canvas.show_view(view)
        self._views = {}
        self.field.clear()
        self._panes.shown()[0].canvas.setFocus()

    def _look(self, text: str) -> None:
        if text.strip() and not self._views:
            self._views = {side: pane.canvas.view() for side, pane in self._panes.by_side.items()}
        if not text.strip():
            self._views = {}
            self.search.end(restore=False)
        else:
            self.search.look_for(text)

    def _step(self, step: int) -> None:
        self.search.step(step)
        if hit := self.search.current:
            self._panes.by_side[hit.side].canvas.fly_to(hit.id)

    def _show(self) -> None:
        search = self.search
        self._panes.show_found({side: search.found(side) for side in Side}, search.current)
        if search.is_on:
            self.card.show_search(search, self.field)
        else:
            self.card.hide()
