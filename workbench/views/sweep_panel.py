"""Sweep: values of each axis and how long they take; the grid, throughput against latency, the limit, the cost."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workbench.charts.sweep_data import SweepData, rate_words, swept_words
from workbench.charts.sweep_front import SweepFront
from workbench.charts.sweep_grid import SweepGrid
from workbench.core.sweep import Point
from workbench.core.theme import Theme
from workbench.session.session import Session
from workbench.session.sweep_text import sweep_csv
from workbench.views.files import ask_where_to_save
from workbench.views.flow import Flow, labelled
from workbench.views.guard import guarded
from workbench.views.saving import saved
from workbench.views.widgets import Line, Words, button, connect_all, empty_label, inset, menu_item, tab_before, tip

EMPTY = "Open a model: how throughput and latency change with batch, threads and streams is measured here."
FILTERS = "CSV table (*.csv)"
TYPING_MS = 300
FIELD_PX, LABEL_MOST = 54, 76  # pixels
AXIS_TIPS = {
    "threads": "Threads of each stream, like 1, 2, 4. Empty: all physical cores",
    "streams": "Inferences at work at once, like 1, 2, 4. Empty: one",
}


class SweepPanel(QWidget):
    """Points that are known are shown at once; a start measures the others."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._chosen: Point | None = None
        self.fields: dict[str, QLineEdit] = {}
        self.sentence = Line(px=12)
        self.start = button("Start", "primary")
        self.start.clicked.connect(self._start_or_stop)
        self.limit = _figure(
            "Limit of latency",
            "ms",
            "Only points whose median latency is within this count as the best. 0: no limit",
            3,
        )
        self.price = _figure(
            "Price of an hour", "", "What an hour of this machine costs: gives the cost of a million samples", 4
        )
        self.verdict = Line(px=12)
        self.build = button("Build", "", "A run of its own at the chosen point: graph, layers, accuracy")
        self.grid, self.front = SweepGrid(), SweepFront()
        self.menu = QMenu(self)
        menu_item(self.menu, "Copy as CSV", lambda: QGuiApplication.clipboard().setText(sweep_csv(session.sweeps)))
        menu_item(self.menu, "Save as CSV…", self._ask_save)
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(TYPING_MS)
        self._typed.timeout.connect(self._take_fields)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        axes = QWidget()
        self._axes = Flow(axes)
        self._axes.addWidget(self.sentence)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(axes, 1)
        head.addWidget(self.start, 0, Qt.AlignmentFlag.AlignTop)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for name, field in (("limit", self.limit), ("price an hour", self.price)):
            foot.addWidget(_label(name))
            foot.addWidget(field)
        foot.addWidget(self.verdict, 1)
        foot.addWidget(self.build)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(1)
        both.addWidget(self.grid)
        both.addWidget(self.front)
        both.setSizes([430, 330])
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(both, 1)
        column.addLayout(foot)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty_label(EMPTY))
        self._stack.addWidget(whole)

    def _connect(self) -> None:
        sweeps = self._session.sweeps
        self.limit.valueChanged.connect(sweeps.set_limit_ms)
        self.price.valueChanged.connect(sweeps.set_price_per_hour)
        self.front.limit_moved.connect(sweeps.set_limit_ms)
        self.grid.point_clicked.connect(self._choose)
        self.front.point_clicked.connect(self._choose)
        self.grid.point_opened.connect(sweeps.build)
        self.build.clicked.connect(lambda: sweeps.build(self._chosen) if self._chosen is not None else None)
        connect_all((sweeps.changed, self._session.model_changed, self._session.runs.busy_changed), self.refresh)

    def set_theme(self, theme: Theme) -> None:
        self.grid.set_theme(theme)
        self.front.set_theme(theme)

    # what is asked

    def _start_or_stop(self) -> None:
        sweeps = self._session.sweeps
        self._take_fields()
        if sweeps.is_at_work:
            sweeps.stop()
        else:
            sweeps.start()

    def _take_fields(self) -> None:
        self._typed.stop()
        for name, field in self.fields.items():
            self._session.sweeps.set_axis(name, field.text().strip())

    def _choose(self, point: Point) -> None:
        self._chosen = None if point == self._chosen else point
        self.refresh()

    def _ask_save(self) -> None:
        ask_where_to_save(self, "Save sweep", "sweep.csv", FILTERS, self._save)

    def _save(self, path: str) -> None:
        from pathlib import Path

        text = sweep_csv(self._session.sweeps)
        saved(self._session, lambda: Path(path).write_text(text, "utf-8"), f"The table is written to {path}.")

    # what is shown

    def refresh(self, _news: object = None) -> None:
        if not self.isVisible():
            return
        sweeps = self._session.sweeps
        self._stack.setCurrentIndex(0 if self._session.model is None else 1)
        if self._session.model is None:
            return
        self._show_fields(sweeps.axes)
        data = self._data()
        if self._chosen not in data.points:
            self._chosen = None
        self.grid.set_data(data)
        self.front.set_data(data)
        self.sentence.set_words(Words(sweeps.sentence, tone="soft"))
        self.start.setText("Stop" if sweeps.is_at_work else "Go on" if data.found else "Start")
        is_whole = len(data.found) == len(data.points)
        self.start.setEnabled(sweeps.is_at_work or (sweeps.is_possible and bool(data.points) and not is_whole))
        self.build.setEnabled(self._chosen is not None)
        for field, value in ((self.limit, sweeps.limit_ms), (self.price, sweeps.price_per_hour)):
            if not field.hasFocus() or abs(field.value() - value) > 10 ** -field.decimals():
                field.blockSignals(True)
                field.setValue(value)
                field.blockSignals(False)
        self.verdict.set_words(self._verdict(data))

    def _data(self) -> SweepData:
        from workbench.core.errors import WorkbenchError

        sweeps = self._session.sweeps
        try:
            points = sweeps.points
        except WorkbenchError:
            return SweepData()
        return SweepData(points, sweeps.found, sweeps.best, sweeps.limit_ms, sweeps.price_per_hour, self._chosen)

    def _verdict(self, data: SweepData) -> Words:
        """`★ 1,240/s at 6.4 ms, 0.023 a million`: of the chosen point, else of the best."""
        one = data.best if self._chosen is None else data.of(self._chosen)
        if one is None or one.throughput is None:
            return Words("No point is within the limit." if data.found and self._chosen is None else "")
        cost = f", {one.cost_per_million(data.price):.3g} a million" if data.price else ""
        star = "★ " if one == data.best else ""
        noisy = ", noisy" * one.is_noisy
        words = f"{star}{rate_words(one.samples_per_second)}/s at {one.median_ms:.3g} ms{cost}{noisy}"
        return Words(words, tip=f"{swept_words(one, data.price)}\n{self._session.sweeps.conditions(one)}")

    def _show_fields(self, axes: dict[str, str]) -> None:
        if list(axes) != list(self.fields):
            self._make_fields(axes)
        for name, text in axes.items():
            if not self.fields[name].hasFocus() and self.fields[name].text() != text:
                self.fields[name].setText(text)

    def _make_fields(self, axes: dict[str, str]) -> None:
        while (item := self._axes.takeAt(0)) is not None:
            if (old := item.widget()) is not None and old is not self.sentence:
                old.deleteLater()
        self.fields = {}
        for name in axes:
            field = QLineEdit()
            field.setFixedSize(FIELD_PX if name in AXIS_TIPS else 2 * FIELD_PX - 20, 26)
            field.setPlaceholderText("usual")
            field.setAccessibleName(f"Values of {name}")
            field.setToolTip(tip(AXIS_TIPS.get(name, f"Sizes of {name}, like 1, 2, 4. Empty: the usual one")))
            field.textEdited.connect(lambda _text: self._typed.start())
            field.returnPressed.connect(self._take_fields)
            self.fields[name] = field
            self._axes.addWidget(labelled(name, field, LABEL_MOST, 12))
        self._axes.addWidget(self.sentence)
        tab_before(self.start, self.fields.values())

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


def _label(text: str) -> Line:
    made = Line(Words(text, tone="soft"), px=12)
    made.setFixedWidth(made.sizeHint().width() + 2)
    return made


def _figure(name: str, unit: str, tooltip: str, decimals: int) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setAccessibleName(name)
    field.setRange(0.0, 1e7)
    field.setDecimals(decimals)
    field.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    field.setSpecialValueText("none")
    field.setKeyboardTracking(False)
    inset(field)
    field.setSuffix(f" {unit}" if unit else "")
    field.setFixedWidth(96)
    field.setToolTip(tip(tooltip))
    return field
