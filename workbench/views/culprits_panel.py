"""Culprits: which layers cost the accuracy, live; a click exempts those whose exemption was measured to help."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from workbench.core.events import Progress
from workbench.core.sensitivity import Culprits, Granularity
from workbench.core.words import plural
from workbench.session.culprits_table import culprits_table, told_lines
from workbench.session.session import Session
from workbench.session.words import PHASES
from workbench.views.controls import Bar, Chip
from workbench.views.table_page import TablePage
from workbench.views.widgets import Line, Words, button, connect_all, tip

EMPTY = (
    "Which layers cost the accuracy of the plan? Sets of them are put in low precision and measured "
    "by the exact simulator, on samples of the evaluation set; nothing is built."
)
MOST_LINES = 3  # above the table
BUTTON = 30  # pixels; less cuts letters off
NO_MODEL = "Open a model first."
NOTHING_LOW = "The plan has no layer in a low precision: choose INT8, FP16 or another first."


class CulpritsPanel(TablePage):
    """`begin` is the action's: it shows the page and starts. Rows and the graphs' selection are one."""

    def __init__(self, session: Session, show: Callable[[], None]) -> None:
        super().__init__(session, "Culprits", EMPTY)
        self._bring_up = show
        self.table.spare = ("op",)
        self._shown: tuple[Culprits | None, bool] | None = None
        self.go = button("Find culprits", "primary", "Search the layers that cost the accuracy (Ctrl+Shift+F)")
        self.go.clicked.connect(session.culprits.start)
        self.plan_line = QLabel()
        self.plan_line.setWordWrap(True)
        self.plan_line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again = button("Find again", "", "Search once more, for the plan as it is now (Ctrl+Shift+F)")
        self.again.clicked.connect(session.culprits.start)
        self.stop = button("Cancel", "", "End it; what was found stays, and the next search goes on from there")
        self.stop.clicked.connect(session.culprits.cancel)
        self.exempt = button("Exempt", "primary")
        self.exempt.clicked.connect(self._exempt)
        self.by_group = Chip("by group", "Exempt whole groups of the model instead of single layers")
        self.by_group.clicked.connect(self._choose_granularity)
        self.progress = Line(px=12)
        self.bar = Bar()
        self.notes = QVBoxLayout()
        self.notes.setSpacing(1)
        self.lines: list[Line] = []
        self._lay_out()
        self.table.chosen.connect(self._row_chosen)
        session.selection_changed.connect(self.follow)
        session.culprits.told.connect(self._tell)
        connect_all((session.culprits.changed, session.model_changed, session.choices_changed), self.refresh)
        self.refresh()

    def begin(self) -> None:
        """Shows the page and starts."""
        self._bring_up()
        self._session.culprits.start()

    def _lay_out(self) -> None:
        for place, part in enumerate((self.again, self.stop, self.by_group)):
            self.head.insertWidget(place, part)
        for part in (self.again, self.stop, self.exempt):
            part.setFixedHeight(BUTTON)
        self.head.addWidget(self.exempt)
        row = QHBoxLayout()
        row.setSpacing(10)
        self.bar.setFixedWidth(160)
        row.addWidget(self.bar)
        row.addWidget(self.progress, 1)
        self.column.insertLayout(1, row)
        self.column.insertLayout(2, self.notes)
        self.offer(self.plan_line, self.go)

    def refresh(self, _news: object = None) -> None:
        if not self.isVisible():
            return
        culprits = self._session.culprits
        found, at_work = culprits.found, culprits.is_at_work
        self.by_group.setChecked(culprits.granularity is Granularity.GROUP)
        self.by_group.setEnabled(not at_work)
        for part in (self.go, self.again):
            part.setEnabled(culprits.is_possible)
        self.again.setVisible(not at_work)
        for live in (self.stop, self.bar, self.progress):
            live.setVisible(at_work)
        if (found, at_work) != self._shown:
            self._shown = (found, at_work)
            self.show_content(culprits_table(found) if found is not None else None)
            self._show_notes(found)
            self.follow()
        has_table = found is not None or at_work
        self._stack.setCurrentIndex(1 if has_table else 0)
        self.plan_line.setText(self._plan_words())
        self._name_exemption()

    def _plan_words(self) -> str:
        """What a search would do: the budget, before it is spent."""
        session, culprits = self._session, self._session.culprits
        if session.model is None:
            return NO_MODEL
        if not culprits.layers:
            return NOTHING_LOW
        what = "group" if culprits.granularity is Granularity.GROUP else "layer"
        samples = session.settings.get("culprit_samples")
        source = "samples of the evaluation set" if session.choices.evaluation else "random samples"
        return (
            f"{plural(culprits.layers, what)} in low precision: at most {plural(culprits.budget, 'plan')} to measure,"
            f" on up to {samples or 'all'} {source}."
        )

    def _tell(self, progress: Progress) -> None:
        self.bar.set_share(progress.done / progress.total if progress.total else None)
        words = f"{PHASES.get(progress.phase, progress.phase)} · {progress.text}".rstrip(" ·")
        self.progress.set_words(Words(words, tone="soft"))

    def _show_notes(self, found: Culprits | None) -> None:
        for line in self.lines:
            self.notes.removeWidget(line)
            line.hide()
            line.deleteLater()
        told = told_lines(found)[:MOST_LINES] if found is not None else []
        self.lines = [Line(Words(text, tone="soft" if i else "", tip=text), px=12) for i, text in enumerate(told)]
        for line in self.lines:
            self.notes.addWidget(line)

    # what is exempted

    @property
    def _chosen(self) -> tuple[str, ...]:
        """Nodes of the rows that are selected; without a selection those of the proposal."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        found = self._session.culprits.found
        if rows:
            return tuple(sorted(self.table.rows.links(rows)))
        return found.proposal.nodes if found is not None and found.proposal is not None else ()

    def _name_exemption(self) -> None:
        nodes, culprits = self._chosen, self._session.culprits
        asked = self._session.asked
        left = [node for node in nodes if asked.get(node) is not None and asked[node].value != "fp32"]
        self.exempt.setEnabled(bool(left))
        self.exempt.setText(f"Exempt {len(left)}" if left else "Exempt")
        effect = culprits.effect(nodes) or " (not measured together yet: find again afterwards)"
        self.exempt.setToolTip(tip(f"Put {plural(len(left), 'node')} in FP32{effect}" if left else "Nothing to exempt"))

    def _exempt(self) -> None:
        self._session.culprits.exempt(self._chosen)

    def _choose_granularity(self, by_group: bool) -> None:
        self._session.culprits.set_granularity(Granularity.GROUP if by_group else Granularity.LAYER)

    def _row_chosen(self, nodes: frozenset[str]) -> None:
        self._session.select_nodes(nodes)
        self._name_exemption()

    def follow(self, _news: object = None) -> None:
        if self.isVisible():
            self.table.show_selected(self._session.selection.nodes)
            self._name_exemption()
