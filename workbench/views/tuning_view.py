"""The options that a search has tried for the current run, live while it is at work."""

from __future__ import annotations

from workbench.core.tuning import Trial
from workbench.session.session import Session
from workbench.session.tuning_table import tuning_table
from workbench.views.controls import Chip
from workbench.views.table_page import TablePage
from workbench.views.widgets import button, connect_all

EMPTY = (
    "Which options of the backend (threads, scheduling, graph) run this engine fastest here?\n"
    "They are tried against the default; the result is kept for every later build."
)


class TuningView(TablePage):
    """A switch at its head says whether the next build takes what was found."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Tuning", EMPTY)
        self._shown: tuple[tuple[Trial, ...], bool] | None = None
        self.tuned = Chip("build tuned", "The next builds take the options that were found, where there are some")
        self.tuned.clicked.connect(session.tunings.choose)
        self.again = button("Tune again")
        self.again.clicked.connect(session.tunings.start)
        self.go = button("Tune options", "primary", "Try the options on the current run's engine, interleaved")
        self.go.clicked.connect(session.tunings.start)
        self.offer(self.go)
        self.head.addWidget(self.again)
        self.head.addWidget(self.tuned)
        connect_all((session.tunings.changed, session.choices_changed, session.current_changed), self.refresh)

    def refresh(self, _news: object = None) -> None:
        tunings = self._session.tunings
        self.tuned.setChecked(self._session.choices.tuned)
        for part in (self.go, self.again):
            part.setEnabled(tunings.is_possible)
        if not self.isVisible():
            return
        trials, result = tunings.trials, None if tunings.is_at_work else tunings.result
        state = (trials, tunings.is_at_work)
        if state != self._shown:
            self._shown = state
            self.show_content(tuning_table(trials, result) if trials or tunings.is_at_work else None)
