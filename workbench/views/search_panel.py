"""Search: the limit, the time, start and pause; every plan that was measured, and why the chosen one is as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from workbench.core.precision import Precision
from workbench.core.search import Limit, LimitKind, Search
from workbench.core.words import plural
from workbench.session.search_table import search_table
from workbench.session.session import Session
from workbench.views.controls import Bar, DropButton
from workbench.views.guard import guarded
from workbench.views.search_why import SearchWhy
from workbench.views.table_page import TablePage
from workbench.views.widgets import Words, button, connect_all, inset, menu_item, swatch_icon, tip

EMPTY = (
    "Which precision plan is the fastest within a limit of accuracy, or the most accurate within a limit of time? "
    "Candidates are built and measured here; what is on the front at the end was measured twice."
)
KINDS = {
    LimitKind.LOSS: ("lost ≤", " %", 0.5, 2, "The fastest plan that loses no more than this against FP32"),
    LimitKind.SQNR: ("SQNR ≥", " dB", 30.0, 1, "Without a metric: the fastest plan with so many decibels"),
    LimitKind.SPEEDUP: ("speed ≥", "×", 2.0, 2, "The most accurate plan that is so much faster than FP32"),
    LimitKind.TIME: ("time ≤", " ms", 4.0, 3, "The most accurate plan that takes no longer"),
}
SPARE = ("why", "size", "sqnr", "value", "speedup", "loss")  # a tooltip, the chart or a wider window tells them
OFFERED = (Precision.FP32, Precision.FP16, Precision.BF16, Precision.FP8, Precision.INT8, Precision.INT8_WEIGHTS)


class SearchTable(TablePage):
    """What was measured, and beside it why the chosen plan is as it is."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Search", EMPTY)
        self.table.spare = SPARE
        self.why = SearchWhy(session)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(1)
        self.column.removeWidget(self.table)
        both.addWidget(self.table)
        both.addWidget(self.why)
        both.setSizes([600, 300])
        self.column.addWidget(both, 1)
        self.table.chosen.connect(self._row_chosen)

    def _row_chosen(self, ids: frozenset[str]) -> None:
        self._session.searches.choose(int(next(iter(ids))) if len(ids) == 1 else None)

    def follow(self, _news: object = None) -> None:
        chosen = self._session.searches.chosen
        self.table.show_selected(frozenset([str(chosen.id)]) if chosen is not None else frozenset())
        self.why.refresh()


class SearchPanel(QWidget):
    """`begin` is the action's: it shows the page and starts."""

    def __init__(self, session: Session, show: Callable[[], None]) -> None:
        super().__init__()
        self._session, self._bring_up, self._shown = session, show, ""
        self._is_following = False
        self.kind = DropButton(self._fill_kinds, "Limit", "What the plan must keep", 150)
        self.kind.setMinimumWidth(86)
        self.value = _spin("Limit", 0.0, 1e6)
        self.value.valueChanged.connect(self._value_changed)
        self.seconds = _spin("Time of the search", 10.0, 86400.0)
        self.seconds.setDecimals(0)
        self.seconds.setSuffix(" s")
        self.seconds.setToolTip(tip("Time of the search in all"))
        self.seconds.valueChanged.connect(session.searches.set_seconds)
        self.precisions = DropButton(self._fill_precisions, "Precisions", "What plans may use", 190)
        self.go = button("Search", "primary", "Build and measure plans (Ctrl+Shift+B)")
        self.go.clicked.connect(self._go)
        self.finish = button("Finish", "", "Try nothing more: measure the front again, and that is the result")
        self.finish.clicked.connect(session.searches.finish)
        self.bar = Bar()
        self.page = SearchTable(session)
        self.menu: QMenu = self.page.menu
        self.menu.addSeparator()
        menu_item(self.menu, "Use the best plan", lambda: self._use("best"))
        menu_item(self.menu, "Use the plan at the knee", lambda: self._use("knee"))
        self._lay_out()
        connect_all((session.searches.changed, session.model_changed), self.refresh)
        session.searches.ticked.connect(self._show_time)
        session.searches.chosen_changed.connect(self.page.follow)
        self.refresh()

    def _lay_out(self) -> None:
        steering = QHBoxLayout()
        steering.setSpacing(8)
        for part in (self.kind, self.value, self.seconds, self.precisions, self.go, self.finish):
            steering.addWidget(part)
        steering.addWidget(self.bar, 1)
        steering.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(steering)
        column.addWidget(self.page, 1)

    # what the user does

    def begin(self) -> None:
        """Shows the page and its chart, and starts."""
        self._bring_up()
        self._session.searches.start()

    def _go(self) -> None:
        searches = self._session.searches
        if searches.is_at_work:
            searches.pause()
        else:
            self.begin()

    def _use(self, which: str) -> None:
        """The best plan, or that at the knee, becomes the document's; chosen too, so that its reasons are seen."""
        searches = self._session.searches
        point = getattr(searches.result, which) if searches.result is not None else None
        if point is not None:
            searches.choose(point.id)
            searches.take(point.id)

    def _value_changed(self, value: float) -> None:
        if not self._is_following:
            self._session.searches.set_limit(Limit(self._session.searches.wanted.limit.kind, round(value, 6)))

    def _fill_kinds(self, menu: QMenu) -> None:
        limit = self._session.searches.wanted.limit
        for kind, (words, unit, usual, _, text) in KINDS.items():
            value = limit.value if kind is limit.kind else usual
            choose = partial(self._session.searches.set_limit, Limit(kind, value))
            menu_item(menu, f"{words} {value:g}{unit}", choose, on=kind is limit.kind, remark=text)

    def _fill_precisions(self, menu: QMenu) -> None:
        searches = self._session.searches
        wanted = searches.wanted.precisions
        menu_item(menu, "What runs here", partial(searches.set_precisions, ()), on=not wanted)
        for precision in OFFERED:
            others = set(wanted) ^ {precision}
            choose = partial(searches.set_precisions, others)
            item = menu_item(menu, precision.label, choose, on=precision in wanted)
            item.setIcon(swatch_icon(precision))
        menu.addSeparator()
        self._fill_pins(menu)

    def _fill_pins(self, menu: QMenu) -> None:
        """Products selected in the graph, held in a precision."""
        searches, selected = self._session.searches, self._session.selection.nodes
        for precision in (Precision.FP32, Precision.BF16, Precision.FP16, Precision.INT8) if selected else ():
            menu_item(menu, f"Pin selected layers to {precision.label}", partial(searches.pin_selected, precision))
        if searches.pinned:
            free = partial(searches.pin, tuple(searches.pinned), None)
            menu_item(menu, f"Unpin {plural(len(searches.pinned), 'layer')}", free)

    # what is shown

    def refresh(self, _news: object = None) -> None:
        searches = self._session.searches
        self._show_wanted()
        self.go.setText("Pause" if searches.is_at_work else self._start_word())
        self.go.setEnabled(self._session.has_model)
        result = searches.result
        self.finish.setVisible(result is not None and not result.is_over)
        self.bar.setVisible(searches.is_at_work)
        if self.isVisible():
            self._show_table(result)
        self._show_time()

    def _show_time(self) -> None:
        """What goes on without anything new being known."""
        searches = self._session.searches
        spent, total = searches.seconds
        self.bar.set_share(spent / total if total else None)
        self.bar.setToolTip(tip(f"{spent:.0f} of {total:.0f} s · {searches.doing}"))
        if searches.is_at_work:
            said = self.page.table.rows.content.sentence
            left = f"{searches.doing} · {max(0.0, total - spent):.0f} s left"
            self.page.sentence.set_words(Words(left, said, "soft"))
        first = f"{searches.doing or 'It begins'} …\nThe first plan is FP32, against which all are counted."
        self.page.empty.setText(first if searches.is_at_work else EMPTY)

    def _show_table(self, result: Search | None) -> None:
        state = _state(result)
        if state != self._shown:
            self._shown = state
            self.page.show_content(search_table(result) if result is not None else None)
            self.page.follow()

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _start_word(self) -> str:
        found = self._session.searches.result
        return "Search" if found is None else "Search more" if found.is_over else "Go on"

    def _show_wanted(self) -> None:
        wanted = self._session.searches.wanted
        words, unit, _, digits, text = KINDS[wanted.limit.kind]
        self._is_following = True
        self.kind.set_words(Words(words))
        self.value.setDecimals(digits)
        self.value.setSuffix(unit)
        self.value.setToolTip(tip(text))
        self.value.setValue(wanted.limit.value)
        self.seconds.setValue(wanted.seconds)
        pins = len(self._session.searches.pinned)
        labels = ", ".join(precision.label for precision in wanted.precisions) or "what runs here"
        self.precisions.set_words(Words(labels, f"{pins} pinned" if pins else ""))
        self._is_following = False


def _state(result: Search | None) -> str:
    """Changes with what the table shows."""
    if result is None:
        return ""
    again = sum(point.again is not None for point in result.points)
    lost = sum(bool(point.reason) for point in result.points)
    steered = f"{result.limit.words} {sorted(result.pinned.items())} {result.precisions} {result.is_over}"
    return f"{result.key} {len(result.points)} {again} {lost} {steered}"


def _spin(name: str, low: float, high: float) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setFixedWidth(74)
    spin.setKeyboardTracking(False)
    inset(spin)
    spin.setAccessibleName(name)
    return spin
