"""The line at the bottom: what runs, how far, since when, what came out, and on which machine."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.core.run import Run, Status
from workbench.session.baseline import stats_of, verdict
from workbench.session.session import Session
from workbench.session.words import PHASES, machine_words
from workbench.views.controls import Bar
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, button, connect_all

HEIGHT = 28


class StatusBar(QWidget):
    """Follows the session; refreshed by the window's own slow tick while something runs."""

    def __init__(self, session: Session, theme: QAction) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._session = session
        self.phase = Line(px=12)
        self.bar = Bar()
        self.bar.setFixedWidth(160)
        self.elapsed = Line(px=12)
        self.verdict = Line(px=12)
        self.machine = Line(px=12, right=True)
        self.theme = button("", "ghost", "Switch between light and dark (Ctrl+Shift+L)")
        self.theme.clicked.connect(theme.trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(18)
        for part in (self.phase, self.bar, self.elapsed):
            row.addWidget(part)
            part.setSizePolicy(part.sizePolicy().Policy.Maximum, part.sizePolicy().verticalPolicy())
        row.addWidget(self.verdict, 3)
        row.addWidget(self.machine, 2)
        row.addWidget(self.theme)
        news = (session.current_changed, session.raced, session.compared_changed, session.opening_changed)
        connect_all((*news, session.runs.busy_changed, session.runs.changed, session.model_changed), self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        session = self._session
        job = session.runs.running or next(iter(session.runs.jobs), "")
        live = session.runs.live.get(job) if job else None
        self.bar.setVisible(live is not None)
        self.elapsed.setVisible(live is not None)
        if session.is_opening:
            self.phase.set_words(Words("● Reading the model", tone="accent"))
        elif live is not None:
            progress = live.progress
            ahead = len(session.runs.jobs) - 1
            waiting = f"+ {ahead} in the queue" if ahead > 0 else ""
            self.phase.set_words(
                Words(f"● {PHASES.get(progress.phase, progress.phase.capitalize())}", waiting, tone="good")
            )
            self.bar.set_share(progress.done / progress.total if progress.total else None)
            self.elapsed.set_words(Words(f"{live.elapsed_s:.1f} s", progress.text, tone="soft"))
        else:
            self.phase.set_words(self._rest())
        self.verdict.set_words(Words(verdict(session.current, session.baseline, session.last_race), tone="soft"))
        stats = stats_of(session.current)
        machine = session.current.timing.machine if session.current and session.current.timing else {}
        text = machine_words(machine, stats.cov_percent if stats else None)
        noisy = stats is not None and stats.cov_percent > 2.5
        self.machine.set_words(Words(text, "noisy" if noisy else "", tone="soft"))
        self.theme.setText("Light" if current().name == "dark" else "Dark")

    def _rest(self) -> Words:
        """When nothing runs: how the current run ended."""
        session = self._session
        if session.model is None:
            return Words("Open a model to begin", tone="soft")
        run = session.current
        if run is None:
            return Words("Ready to build", tone="soft")
        return _ended(run)


def _ended(run: Run) -> Words:
    if run.status is Status.DONE:
        return Words(f"● Done in {run.seconds:.1f} s" if run.seconds else "● Done", tone="good")
    words = {Status.FAILED: "● Failed", Status.CANCELLED: "● Cancelled", Status.INTERRUPTED: "● Interrupted"}
    return Words(words.get(run.status, "● Waiting"), tone="bad" if run.status is Status.FAILED else "soft")
