"""The paint box: what the left button does on the source graph, and the precision it paints."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workbench.core.precision import Precision
from workbench.session.session import Session
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.pointer import Tool
from workbench.views.controls import Chip
from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Head, connect_all, tip

COLUMNS = 5
TOOLS = {
    Tool.SELECT: ("select", "Click and drag select and move, as always (Escape)"),
    Tool.BRUSH: ("brush", "Drag over nodes and groups to paint them in the precision below (B)"),
    Tool.RECTANGLE: ("rectangle", "Drag a rectangle around what is to be painted (R)"),
}
SHORT = {
    Precision.INT8_WEIGHTS: "INT8 w",
    Precision.INT4_WEIGHTS: "INT4 w",
    Precision.FP4_WEIGHTS: "FP4 w",
}
ERASER = "erase"


class BrushChip(QAbstractButton):
    """A precision, or the eraser, as a small pill with its colour; checked where it is the brush."""

    def __init__(self, precision: Precision | None) -> None:
        super().__init__()
        self.precision = precision
        self.setText(SHORT.get(precision, precision.label) if precision else ERASER)
        self.setCheckable(True)
        self.setFont(text_font(11))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Paint {precision.label}" if precision else "Erase paint")
        self.reason = ""

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self.text()) + 10, 22)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        is_on, is_near = self.isChecked(), self.hasFocus() or self.underMouse()
        edge = theme.accent if is_on or self.hasFocus() else theme.faint if is_near else theme.line
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(edge), 1))
            painter.setBrush(QColor(theme.accent_ground if is_on else theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            rect = QRectF(self.rect())
            if self.precision is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.precision[self.precision]))
                painter.drawRoundedRect(QRectF(6, self.height() - 5.5, self.width() - 12.0, 3), 1.5, 1.5)
                rect.adjust(0, 0, 0, -3)
            painter.setFont(self.font())
            painter.setPen(QColor(theme.faint if self.reason or not self.isEnabled() else theme.text))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text())


class PaintBox(QWidget):
    """Tools and brushes. Keys on the canvas: 1 to 9 take a precision, 0 the eraser, B and R a tool; Escape ends it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._canvas: GraphCanvas | None = None
        self.tools: dict[Tool, Chip] = {}
        self.brushes: dict[Precision | None, BrushChip] = {}
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(Head("Paint"), 1)
        for tool, (text, words) in TOOLS.items():
            chip = self.tools[tool] = Chip(text, words)
            chip.setAutoExclusive(False)
            chip.clicked.connect(lambda _on=False, t=tool: self._choose_tool(t))
            head.addWidget(chip)
        grid = QGridLayout()
        grid.setSpacing(4)
        for at, precision in enumerate((*Precision, None)):
            chip_ = self.brushes[precision] = BrushChip(precision)
            chip_.clicked.connect(lambda _on=False, p=precision: self.choose(p))
            grid.addWidget(chip_, at // COLUMNS, at % COLUMNS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(head)
        column.addLayout(grid)
        plan = session.plan
        connect_all((session.choices_changed, session.backends_changed, session.model_changed), self._show)
        plan.brush_changed.connect(self._show)
        self._show()

    def attach(self, canvas: GraphCanvas) -> None:
        """From now on strokes on this canvas are edits of the plan."""
        self._canvas = canvas
        canvas.painted.connect(self._session.plan.paint)
        canvas.tool_changed.connect(self._show)
        keys = {str((at + 1) % 10): precision for at, precision in enumerate((*Precision, None))}
        for key, precision in keys.items():
            self._key(canvas, key).activated.connect(lambda p=precision: self.choose(p))
        self._key(canvas, "B").activated.connect(lambda: self._choose_tool(Tool.BRUSH))
        self._key(canvas, "R").activated.connect(lambda: self._choose_tool(Tool.RECTANGLE))
        self._show()

    def _key(self, canvas: GraphCanvas, key: str) -> QShortcut:
        return QShortcut(QKeySequence(key), canvas, context=Qt.ShortcutContext.WidgetShortcut)

    def choose(self, precision: Precision | None) -> None:
        """Takes a brush in the hand: the next drag paints."""
        self._session.plan.set_brush(precision)
        if self._canvas is not None and self._canvas.tool is Tool.SELECT:
            self._choose_tool(Tool.BRUSH)
        self._show()

    def _choose_tool(self, tool: Tool) -> None:
        if self._canvas is not None and self._session.has_model:
            self._canvas.set_tool(tool)
        self._show()

    def _show(self, _news: object = None) -> None:
        session = self._session
        tool = self._canvas.tool if self._canvas is not None else Tool.SELECT
        for each, chip in self.tools.items():
            chip.setChecked(each is tool)
            chip.setEnabled(session.has_model)
        for at, (precision, brush) in enumerate(self.brushes.items()):
            brush.setChecked(precision is session.plan.brush)
            brush.setEnabled(session.has_model)
            brush.reason = session.plan.refusal(precision) if precision else ""
            said = session.plan.remark(precision) if precision else ""
            words = precision.label if precision else "Take paint away: other rules and the default decide"
            brush.setToolTip(tip("\n".join(filter(None, [f"{words} ({(at + 1) % 10})", said]))))
            brush.update()
