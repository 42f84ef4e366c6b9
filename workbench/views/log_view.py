"""Queue and log: what waits, what runs, and what it says."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from workbench.core.events import LogLine
from workbench.session.baseline import run_title
from workbench.session.session import Session
from workbench.session.words import PHASES
from workbench.views.fonts import mono_font
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, button

MOST_BLOCKS = 5000
SILENT = "This run has written no log: what it found is in the inspector."
EMPTY = "The log of the current run stands here: what the engine says while it builds, calibration, warnings."


class LogView(QWidget):
    """The queue above, the current run's log below. Lines are added in batches by the window's tick."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown_run = ""
        self._shown_lines = 0
        self._queue = QVBoxLayout()
        self._queue.setSpacing(0)
        self._rows: dict[str, QWidget] = {}
        self._lines: dict[str, Line] = {}
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MOST_BLOCKS)
        self.text.setFont(mono_font(11))
        self.text.setPlaceholderText(EMPTY)
        self.text.setAccessibleName("Log of the current run")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._queue)
        column.addWidget(self.text, 1)
        session.current_changed.connect(self.refresh)
        session.runs.busy_changed.connect(self.refresh)
        session.runs.finished.connect(self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        self._show_queue()
        self._show_log()

    def _show_queue(self) -> None:
        runs = self._session.runs
        for gone in [job for job in self._rows if job not in runs.jobs]:
            row = self._rows.pop(gone)
            self._lines.pop(gone)
            self._queue.removeWidget(row)
            row.hide()
            row.deleteLater()
        for job, kind in runs.jobs.items():
            if job not in self._rows:
                self._add_row(job)
            run = runs.get(job)
            title = run_title(run) if run is not None else "Race" if kind == "race" else job
            live = runs.live[job]
            phase = PHASES.get(live.progress.phase, live.progress.phase)
            soft = f"{phase.lower()}, {live.elapsed_s:.0f} s" if job == runs.running else "waiting"
            self._lines[job].set_words(Words(title, soft))

    def _add_row(self, job: str) -> None:
        row = QWidget()
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        line = self._lines[job] = Line()
        cancel = button("cancel", "link", "End this job at once")
        cancel.clicked.connect(lambda: self._session.runs.cancel(job))
        across.addWidget(line, 1)
        across.addWidget(cancel)
        self._rows[job] = row
        self._queue.addWidget(row)

    def _show_log(self) -> None:
        run = self._session.current
        run_id = run.id if run else ""
        if run_id != self._shown_run:
            self.text.clear()
            self._shown_run, self._shown_lines = run_id, 0
        self.text.setPlaceholderText(SILENT if run is not None and run.status.is_final else EMPTY)
        if not run_id:
            return
        lines = self._session.runs.log(run_id)
        if run is not None and run.error is not None and run.status.is_final:
            lines = [*lines, LogLine(run=run_id, text=f"{run.error.message} {run.error.hint}", level="error")]
            lines += [LogLine(run=run_id, text=text) for text in run.error.detail.splitlines()]
        if len(lines) < self._shown_lines:  # the file has replaced what was told live
            self.text.clear()
            self._shown_lines = 0
        self._append(lines[self._shown_lines :])
        self._shown_lines = len(lines)

    def _append(self, lines: list[LogLine]) -> None:
        if not lines:
            return
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for line in lines:
            if not self.text.document().isEmpty():
                cursor.insertBlock()
            cursor.insertText(line.text, _format(line.level))
        cursor.endEditBlock()
        if at_end:
            bar.setValue(bar.maximum())


def _format(level: str) -> QTextCharFormat:
    theme = current()
    colors = {"error": theme.bad, "warning": theme.bad, "debug": theme.faint}
    made = QTextCharFormat()
    made.setForeground(QColor(colors.get(level, theme.text)))
    made.setFontWeight(QFont.Weight.Normal)
    return made
