"""Phases within phases: where a job is, and how many seconds each took, as rows with a bar of their share."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QScrollArea, QSizePolicy, QToolTip, QWidget

from workbench.core.stages import Path, Stage
from workbench.session.words import PHASES
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, menu_item, paint_words, tip

ROW, INDENT, SIGN = 20, 11, 16
SECONDS = 64  # pixels of a figure


class StageList(QWidget):
    """Given stages; inner ones stand indented under the one around them. What goes on now is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: tuple[Stage, ...] = ()
        self._at: Path = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Phases of the build")

    def set_stages(self, stages: tuple[Stage, ...], at: Path) -> None:
        """`at` is the phase a job is in; empty: it has ended."""
        is_longer = len(stages) != len(self.stages)
        self.stages, self._at = stages, at
        self.setAccessibleDescription(self.text())
        if is_longer:
            self.setFixedHeight(max(1, ROW * len(stages)))
        self.update()

    def text(self) -> str:
        """A line each, indented, with its seconds."""
        return "\n".join(f"{'  ' * s.depth}{phase_name(s)}\t{seconds_words(s.seconds)}" for s in self.stages)

    def sizeHint(self) -> QSize:
        return QSize(260, max(1, ROW * len(self.stages)))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        longest = max((stage.seconds for stage in self.stages if stage.depth == 0), default=0.0) or 1.0
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for index, stage in enumerate(self.stages):
                row = QRect(0, ROW * index, self.width(), ROW)
                if row.intersects(event.rect()):
                    self._paint(painter, row, stage, stage.seconds / longest)

    def _paint(self, painter: QPainter, row: QRect, stage: Stage, share: float) -> None:
        theme = current()
        is_on = self._at[: len(stage.path)] == stage.path
        is_innermost = self._at == stage.path
        left = row.x() + 2 + INDENT * stage.depth
        width = (row.width() - left - SIGN) * min(share, 1.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent_ground if is_on else theme.line))
        painter.drawRoundedRect(QRectF(left + SIGN, row.bottom() - 2.5, max(width, 2.0), 2.5), 1.2, 1.2)
        _paint_sign(painter, QPointF(left + 5, row.center().y() + 0.5), is_on=is_on, is_innermost=is_innermost)
        name = row.adjusted(left + SIGN, 0, -SECONDS - 4, -2)
        paint_words(painter, name, Words(phase_name(stage), tone="accent" if is_innermost else "", bold=is_on), px=12)
        figure = QRect(row.right() - SECONDS, row.y(), SECONDS - 2, ROW - 2)
        paint_words(painter, figure, Words(seconds_words(stage.seconds), tone="soft"), right=True, px=12)

    @guarded
    def event(self, event: QHelpEvent) -> bool:  # type: ignore[override]
        if event.type() == QHelpEvent.Type.ToolTip:
            row = event.pos().y() // ROW
            if 0 <= row < len(self.stages):
                stage = self.stages[row]
                words = f"{' › '.join(stage.path)}\n{seconds_words(stage.seconds)}, from {stage.begin_s:.1f} s on"
                QToolTip.showText(event.globalPos(), tip(words), self)
            return True
        return bool(super().event(event))

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu_item(menu, "Copy phases", lambda: QGuiApplication.clipboard().setText(self.text()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


class StageScroll(QScrollArea):
    """The list where it may be longer than its place; it keeps the end in view while a job goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.list = StageList()
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self.list)
        self.viewport().setAutoFillBackground(False)
        self.list.setAutoFillBackground(False)

    def set_stages(self, stages: tuple[Stage, ...], at: Path) -> None:
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - ROW
        self.list.set_stages(stages, at)
        if at and at_end:
            index = next((i for i, stage in enumerate(stages) if stage.path == at), 0)
            self.ensureVisible(0, ROW * index + ROW // 2, 0, ROW)


def phase_name(stage: Stage) -> str:
    """In our words outside, in the engine's inside."""
    name = stage.path[-1]
    return PHASES.get(name, name) if stage.depth == 0 else name[:1].upper() + name[1:]


def seconds_words(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _paint_sign(painter: QPainter, middle: QPointF, *, is_on: bool, is_innermost: bool) -> None:
    """A dot where the job is, a ring around it in the phases around, a tick behind it."""
    theme = current()
    if is_on:
        painter.setPen(QPen(QColor(theme.accent), 1.4))
        painter.setBrush(QColor(theme.accent) if is_innermost else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, 3.2, 3.2)
        return
    painter.setPen(QPen(QColor(theme.good), 1.6))
    painter.drawPolyline([middle + QPointF(-3.5, 0), middle + QPointF(-1, 2.8), middle + QPointF(4, -3)])
