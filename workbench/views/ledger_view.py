"""The fusion ledger: every layer of the current engine with what it was made of, or every pattern with its layers."""

from __future__ import annotations

from workbench.core.ledger import Ledger
from workbench.core.run import EngineGraph
from workbench.session.ledger_table import layer_table, pattern_table
from workbench.session.session import Session
from workbench.session.telling import ledger_of
from workbench.views.controls import Chip
from workbench.views.table_page import TablePage
from workbench.views.widgets import connect_all

EMPTY = "What was fused into what, what that saves and what stayed apart stands here once an engine is built."


class LedgerView(TablePage):
    """Made when it is first seen, and again only for another engine or other times."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Fusion", EMPTY)
        self._made_of: tuple[EngineGraph | None, float] | None = None
        self.ledger: Ledger | None = None
        self.by_pattern = Chip("by pattern", "One row for all layers that were fused from the same ops")
        self.by_pattern.clicked.connect(self._show)
        self.head.insertWidget(1, self.by_pattern)
        self.table.chosen.connect(session.select_layers)
        session.selection_changed.connect(self.follow)
        connect_all((session.engine_changed, session.runs.changed), self.refresh)

    def refresh(self, _news: object = None) -> None:
        session = self._session
        if not self.isVisible():
            return
        engine, run = session.engine, session.current
        key = engine, sum(session.runs.layer_ms(run.id).values()) if run else 0.0
        if self._made_of is None or self._made_of[0] is not key[0] or self._made_of[1] != key[1]:
            self._made_of = key
            self.ledger = ledger_of(session)
            self._show()

    def _show(self) -> None:
        if self.ledger is None:
            self.show_content(None)
            return
        make = pattern_table if self.by_pattern.isChecked() else layer_table
        self.show_content(make(self.ledger))
        self.follow()

    def follow(self, _news: object = None) -> None:
        if self.isVisible():
            self.table.show_selected(self._session.selection.layers)
