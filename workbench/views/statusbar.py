"""The line at the bottom: what runs, how far, since when, what came out, and on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.core.run import Run, Status
from workbench.session.baseline import stats_of, verdict
from workbench.session.conditions import conditions_text
from workbench.session.live import LiveRun
from workbench.session.session import Session
from workbench.session.words import JOBS, PHASES, machine_words, verbal_status
from workbench.views.controls import Bar
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, button, connect_all

HEIGHT = 28
MORE = "A click shows all of it."


class StatusBar(QWidget):
    """Follows the session; refreshed by the window's own slow tick while something runs."""

    def __init__(self, session: Session, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._session = session
        self.phase = Line(px=12)
        self.bar = Bar()
        self.bar.setFixedWidth(160)
        self.elapsed = Line(px=12)
        self.verdict = Line(px=12, clickable=True)
        self.verdict.clicked.connect(actions["conditions"].trigger)
        self.machine = Line(px=12, right=True, clickable=True)
        self.machine.clicked.connect(actions["conditions"].trigger)
        self.theme = button("", "ghost", "Switch between light and dark (Ctrl+Shift+L)")
        self.theme.clicked.connect(actions["theme"].trigger)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(18)
        for part in (self.phase, self.bar, self.elapsed):
            row.addWidget(part)
            part.setSizePolicy(part.sizePolicy().Policy.Maximum, part.sizePolicy().verticalPolicy())
        row.addWidget(self.verdict, 3)
        row.addWidget(self.machine, 2)
        row.addWidget(self.theme)
        news = (session.current_changed, session.races.ended, session.compared_changed, session.opening_changed)
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
            self._show_job(live, session.runs.jobs.get(job, ""))
        else:
            self.phase.set_words(self._rest())
        self._show_result()
        self.theme.setText("Light" if current().name == "dark" else "Dark")
        self._row.activate()  # at once: no frame is painted with the old widths

    def _show_job(self, live: LiveRun, kind: str) -> None:
        progress = live.progress
        ahead = len(self._session.runs.jobs) - 1
        what = JOBS.get(kind) or PHASES.get(progress.phase, progress.phase.capitalize())
        self.phase.set_words(Words(f"● {what}", f"+ {ahead} in the queue" if ahead > 0 else "", tone="good"))
        self.bar.set_share(progress.done / progress.total if progress.total else None)
        self.elapsed.set_words(Words(f"{live.elapsed_s:.1f} s", progress.text, tone="soft"))

    def _show_result(self) -> None:
        run, session = self._session.current, self._session
        raced, titles = session.races.of(run), session.runs.titles
        said = verdict(run, session.baseline, raced.entry if raced is not None else None, titles)
        self.verdict.set_words(Words(said, tone="soft"))
        stats = stats_of(run)
        text = machine_words(run.timing.machine if run and run.timing else {}, stats.cov_percent if stats else None)
        noisy = stats is not None and stats.is_noisy
        tip = ""
        if run is not None and stats is not None:
            tip = f"{conditions_text(run, session.baseline, raced, titles)}\n{MORE}"
        self.machine.set_words(Words(text, "noisy" if noisy else "", tone="soft", tip=tip))

    def _rest(self) -> Words:
        """When nothing runs: how the current run ended."""
        session = self._session
        if session.model is None:
            return Words("Open a model to begin", tone="soft")
        run = session.current
        if run is None:
            return Words("Ready to build", tone="soft")
        return _ended(run)


def window_words(session: Session) -> list[str]:
    """For the window's title: the model, and what runs or how the current run ended."""
    if session.model is None:
        return []
    words = [Path(session.model.path).name]
    job = session.runs.running or next(iter(session.runs.jobs), "")
    run = session.runs.get(job) if job else session.current
    if job:
        phase = PHASES.get(session.runs.live[job].progress.phase, "Running").lower()
        other = JOBS.get(session.runs.jobs.get(job, ""), phase).lower()
        words.append(f"{phase} {session.runs.titles.of(run)}" if run is not None else other)
    elif run is not None:
        words.append(f"{session.runs.titles.of(run)} {verbal_status(run)}".strip())
    return words


def _ended(run: Run) -> Words:
    if run.status is Status.DONE:
        return Words(f"● Done in {run.seconds:.1f} s" if run.seconds else "● Done", tone="good")
    words = {Status.FAILED: "● Failed", Status.CANCELLED: "● Cancelled", Status.INTERRUPTED: "● Interrupted"}
    return Words(words.get(run.status, "● Waiting"), tone="bad" if run.status is Status.FAILED else "soft")
