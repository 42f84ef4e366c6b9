"""Why a found plan is as it is: a line a decision, with a small picture of what it wins and what it costs."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workbench.core.search import Decision, Point
from workbench.session.session import Session
from workbench.views.controls import Pressable
from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, button, soft_label, tip

PICTURE = 74
NOTHING = "Choose a plan here or in the chart: its decisions stand here, each by two measured plans."
ALONE = "No plan was measured that differs from this one in a single decision."


class SearchWhy(QWidget):
    """Of the chosen point. A click on a decision selects its layers in the graph."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[Point | None, tuple[Decision, ...]] | None = None
        self.title = Line(px=12)
        self.use = button("Use this plan", "", "Make it the document's plan: one edit that can be undone")
        self.use.setFixedHeight(26)
        self.use.clicked.connect(self._use)
        self.rows: list[DecisionRow] = []
        self.words = soft_label(NOTHING)
        self.words.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.use)
        inner = QWidget()
        inner.setObjectName("panel")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self.words)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("panel")
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(scroll, 1)
        self.setMinimumWidth(220)
        self.refresh()

    def refresh(self) -> None:
        searches = self._session.searches
        point = searches.chosen
        found = searches.why(point) if point is not None else ()
        if (point, found) == self._shown:
            return
        self._shown = (point, found)
        self.title.set_words(Words(f"Plan {point.id}" if point else "", point.title if point else "", bold=True))
        self.use.setVisible(point is not None)
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self.words.setVisible(not found)
        self.words.setText(NOTHING if point is None else ALONE)
        most_gain = max((abs(one.gain) for one in found), default=0.0)
        most_time = max((abs(one.slower) for one in found), default=0.0)
        self.rows = [DecisionRow(one, most_gain, most_time, self._session) for one in found]
        for place, row in enumerate(self.rows):
            self._column.insertWidget(place, row)

    def _use(self) -> None:
        point = self._session.searches.chosen
        if point is not None:
            self._session.searches.take(point.id)


class DecisionRow(Pressable):
    """Two bars, accuracy won above and time below, and the sentence. Right of the middle is for the plan."""

    def __init__(self, decision: Decision, most_gain: float, most_time: float, session: Session) -> None:
        super().__init__(decision.sentence)
        self.decision, self._most = decision, (most_gain or 1.0, most_time or 1.0)
        self._session = session
        bars = f"Against plan {decision.without}. Bars: what it wins of accuracy (green) and of time (grey)."
        self.setToolTip(tip(f"{decision.sentence}\n{bars}"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.clicked.connect(self._select)

    def _select(self) -> None:
        self._session.select_nodes(self.decision.nodes)

    def heightForWidth(self, width: int) -> int:
        room = max(40, width - PICTURE - 10)
        flags = int(Qt.TextFlag.TextWordWrap)
        box = QFontMetrics(text_font(12)).boundingRect(0, 0, room, 1000, flags, self.decision.sentence)
        return max(24, box.height() + 8)

    def sizeHint(self) -> QSize:
        return QSize(260, self.heightForWidth(260))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        with QPainter(self) as painter:
            if self.underMouse() or self.hasFocus():
                painter.fillRect(self.rect(), QColor(theme.accent_ground))
            middle, top = PICTURE / 2, 7.0
            painter.fillRect(QRectF(middle - 0.5, top - 3, 1, 16), QColor(theme.line))
            wins = self.decision.gain / self._most[0], -self.decision.slower / self._most[1]
            for place, (share, good) in enumerate(zip(wins, (theme.good, theme.soft), strict=True)):
                length = share * (middle - 4)
                color = QColor(good if share >= 0 else theme.bad)
                painter.fillRect(QRectF(min(middle, middle + length), top + 6 * place, abs(length), 4), color)
            painter.setFont(text_font(12))
            painter.setPen(QColor(theme.text))
            room = self.rect().adjusted(PICTURE + 6, 3, -4, 0)
            painter.drawText(room, int(Qt.TextFlag.TextWordWrap), self.decision.sentence)
