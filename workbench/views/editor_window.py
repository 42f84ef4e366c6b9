"""What windows that edit the open document share: a title with undo and redo, a column that scrolls, their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from workbench.session.actions import action
from workbench.session.session import Session
from workbench.views.widgets import Line, button

Window = TypeVar("Window", bound=QWidget)


class EditorWindow(QDialog):
    """Never modal, and nothing to confirm: every edit counts at once and can be undone."""

    def __init__(self, session: Session, title: str, parent: QWidget | None, spacing: int) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle(title)
        self.title = Line()
        self.undo, self.redo = button("Undo"), button("Redo")
        self.undo.clicked.connect(session.undo.undo)
        self.redo.clicked.connect(session.undo.redo)
        self._head = QHBoxLayout()
        self._head.setContentsMargins(0, 0, 12, 0)
        self._head.setSpacing(8)
        self._head.addWidget(self.title, 1)
        for each in (self.undo, self.redo):
            self._add_button(each)
        inner = QWidget()
        inner.setObjectName("panel")
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(0, 0, 12, 0)
        self._rows.setSpacing(spacing)
        area = QScrollArea()
        area.setObjectName("panel")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 4, 12)
        column.setSpacing(10)
        column.addLayout(self._head)
        column.addWidget(area, 1)
        take_keys(self, {"undo": session.undo.undo, "redo": session.undo.redo})

    def _add_button(self, made: QPushButton) -> None:
        self._head.addWidget(made)

    def _follow(self) -> None:
        """Undo and redo as the session has them; without a model there is nothing to edit."""
        self.undo.setEnabled(self._session.can_undo)
        self.redo.setEnabled(self._session.can_redo)
        if self._session.model is None:
            self.close()

    def _replace(self, old: Sequence[QWidget], new: Sequence[QWidget]) -> None:
        """Rows for others, behind the first widget of the column."""
        for row in old:
            row.hide()
            self._rows.removeWidget(row)
            row.deleteLater()
        for index, row in enumerate(new):
            self._rows.insertWidget(1 + index, row)


def take_keys(window: QWidget, bound: Mapping[str, Callable[[], object]]) -> None:
    """Keys of actions, by id, in a window that the main window's keys do not reach."""
    for name, run in bound.items():
        for keys in action(name).shortcut.split(";"):
            QShortcut(QKeySequence(keys), window).activated.connect(run)


class OneWindow(Generic[Window]):
    """`show` is an action's: one window, made when it is asked for first."""

    def __init__(self, make: Callable[[], Window]) -> None:
        self._make = make
        self.window: Window | None = None

    def show(self) -> None:
        if self.window is None:
            self.window = self._make()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
