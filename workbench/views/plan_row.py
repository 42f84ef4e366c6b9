"""A rule of the plan in a narrow place."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.core.precision import Rule
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, button, tip


class RuleRow(QWidget):
    """One rule in a rounded frame: colour, what it selects, how many nodes, and a cross to remove it."""

    clicked = Signal()
    opened = Signal()

    def __init__(self, words: Words, count: Words) -> None:
        super().__init__()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{words.main} {count.main}")
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 3, 6, 3)
        row.setSpacing(6)
        self.line = Line(words)
        row.addWidget(self.line, 1)
        self.tail = Line(count)
        self.tail.setFixedWidth(self.tail.sizeHint().width())
        row.addWidget(self.tail)
        for part in (self.line, self.tail):  # the row itself is pressed
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setToolTip(tip(words.tip or words.main))
        self.remove = button("×", "ghost", "Remove this rule")
        self.remove.setFixedWidth(18)
        row.addWidget(self.remove)

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    @guarded
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.opened.emit()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        elif event.key() == Qt.Key.Key_Delete and not self.remove.isHidden():
            self.remove.click()
        else:
            super().keyPressEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(current().accent if self.hasFocus() else current().line), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


def short_words(rule: Rule) -> str:
    """What a rule selects, in a narrow place: a lone pattern says itself what it is."""
    if rule.is_painted:
        return "painted" if len(rule.nodes) > 1 else rule.nodes[0]
    return (
        (rule.name or rule.scope)
        if " and " not in rule.words and not rule.op and (rule.name or rule.scope)
        else rule.words
    )
