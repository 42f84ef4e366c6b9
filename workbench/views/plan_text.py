"""The plan as text: checked while one types, with the line that is wrong, and applied by Ctrl+Enter."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QTextCursor, QTextFormat
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from workbench.core.errors import WorkbenchError
from workbench.session.plan import TextProblem
from workbench.session.session import Session
from workbench.views.fonts import mono_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import button, connect_all, soft_label

CHECK_MS = 150
SAYS = "This is the plan as its file holds it. Edit it, then Ctrl+Enter."


class PlanEditor(QPlainTextEdit):
    """Ctrl+Enter applies."""

    def __init__(self, page: TextPage) -> None:
        super().__init__()
        self._page = page
        self.setFont(mono_font(12))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setAccessibleName("Plan as text")

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._page.apply()
        elif event.matches(QKeySequence.StandardKey.Undo) and not self.document().isUndoAvailable():
            self._page.undo()  # nothing was typed: the last edit of the plan is meant
        else:
            super().keyPressEvent(event)


class TextPage(QWidget):
    """Follows the plan as long as nothing is typed; what is typed stays until it is applied or taken back."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown = ""
        self.problem: TextProblem | None = None
        self.editor = PlanEditor(self)
        self.said = soft_label(SAYS)
        self.apply_button = button("Apply", "primary", "The plan becomes what the text says (Ctrl+Enter)")
        self.revert_button = button("Take back", "", "The text becomes what the plan says")
        self.apply_button.clicked.connect(self.apply)
        self.revert_button.clicked.connect(self.revert)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for part, stretch in ((self.said, 1), (self.revert_button, 0), (self.apply_button, 0)):
            foot.addWidget(part, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.editor, 1)
        column.addLayout(foot)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self.check)
        self.editor.textChanged.connect(self._timer.start)
        connect_all((session.choices_changed, session.model_changed), self._follow)
        self.revert()

    @property
    def is_edited(self) -> bool:
        return self.editor.toPlainText() != self._shown

    def _follow(self, _news: object = None) -> None:
        if not self.is_edited:
            self.revert()
        else:
            self.check()

    def revert(self) -> None:
        """The text of the plan as it is now."""
        self._shown = self._session.plan.text
        at = self.editor.textCursor().position()
        self.editor.setPlainText(self._shown)
        cursor = self.editor.textCursor()
        cursor.setPosition(min(at, len(self._shown)))
        self.editor.setTextCursor(cursor)
        self.check()

    def check(self) -> None:
        """Says what is wrong, and where."""
        self._timer.stop()
        edited = self.is_edited
        self.problem = self._session.plan.check_text(self.editor.toPlainText()) if edited else None
        problem = self.problem
        if problem is not None:
            said = f"{problem.message} {problem.hint}".strip()
        elif edited:
            is_behind = self._session.plan.text != self._shown
            said = "Not applied yet. The plan itself has changed meanwhile." if is_behind else "Not applied yet."
        else:
            said = SAYS
        self.said.setText(said)
        self.said.setProperty("tone", "bad" if problem is not None else "")
        self.said.style().polish(self.said)
        self.apply_button.setEnabled(edited and problem is None)
        self.revert_button.setEnabled(edited)
        self._mark(problem.line if problem is not None else 0)

    def _mark(self, line: int) -> None:
        """Colours a line, counted from 1; 0: none."""
        marks = []
        if line:
            mark = QTextEdit.ExtraSelection()
            ground = QColor(current().bad)
            ground.setAlphaF(0.16)
            mark.format.setBackground(ground)
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.cursor = QTextCursor(self.editor.document().findBlockByNumber(line - 1))
            marks = [mark]
        self.editor.setExtraSelections(marks)

    def undo(self) -> None:
        """Takes back the last edit of the plan."""
        self._session.undo.undo()

    def apply(self) -> None:
        """The plan becomes what the text says; where it says nothing sensible, nothing changes."""
        self.check()
        if self.problem is not None or not self.is_edited:
            return
        text = self.editor.toPlainText()
        try:
            self._shown = text  # so that the new plan's own text takes its place
            self._session.plan.apply_text(text)
        except WorkbenchError as error:
            self._session.show_error(error)
        self.revert()
