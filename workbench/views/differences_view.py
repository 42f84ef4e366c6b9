"""What is different between two engines: groups of layers that do the same work, the largest time difference first."""

from __future__ import annotations

from workbench.core.alignment import Alignment
from workbench.session.differences_table import A, B, differences_table
from workbench.session.session import Session
from workbench.views.table_page import TablePage
from workbench.views.widgets import connect_all

EMPTY = (
    "Which layers split, merged, changed precision or kernel, and what that costs or gains: "
    "put two engines side by side (Engine A | Engine B above the graphs, Ctrl+T)."
)


class DifferencesView(TablePage):
    """Made when it is seen; rows select layers in both engines."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Differences", EMPTY)
        self._shown: Alignment | None = None
        self.table.chosen.connect(self._choose)
        session.selection_changed.connect(self.follow)
        connect_all((session.pair.changed, session.engine_changed, session.runs.changed), self.refresh)

    def refresh(self, _news: object = None) -> None:
        if not self.isVisible():
            return
        alignment = self._session.pair.alignment
        if alignment is None:
            self.show_content(None)
        elif alignment is not self._shown:
            self.show_content(differences_table(alignment))
            self.follow()
        self._shown = alignment

    def _choose(self, ids: frozenset[str]) -> None:
        first = frozenset(key.removeprefix(A) for key in ids if key.startswith(A))
        self._session.pair.select_both(first, frozenset(key.removeprefix(B) for key in ids if key.startswith(B)))

    def follow(self, _news: object = None) -> None:
        if self.isVisible():
            selection = self._session.selection
            self.table.show_selected(
                frozenset([*(A + key for key in selection.first), *(B + key for key in selection.layers)])
            )
