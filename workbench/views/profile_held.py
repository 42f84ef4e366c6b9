"""Reshapes that hold the batch as a number: which they are, what that means, and a copy of the model without them."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.core.profile import HeldTarget
from workbench.session.session import Session
from workbench.views.layouts import emptied
from workbench.views.widgets import Head, Line, Words, button, connect_all, soft_label

SHOWN = 6


class HeldBatch(QWidget):
    """Hidden where nothing holds the batch. A click on a line selects its node in the graph."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[HeldTarget, ...] | None = None
        self.text = soft_label()
        self.lines: list[Line] = []
        self.free = button("Make the batch free")
        self.free.clicked.connect(lambda: session.batch_freeing.start())
        row = QHBoxLayout()
        row.addWidget(self.free)
        row.addStretch(1)
        self._nodes = QVBoxLayout()
        self._nodes.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(Head("Batch"))
        column.addWidget(self.text)
        column.addLayout(self._nodes)
        column.addLayout(row)
        connect_all((session.profiles.changed, session.batch_freeing.changed), self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        profiles, freeing = self._session.profiles, self._session.batch_freeing
        held = profiles.held
        self.setVisible(bool(held) or profiles.can_free_batch)
        self.free.setVisible(profiles.can_free_batch)
        self.free.setEnabled(not freeing.is_at_work)
        self.free.setText("Writing the copy…" if freeing.is_at_work else "Make the batch free")
        self.free.setToolTip(f"Writes {freeing.path.name}, compares it with the model on samples, and opens it")
        self.text.setText(_words(held, can_free=profiles.can_free_batch))
        if held != self._shown:
            self._shown = held
            self._show(held)

    def _show(self, held: tuple[HeldTarget, ...]) -> None:
        emptied(self._nodes)
        self.lines = [self._line(each) for each in held[:SHOWN]]
        if len(held) > SHOWN:
            self.lines.append(Line(Words(f"… and {len(held) - SHOWN} more", tone="faint"), px=12))
        for line in self.lines:
            self._nodes.addWidget(line)

    def _line(self, each: HeldTarget) -> Line:
        line = Line(Words(each.sentence, tone="soft", tip=each.sentence), clickable=True, px=12)
        line.clicked.connect(lambda: self._session.select_nodes([each.node]))
        return line


def _words(held: tuple[HeldTarget, ...], *, can_free: bool) -> str:
    if not held:
        return "The file declares its batch as a number. A copy can take any batch."
    many = "1 Reshape holds" if len(held) == 1 else f"{len(held)} Reshapes hold"
    text = f"{many} the batch as a number, so the model runs at no other."
    return f"{text} A copy of it can take any batch." if can_free else text
