"""Calibration: what the doctor finds odd about the samples, and the ranges of every tensor by every method."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.core.calibration_report import CalibrationReport, Finding, Severity
from workbench.core.events import Progress
from workbench.core.precision import CalibrationMethod
from workbench.session.choices import method_words
from workbench.session.ranges_table import ranges_table
from workbench.session.session import Session
from workbench.session.words import PHASES
from workbench.views.controls import Bar, Chip
from workbench.views.table_page import TablePage
from workbench.views.widgets import Line, Words, button, connect_all

EMPTY = (
    "Before INT8 is built: what values each tensor takes on the calibration set, "
    "which range each method keeps of them, and whether the samples look right."
)
NO_SET = "Choose a calibration set first, in the toolbar or on the left."
MOST_FINDINGS = 4
"""Lines that stand above the table; the others are a click away."""


class CalibrationPanel(TablePage):
    """Made when it is seen. Rows and findings select nodes; a chip makes a method the plan's, without a new pass."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Ranges", EMPTY)
        self._shown: tuple[CalibrationReport | None, CalibrationMethod] | None = None
        self._is_open = False
        self.observe = button("Calibrate", "primary", "Look at the calibration set, without a build (Ctrl+K)")
        self.observe.clicked.connect(session.calibrations.observe)
        self.chips = {method: self._chip(method) for method in CalibrationMethod}
        self.again = button("Calibrate", "", "Look at the calibration set again (Ctrl+K)")
        self.again.setFixedHeight(26)
        self.again.clicked.connect(session.calibrations.observe)
        self.progress = _Progress(session)
        self.findings = QVBoxLayout()
        self.findings.setSpacing(1)
        self.lines: list[Line] = []
        self._lay_out()
        self.table.chosen.connect(session.select_nodes)
        session.selection_changed.connect(self.follow)
        news = (session.calibrations.changed, session.model_changed, session.choices_changed)
        connect_all(news, self.refresh)
        session.calibrations.told.connect(self.progress.tell)

    def _chip(self, method: CalibrationMethod) -> Chip:
        chip = Chip(method_words(method), f"Ranges by {method_words(method)}: the plan's method")
        chip.clicked.connect(partial(self._choose, method))
        return chip

    def _choose(self, method: CalibrationMethod) -> None:
        self._session.calibrations.choose(method)
        self._mark()

    def _lay_out(self) -> None:
        for place, part in enumerate((self.again, *self.chips.values())):
            self.head.insertWidget(place, part)
        self.column.insertLayout(1, self.findings)
        self._stack.removeWidget(self.empty)
        first = QWidget()
        column = QVBoxLayout(first)
        column.addStretch(1)
        column.addWidget(self.empty)
        self.empty.show()  # the stack had hidden it
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.observe)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        self._stack.insertWidget(0, first)
        self._stack.addWidget(self.progress)

    def refresh(self, _news: object = None) -> None:
        if not self.isVisible():
            return
        calibrations = self._session.calibrations
        report, method = calibrations.report, calibrations.method
        if (report, method) != self._shown:
            self._shown = (report, method)
            nodes = self._session.links.nodes
            self.show_content(None if report is None else ranges_table(report, nodes, method))
            self._show_findings(report)
            self.follow()
        has_set = bool(self._session.choices.calibration)
        self.empty.setText(EMPTY if has_set else f"{EMPTY}\n\n{NO_SET}")
        for part in (self.observe, self.again):
            part.setEnabled(calibrations.can_observe)
        self._stack.setCurrentIndex(2 if calibrations.is_observing else 0 if report is None else 1)
        self._mark()

    def _mark(self) -> None:
        for method, chip in self.chips.items():
            chip.setChecked(method is self._session.calibrations.method)

    def _show_findings(self, report: CalibrationReport | None) -> None:
        for line in self.lines:
            self.findings.removeWidget(line)
            line.hide()
            line.deleteLater()
        found = report.findings if report else ()
        shown = found if self._is_open else found[:MOST_FINDINGS]
        self.lines = [self._line(one) for one in shown]
        if report is not None and not found:
            self.lines.append(Line(Words("Nothing odd was found in the samples.", tone="good"), px=12))
        if len(found) > MOST_FINDINGS:
            self.lines.append(self._more(len(found) - MOST_FINDINGS))
        for line in self.lines:
            self.findings.addWidget(line)

    def _line(self, one: Finding) -> Line:
        is_warning = one.severity is Severity.WARNING
        words = Words(
            f"{'▲' if is_warning else '·'} {one.text}",
            one.hint,
            tone="bad" if is_warning else "soft",
            tip=f"{one.text}\n{one.hint}".strip(),
        )
        line = Line(words, clickable=bool(one.nodes), px=12)
        line.clicked.connect(partial(self._session.select_nodes, one.nodes))
        return line

    def _more(self, count: int) -> Line:
        text = "show fewer" if self._is_open else f"{count} more"
        line = Line(Words(text, tone="accent"), clickable=True, px=12)
        line.clicked.connect(self._toggle)
        return line

    def _toggle(self) -> None:
        self._is_open = not self._is_open
        self._show_findings(self._session.calibrations.report)

    def follow(self, _news: object = None) -> None:
        if self.isVisible():
            self.table.show_selected(self._session.selection.nodes)


class _Progress(QWidget):
    """How far the observation is, and a way to end it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.text = QLabel()
        self.bar = Bar()
        self.bar.setFixedWidth(320)
        self.cancel: QPushButton = button(
            "Cancel", "", "End it; what was seen is kept, and the next goes on from there"
        )
        self.cancel.clicked.connect(session.calibrations.cancel)
        column = QVBoxLayout(self)
        column.addStretch(1)
        for part in (self.text, self.bar, self.cancel):
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(part)
            row.addStretch(1)
            column.addLayout(row)
        column.addStretch(1)
        self.tell(Progress(run="", phase="calibrate", text="waiting in the queue"))

    def tell(self, progress: Progress) -> None:
        self.text.setText(f"{PHASES.get(progress.phase, progress.phase)} · {progress.text}".rstrip(" ·"))
        self.bar.set_share(progress.done / progress.total if progress.total else None)
