"""Advice: what backends say of the model before a build, and what the engine does that costs time, each with a fix."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from workbench.core.words import plural
from workbench.session.advice_table import advice_table
from workbench.session.advising import Point
from workbench.session.session import Session
from workbench.views.controls import Chip
from workbench.views.table_page import TablePage
from workbench.views.widgets import button, connect_all, menu_item, soft_label

EMPTY = (
    "Which nodes a backend takes, before anything is built; and once an engine is there, "
    "what it does that costs time: on what evidence, what it may gain, and what can be done."
)
ASK = "Which nodes does each backend take, which not and why? Ask them; nothing is built."
BUILD = "What an engine does that costs time stands here once one is built."


class AdviceView(TablePage):
    """Two lists behind one switch. A row selects its layers and nodes; its fix is one button away, and undoable."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Advice", EMPTY)
        self._advising, self._verdicts = session.advising, session.verdicts
        self.table.spare = ("where", "action")  # its details and its button say it too
        self._points: dict[str, Point] = {}
        self._shown: object = None
        self.before = Chip("before the build", "Which nodes each backend takes, and what would help")
        self.engine = Chip("engine", "What the engine does that costs time")
        self.ask = button(
            "Ask backends", "", "Every backend reads the model, in a process of its own; nothing is built"
        )
        self.ask.setFixedHeight(26)
        self.details = _Details(self._take, self._dismiss)
        self._lay_out()
        self.before.clicked.connect(partial(self._choose, False))
        self.engine.clicked.connect(partial(self._choose, True))
        self.ask.clicked.connect(self._ask_or_cancel)
        self.table.chosen.connect(self._select)
        self.table.clicked.connect(self._clicked)
        self._restore = menu_item(self.menu, "Show dismissed again", session.advising.restore)
        self._is_of_engine = session.engine is not None
        self._was_chosen = False
        connect_all((session.model_changed, session.advising.changed, session.engine_changed), self.refresh)

    def _lay_out(self) -> None:
        for place, part in enumerate((self.before, self.engine, self.ask)):
            self.head.insertWidget(place, part)
        self.column.removeWidget(self.table)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.table, 5)
        row.addWidget(self.details, 3)
        self.column.addLayout(row, 1)

    def refresh(self, _news: object = None) -> None:
        session = self._session
        if not self.isVisible():
            return
        if session.model is None:
            self._shown = None
            self.show_content(None)
            return
        if not self._was_chosen:
            self._is_of_engine = session.engine is not None
        points = self._advising.engine_points() if self._is_of_engine else self._advising.verdict_points()
        state = (self._is_of_engine, points, self._sentence(), self._verdicts.asking)
        if state != self._shown:
            self._shown = state
            self._show(points)

    def _show(self, points: list[Point]) -> None:
        kept = self._current()
        self._points = {point.key: point for point in points}
        self.before.setChecked(not self._is_of_engine)
        self.engine.setChecked(self._is_of_engine)
        self.ask.setVisible(not self._is_of_engine and (self._verdicts.is_busy or not self._verdicts.is_complete))
        self.ask.setText("Cancel" if self._verdicts.is_busy else "Ask backends")
        self._restore.setEnabled(self._advising.dismissed > 0)
        self.show_content(advice_table(points, self._sentence(), has_gain=self._is_of_engine))
        self.table.setVisible(bool(points))
        self.filter.setVisible(bool(points))
        wanted = kept if kept in self._points else next(iter(self._points), "")
        self.table.show_selected(frozenset([wanted] if wanted else []))
        self._tell(wanted)

    def _sentence(self) -> str:
        if not self._is_of_engine:
            asking = self._verdicts.asking
            return f"{asking} is asked …" if asking else ""
        advised, hidden = self._advising.advised, self._advising.dismissed
        said = [f"{plural(hidden, 'point')} dismissed"] if hidden else []
        said += [f"{advised.small} more under 1 %"] if advised is not None and advised.small else []
        return "; ".join(said)

    def _tell(self, key: str) -> None:
        """The details of a point; without any, why there is none."""
        point = self._points.get(key)
        if point is not None:
            self.details.show_point(point, can_dismiss=self._is_of_engine)
        else:
            self.details.show_text(self._nothing())

    def _nothing(self) -> str:
        if not self._is_of_engine:
            return "" if self._verdicts.is_busy else ASK
        advised = self._advising.advised
        if advised is None:
            return BUILD
        looks = "\n".join(f"•  {text}" for text in advised.looked_at)
        return f"Nothing to advise on this engine. Looked for:\n{looks}"

    def _current(self) -> str:
        rows = self.table.selectionModel().selectedRows()
        return next(iter(self.table.rows.links([rows[0].row()])), "") if rows else ""

    def _choose(self, of_engine: bool) -> None:
        self._is_of_engine, self._was_chosen = of_engine, True
        self._shown = None
        if not of_engine:
            self._verdicts.look()
        self.refresh()

    def _ask_or_cancel(self) -> None:
        if self._verdicts.is_busy:
            self._verdicts.cancel()
        else:
            self._verdicts.look()

    def _clicked(self, _index: object) -> None:
        """The first row is marked from the start: a click on it is a choice too."""
        self._select(frozenset([self._current()]))

    def _select(self, keys: frozenset[str]) -> None:
        """Layers of the engine where a point has some, and the nodes they came from; else nodes."""
        points = [self._points[key] for key in keys if key in self._points]
        self._tell(points[0].key if points else "")
        layers = {layer for point in points for layer in point.layers}
        nodes = {node for point in points for node in point.nodes}
        if layers:
            self._session.select_layers(layers)
        elif nodes:
            self._session.select_nodes(nodes)

    def _take(self) -> None:
        point = self._points.get(self._current())
        if point is not None:
            self._advising.apply(point)

    def _dismiss(self) -> None:
        point = self._points.get(self._current())
        if point is not None:
            self._advising.dismiss(point)


class _Details(QWidget):
    """What is known of one point, with its buttons; or a text where there is none."""

    def __init__(self, take: object, dismiss: object) -> None:
        super().__init__()
        self.take = button("", "primary")
        self.take.clicked.connect(take)
        self.dismiss = button("Dismiss", "ghost", "Not shown again for this model")
        self.dismiss.clicked.connect(dismiss)
        self.text = soft_label()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(self.text)
        buttons = QHBoxLayout()
        buttons.addWidget(self.take)
        buttons.addWidget(self.dismiss)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(area, 1)
        column.addLayout(buttons)

    def show_point(self, point: Point, *, can_dismiss: bool) -> None:
        self.text.setText("\n\n".join((*point.details, *([point.why_not] if not point.edit and can_dismiss else []))))
        self.take.setVisible(point.edit is not None)
        self.take.setText(point.edit.title if point.edit is not None else "")
        self.take.setEnabled(not point.applied)
        self.take.setToolTip("The choices are so already" if point.applied else "One step; Ctrl+Z takes it back")
        self.dismiss.setVisible(can_dismiss)

    def show_text(self, text: str) -> None:
        self.text.setText(text)
        self.take.hide()
        self.dismiss.hide()
