"""What one presses and watches: tabs, chips, buttons with menus, progress."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QSizePolicy, QWidget

from workbench.views.fonts import head_font, text_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, paint_words, tip, words_width

NARROW_TAB = 34


class Pressable(QWidget):
    """A painted place that is pressed by mouse or keys like a button."""

    clicked = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class HeadTab(QAbstractButton):
    """A section head one can choose among others."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setToolTip(tip(text))
        self.setFont(head_font())
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self.text().upper()) + 8, 22)

    def minimumSizeHint(self) -> QSize:
        """Where room is scarce, the chosen one is whole and the others are elided."""
        whole = self.sizeHint()
        return whole if self.isChecked() else QSize(min(whole.width(), NARROW_TAB), whole.height())

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        with QPainter(self) as painter:
            painter.setFont(self.font())
            lively = self.isChecked() or self.underMouse() or self.hasFocus()
            painter.setPen(QColor(theme.soft if self.isChecked() else theme.text if lively else theme.faint))
            metrics = QFontMetrics(self.font())
            text = metrics.elidedText(self.text().upper(), Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            if self.isChecked() and self.property("several"):
                width = metrics.horizontalAdvance(text)
                painter.fillRect(QRectF(0, self.height() - 2, width, 1.5), QColor(theme.accent))


class Chip(QAbstractButton):
    """A small pill that is on or off."""

    def __init__(self, text: str, tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setFont(text_font(12))
        self.setToolTip(tip(tooltip))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self.text()) + 20, 22)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        edge = theme.accent if self.isChecked() or self.hasFocus() else theme.faint if self.underMouse() else theme.line
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(edge), 1))
            painter.setBrush(QColor(theme.accent_ground if self.isChecked() else theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 11, 11)
            painter.setPen(
                QColor(theme.accent if self.isChecked() else theme.text if self.isEnabled() else theme.faint)
            )
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class DropButton(QPushButton):
    """A button that shows the present choice and opens a menu of the others, made anew each time."""

    def __init__(self, fill: Callable[[QMenu], None], name: str, tooltip: str, max_width: int = 220) -> None:
        super().__init__()
        self._words = Words("")
        self._max = max_width
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._fill = fill
        self._menu.aboutToShow.connect(self._fill_menu)
        self.setMenu(self._menu)
        self.setAutoDefault(False)
        self.setAccessibleName(name)
        self.setToolTip(tip(tooltip))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def _fill_menu(self) -> None:
        self._menu.clear()
        self._fill(self._menu)

    def set_words(self, words: Words) -> None:
        self._words = words
        self.setAccessibleDescription(f"{words.main} {words.soft}".strip())
        self.updateGeometry()
        self.update()

    def words(self) -> Words:
        return self._words

    def sizeHint(self) -> QSize:
        return QSize(min(self._max, words_width(self._words) + 22 + 18), 30)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        edge = theme.accent if self.hasFocus() else theme.faint if self.underMouse() else theme.line
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(edge), 1))
            painter.setBrush(QColor(theme.accent_ground if self.isDown() else theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            shown = self._words if self.isEnabled() else msgspec.structs.replace(self._words, tone="faint")
            paint_words(painter, self.rect().adjusted(11, 0, -24, 0), shown)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.faint))
            x, y = self.width() - 16.0, self.height() / 2 - 1.5
            painter.drawPolygon([QPointF(x - 3.5, y), QPointF(x + 3.5, y), QPointF(x, y + 4.5)])


class Bar(QWidget):
    """Progress as a thin bar; busy (an unknown end) as a part that stands still in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self.setAccessibleName("Progress")
        self.setFixedHeight(5)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_share(self, share: float | None) -> None:
        """0..1; None where the end is not known."""
        self._share = -1.0 if share is None else min(max(share, 0.0), 1.0)
        self.setAccessibleDescription("" if share is None else f"{share * 100:.0f} %")
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, width = current(), float(self.width())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.line))
            painter.drawRoundedRect(QRectF(0, 0, width, 5), 2.5, 2.5)
            painter.setBrush(QColor(theme.accent))
            if self._share < 0:
                painter.drawRoundedRect(QRectF(width * 0.35, 0, width * 0.3, 5), 2.5, 2.5)
            elif self._share > 0:
                painter.drawRoundedRect(QRectF(0, 0, max(5.0, width * self._share), 5), 2.5, 2.5)
