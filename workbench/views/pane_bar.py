"""The strip above both graphs: what stands side by side, what the selection became, dimming and following."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.session.session import Session
from workbench.views.controls import Chip
from workbench.views.segments import Segments
from workbench.views.widgets import Line, Words, tip

ONE, TWO = "source", "engines"
MODES = {ONE: "Source | Engine", TWO: "Engine A | Engine B"}
SECOND_ENGINE = "A second engine of this model is needed: build it with another precision, backend or target."


class PaneBar(QWidget):
    """Shows the state it is given; what is pressed is told by signals."""

    mode_chosen = Signal(str)
    dim_toggled = Signal()
    follow_toggled = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self.modes = Segments(MODES, "What stands side by side")
        self.answer = Line(px=12)
        self.dim = Chip("dim rest", "Everything that the selection is not linked to steps back (Ctrl+D)")
        self.follow = Chip("follow", "Panning or zooming one graph carries the other to what is linked (Ctrl+G)")
        self.modes.chosen.connect(self.mode_chosen)
        self.dim.clicked.connect(lambda: self.dim_toggled.emit())
        self.follow.clicked.connect(lambda: self.follow_toggled.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 12, 2)
        row.setSpacing(8)
        row.addWidget(self.modes)
        row.addSpacing(4)
        row.addWidget(self.answer, 1)
        row.addWidget(self.dim)
        row.addWidget(self.follow)

    def refresh(self, *, dims: bool, follows: bool) -> None:
        pair = self._session.pair
        self.modes.set_off(frozenset() if pair.is_possible else frozenset([TWO]))
        self.modes.set_current(TWO if pair.is_on else ONE)
        self.modes.setToolTip(tip("Ctrl+T" if pair.is_possible else SECOND_ENGINE))
        self.dim.setChecked(dims)
        self.follow.setChecked(follows)

    def say(self, what: str, became: str) -> None:
        """What is selected, and what became of it."""
        self.answer.set_words(Words(what, became))
