"""Jobs that wait and the one that runs: a row each, to look at, to move, to take out."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from workbench.session.session import Session
from workbench.session.words import PHASES
from workbench.views.widgets import Line, Words, button

MOST = 6
"""Rows; of the others the number is told."""


class QueueRows(QWidget):
    """Seen only where there is something to choose: with one job alone the head says all."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._rows: dict[str, QueueRow] = {}
        self._more = Line(px=12)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def refresh(self) -> None:
        runs = self._session.runs
        order = [job for job in (runs.running, *runs.waiting) if job in runs.jobs]
        jobs = order if len(order) > 1 else []
        for gone in [job for job in self._rows if job not in jobs[:MOST]]:
            row = self._rows.pop(gone)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, job in enumerate(jobs[:MOST]):
            row = self._rows.setdefault(job, QueueRow(self._session, job)) if job not in self._rows else self._rows[job]
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
            row.show_place(place - 1, len(jobs) - 1)
        self._more.set_words(Words(f"and {len(jobs) - MOST} more", tone="faint"))
        self._column.addWidget(self._more)
        self._more.setVisible(len(jobs) > MOST)
        self.setVisible(bool(jobs))


class QueueRow(QWidget):
    """One job. A click on its name puts it on the stage."""

    def __init__(self, session: Session, job: str) -> None:
        super().__init__()
        self._session, self._job, self._place = session, job, -1
        self.line = Line(clickable=True, px=12)
        self.line.clicked.connect(lambda: session.theatre.show(job))
        self.up = button("↑", "ghost", "Earlier in the queue")
        self.down = button("↓", "ghost", "Later in the queue")
        self.out = button("remove", "link")
        self.up.clicked.connect(lambda: session.runs.move(job, self._place - 1))
        self.down.clicked.connect(lambda: session.runs.move(job, self._place + 1))
        self.out.clicked.connect(partial(session.runs.cancel, job))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        for part in (self.up, self.down, self.out):
            _keep_place(part)
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_place(self, place: int, waiting: int) -> None:
        """`place` among those that wait; -1: it runs."""
        self._place = place
        runs, title = self._session.runs, self._session.theatre.title_of(self._job)
        live = runs.live[self._job]
        phase = PHASES.get(live.progress.phase, live.progress.phase).lower()
        is_running = place < 0
        soft = f"{phase}, {live.elapsed_s:.0f} s" if is_running else f"waiting, {place + 1} of {waiting}"
        on_stage = self._session.theatre.job == self._job
        self.line.set_words(Words(title, soft, tone="accent" if is_running else "", bold=on_stage))
        self.up.setVisible(not is_running)
        self.down.setVisible(not is_running)
        self.up.setEnabled(place > 0)
        self.down.setEnabled(place < waiting - 1)
        self.out.setText("cancel" if is_running else "remove")
        self.out.setAccessibleName(f"{self.out.text()} {title}")


def _keep_place(part: QPushButton) -> None:
    """Hidden, it still holds its room: rows stay in line."""
    policy = part.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    part.setSizePolicy(policy)
