"""The one place where messages stand: what went wrong, how to repair it, and questions that do not block."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from workbench.session.session import Message, Session
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import button


class Banner(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hint = QLabel()
        self.hint.setObjectName("soft")
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.hint.setWordWrap(True)
        self._buttons: list[QPushButton] = []
        self._dismiss = button("Dismiss", "link")
        self._dismiss.clicked.connect(session.dismiss_message)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(22, 8, 14, 8)
        self._row.setSpacing(12)
        self._row.addWidget(self.text, 3)
        self._row.addWidget(self.hint, 2)
        self._row.addWidget(self._dismiss)
        session.message_changed.connect(self.show_message)
        self.show_message(session.message)

    def show_message(self, message: Message | None) -> None:
        self.setVisible(message is not None)
        for old in self._buttons:
            self._row.removeWidget(old)
            old.deleteLater()
        self._buttons = []
        if message is None:
            return
        self.text.setText(message.text)
        self.hint.setText(message.hint)
        self.hint.setVisible(bool(message.hint))
        for title, run in message.actions:
            self._add(title, run)
        self.update()

    def _add(self, title: str, run: Callable[[], object]) -> None:
        made = button(title)
        made.clicked.connect(lambda: self._answer(run))
        self._row.insertWidget(self._row.count() - 1, made)
        self._buttons.append(made)

    def _answer(self, run: Callable[[], object]) -> None:
        self._session.dismiss_message()
        run()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        message, theme = self._session.message, current()
        with QPainter(self) as painter:
            painter.fillRect(self.rect().adjusted(0, self.height() - 1, 0, 0), QColor(theme.line))
            painter.fillRect(
                0, 0, 4, self.height(), QColor(theme.bad if message and message.is_error else theme.accent)
            )
