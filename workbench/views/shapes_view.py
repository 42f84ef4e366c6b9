"""What batch, shapes and precision take of memory, run by run; and what a change of shape costs."""

from __future__ import annotations

from workbench.core.replanning import Replanned
from workbench.core.run import Run
from workbench.session.session import Session
from workbench.session.shape_tables import footprint_table, shape_change_table
from workbench.views.table_page import TablePage
from workbench.views.widgets import button, connect_all, tip

NO_RUNS = (
    "What do batch, shapes and precision do to memory?\n"
    "Each build of this model gives a row: weights, the plan of its activations, and what inference really took."
)
NO_CHANGES = (
    "What does it cost when the shape of the inputs changes?\n"
    "One engine with free shapes is given the shapes of the tab Sweep in turn; the first inference after each change "
    "is compared with those that follow, and with engines built for one shape."
)


class FootprintView(TablePage):
    """Runs of the open model, the newest first."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Footprint", NO_RUNS)
        self._shown: tuple[Run, ...] = ()
        connect_all((session.runs.changed, session.model_changed), self.refresh)

    def refresh(self, _news: object = None) -> None:
        runs = tuple(run for run in self._session.visible_runs() if run.build is not None)
        if self.isVisible() and runs != self._shown:
            self._shown = runs
            self.show_content(footprint_table(runs, self._session.runs.titles) if runs else None)


class ShapeChangesView(TablePage):
    """The button measures; where it cannot, its tooltip says why."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Shape changes", NO_CHANGES)
        self._shown: Replanned | None = None
        self.measure = button("Measure again")
        self.measure.clicked.connect(session.replannings.start)
        self.go = button("Measure changes of shape", "primary")
        self.go.clicked.connect(session.replannings.start)
        self.offer(self.go)
        self.head.addWidget(self.measure)
        connect_all((session.replannings.changed, session.sweeps.changed), self.refresh)

    def refresh(self, _news: object = None) -> None:
        replannings = self._session.replannings
        for part in (self.go, self.measure):
            part.setEnabled(replannings.is_possible)
            part.setToolTip(tip(replannings.reason))
        result = replannings.result if self.isVisible() else None
        if self.isVisible() and result != self._shown:
            self._shown = result
            self.show_content(shape_change_table(result) if result is not None else None)
