"""A row of choices of which exactly one is on."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current

HEIGHT, PADDING, RADIUS, PX = 24, 11, 6.0, 12


class Segments(QWidget):
    """Chosen by a click or the arrow keys. `chosen` carries a key and is sent for the user's own doing only."""

    chosen = Signal(str)

    def __init__(self, titles: Mapping[str, str], name: str) -> None:
        super().__init__()
        self._titles = dict(titles)
        self._current = next(iter(titles))
        self._off: frozenset[str] = frozenset()
        self.setFont(text_font(PX))
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def current(self) -> str:
        return self._current

    def set_current(self, key: str) -> None:
        self._current = key
        self.setAccessibleDescription(self._titles[key])
        self.update()

    def set_off(self, keys: frozenset[str]) -> None:
        """Choices that cannot be made now."""
        if keys != self._off:
            self._off = keys
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(sum(self._widths()), HEIGHT)

    def place(self, key: str) -> QRectF:
        """Where a choice stands."""
        index, widths = list(self._titles).index(key), self._widths()
        return QRectF(sum(widths[:index]), 0, widths[index], HEIGHT)

    def _widths(self) -> list[int]:
        metrics = QFontMetrics(self.font())
        return [metrics.horizontalAdvance(title) + 2 * PADDING for title in self._titles.values()]

    def _choose(self, key: str) -> None:
        if key not in self._off and key != self._current:
            self.set_current(key)
            self.chosen.emit(key)

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            for key in self._titles:
                if self.place(key).contains(event.position()):
                    self._choose(key)

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        keys = list(self._titles)
        at = keys.index(self._current) + step
        if step and 0 <= at < len(keys):
            self._choose(keys[at])
        else:
            super().keyPressEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, whole = current(), QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            outline = QPainterPath()
            outline.addRoundedRect(whole, RADIUS, RADIUS)
            painter.save()
            painter.setClipPath(outline)
            painter.fillRect(whole, QColor(theme.panel))
            painter.fillRect(self.place(self._current), QColor(theme.accent_ground))
            painter.restore()
            painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.line), 1))
            painter.drawPath(outline)
            for key, title in self._titles.items():
                place = self.place(key)
                if place.x() > 0:
                    painter.setPen(QPen(QColor(theme.line), 1))
                    painter.drawLine(QPointF(place.x() + 0.5, 1), QPointF(place.x() + 0.5, HEIGHT - 1))
                on = theme.accent if key == self._current else theme.text
                painter.setPen(QColor(theme.faint if key in self._off else on))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, title)
