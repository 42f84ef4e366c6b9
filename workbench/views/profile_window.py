"""The editor of optimization profiles: ranges of free dimensions, what is wrong with them, what memory they need."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from workbench.session.actions import action
from workbench.session.session import Session
from workbench.views.guard import guarded
from workbench.views.profile_card import ProfileCard
from workbench.views.profile_held import HeldBatch
from workbench.views.profile_memory import MemoryOfShapes
from workbench.views.widgets import Line, Words, button, connect_all, empty_label, soft_label

SIZE = (760, 640)
FIXED = "All inputs of this model have fixed shapes: an engine is built for them, and there is nothing to give a range."
NONE = (
    "An engine is built for one shape of each input, as the Model panel has them.\n"
    "With a profile it takes every shape of a range: min to max, tuned for opt."
)
HINT = "Dimensions of one name are one, wherever they stand. The engine is tuned for opt; timing runs opt of profile 1."


class ProfileWindow(QDialog):
    """Never modal, and nothing to confirm: every edit counts at once and can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Shapes and profiles")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(*SIZE)
        self.setMinimumSize(560, 360)
        self.cards: list[ProfileCard] = []
        self.title = Line()
        self.undo, self.redo, self.add = button("Undo"), button("Redo"), button("Add profile", "primary")
        self.undo.clicked.connect(session.undo.undo)
        self.redo.clicked.connect(session.undo.redo)
        self.add.clicked.connect(session.profiles.add)
        self.empty = empty_label(NONE)
        self.problem = soft_label()
        self.problem.setProperty("tone", "bad")
        self.hint = soft_label(HINT)
        self.held = HeldBatch(session)
        self.memory = MemoryOfShapes(session)
        self._lay_out()
        news = (session.profiles.changed, session.undo.indexChanged, session.model_changed)
        connect_all(news, self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        for each in (self.undo, self.redo, self.add):
            each.setAutoDefault(False)  # Enter belongs to the fields
            head.addWidget(each)
        inner = QWidget()
        inner.setObjectName("panel")
        self._cards = QVBoxLayout(inner)
        self._cards.setContentsMargins(0, 0, 12, 0)
        self._cards.setSpacing(16)
        for part in (self.empty, self.problem, self.hint, self.held, self.memory):
            self._cards.addWidget(part, 1 if part is self.empty else 0)
        self._cards.addStretch(1)
        area = QScrollArea()
        area.setObjectName("panel")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 4, 12)
        column.setSpacing(10)
        head.setContentsMargins(0, 0, 12, 0)
        column.addLayout(head)
        column.addWidget(area, 1)
        for name, run in (("undo", self._session.undo.undo), ("redo", self._session.undo.redo)):
            for keys in action(name).shortcut.split(";"):
                QShortcut(QKeySequence(keys), self).activated.connect(run)

    def refresh(self, _news: object = None) -> None:
        session, profiles = self._session, self._session.profiles
        ranges, dims = profiles.ranges, profiles.dims
        if len(ranges) != len(self.cards) or any(card.dims != dims for card in self.cards):
            self._make_cards(len(ranges))
        for card, each in zip(self.cards, ranges, strict=True):
            card.show_ranges(each)
        name = session.model.path.rpartition("/")[2] if session.model is not None else ""
        self.title.set_words(Words(name, f"· {profiles.words}", bold=True))
        self.add.setEnabled(bool(dims))
        self.undo.setEnabled(session.can_undo)
        self.redo.setEnabled(session.can_redo)
        self.empty.setText(NONE if dims else FIXED)
        self.empty.setVisible(not ranges)
        self.hint.setVisible(bool(ranges))
        self.problem.setText(profiles.problem)
        self.problem.setVisible(bool(profiles.problem))
        if self.isVisible():
            profiles.look()
        if session.model is None:
            self.close()

    def _make_cards(self, count: int) -> None:
        for card in self.cards:
            card.hide()
            self._cards.removeWidget(card)
            card.deleteLater()
        self.cards = [ProfileCard(self._session, index, self._session.profiles.dims) for index in range(count)]
        for index, card in enumerate(self.cards):
            self._cards.insertWidget(1 + index, card)

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._session.profiles.look()


class ProfileEditor:
    """`show` is the action's: one window, made when it is asked for first."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session, self._window = session, window
        self.window: ProfileWindow | None = None

    def show(self) -> None:
        if self.window is None:
            self.window = ProfileWindow(self._session, self._window)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
