"""The editor of optimization profiles: ranges of free dimensions, what is wrong with them, what memory they need."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from workbench.session.session import Session
from workbench.views.editor_window import EditorWindow
from workbench.views.guard import guarded
from workbench.views.profile_card import ProfileCard
from workbench.views.profile_held import HeldBatch
from workbench.views.profile_memory import MemoryOfShapes
from workbench.views.widgets import Words, button, connect_all, empty_label, soft_label

SIZE = (760, 640)
FIXED = "All inputs of this model have fixed shapes: an engine is built for them, and there is nothing to give a range."
NONE = (
    "An engine is built for one shape of each input, as the Model panel has them.\n"
    "With a profile it takes every shape of a range: min to max, tuned for opt."
)
HINT = "Dimensions of one name are one, wherever they stand. The engine is tuned for opt; timing runs opt of profile 1."


class ProfileWindow(EditorWindow):
    """A card a profile; below them what holds the batch, and what the ranges need of memory."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, "Shapes and profiles", parent, spacing=16)
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.resize(*SIZE)
        self.setMinimumSize(560, 360)
        self.cards: list[ProfileCard] = []
        self.add = button("Add profile", "primary")
        self.add.clicked.connect(session.profiles.add)
        self._add_button(self.add)
        self.empty = empty_label(NONE)
        self.problem = soft_label()
        self.problem.setProperty("tone", "bad")
        self.hint = soft_label(HINT)
        self.held = HeldBatch(session)
        self.memory = MemoryOfShapes(session)
        for part in (self.empty, self.problem, self.hint, self.held, self.memory):
            self._rows.addWidget(part, 1 if part is self.empty else 0)
        self._rows.addStretch(1)
        news = (session.profiles.changed, session.undo.indexChanged, session.model_changed)
        connect_all(news, self.refresh)
        self.refresh()

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
        self.empty.setText(NONE if dims else FIXED)
        self.empty.setVisible(not ranges)
        self.hint.setVisible(bool(ranges))
        self.problem.setText(profiles.problem)
        self.problem.setVisible(bool(profiles.problem))
        if self.isVisible():
            profiles.look()
        self._follow()

    def _make_cards(self, count: int) -> None:
        before, dims = self.cards, self._session.profiles.dims
        self.cards = [ProfileCard(self._session, index, dims) for index in range(count)]
        self._replace(before, self.cards)

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._session.profiles.look()
