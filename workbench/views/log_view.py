"""The log of the job on the stage: a filter by level, a search, and the lines as they come."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QGuiApplication, QResizeEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from workbench.core.events import LogLine
from workbench.core.words import plural
from workbench.session.session import Session
from workbench.views.fonts import mono_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Line, Words

MOST_BLOCKS = 5000
COUNT_LEAST = 250  # pixels of a log that tells how many lines there are; a narrower one has no room for it
SILENT = "This run has written no log: what it found is in the inspector."
EMPTY = "What the engine says while it builds, calibration, warnings."
LEVELS = {"all": 0, "no details": 1, "warnings": 2, "errors": 3}
_RANK = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class LogView(QWidget):
    """Lines are added in batches by the window's tick; only those of the level that have every word searched for."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[object, ...] = ()
        self._read = 0  # lines of the log that were looked at
        self.level = QComboBox()
        self.level.addItems(list(LEVELS))
        self.level.setFixedHeight(26)
        self.level.setAccessibleName("Least level of the log")
        self.level.setToolTip("Which lines are shown: all, more than details, warnings and errors, errors")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedHeight(26)
        self.search.setMinimumWidth(60)
        self.search.setToolTip("Only lines with all of these words")
        self.search.setAccessibleName("Filter of the log")
        self.count = Line(px=12)
        self.count.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MOST_BLOCKS)
        self.text.setFont(mono_font(11))
        self.text.setPlaceholderText(EMPTY)
        self.text.setAccessibleName("Log")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.level)
        head.addWidget(self.search, 1)
        head.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        self.level.currentTextChanged.connect(self.refresh)
        self.search.textChanged.connect(self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        """Adds what is new; begins anew where another job, level or word is asked for."""
        theatre = self._session.theatre
        lines = theatre.log()
        asked = (theatre.job, self.level.currentText(), self.search.text(), current().name)
        if asked != self._shown or len(lines) < self._read:  # fewer: the file has replaced what was told live
            self.text.clear()
            self._shown, self._read = asked, 0
        self._append([line for line in lines[self._read :] if self._is_wanted(line)])
        self._read = len(lines)
        self._tell(len(lines), theatre.job)

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.count.setVisible(self.width() >= COUNT_LEAST)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def _is_wanted(self, line: LogLine) -> bool:
        text = line.text.casefold()
        least = LEVELS[self.level.currentText()]
        return _RANK.get(line.level, 1) >= least and all(word in text for word in self.search.text().casefold().split())

    def _tell(self, lines: int, job: str) -> None:
        shown = 0 if self.text.document().isEmpty() else self.text.blockCount()
        words = f"{shown:,} of {plural(lines, 'line')}" if shown < lines else plural(lines, "line")
        self.count.set_words(Words(words if lines else "", tone="faint"))
        run = self._session.runs.get(job)
        is_silent = run is not None and run.status.is_final and not lines
        self.text.setPlaceholderText(SILENT if is_silent else "No line is like that." if lines else EMPTY)

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
    colors = {"error": theme.bad, "warning": theme.bad, "debug": theme.soft}
    made = QTextCharFormat()
    made.setForeground(QColor(colors.get(level, theme.text)))
    made.setFontWeight(QFont.Weight.DemiBold if level == "error" else QFont.Weight.Normal)
    return made
