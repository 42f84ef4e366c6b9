"""Models dropped on the window: which files count, and what is shown while one hovers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current

MARGIN = 12


def dropped_model(data: QMimeData) -> str:
    """The first ONNX file of what is dragged, or empty."""
    paths = (url.toLocalFile() for url in data.urls())
    return next((path for path in paths if path.lower().endswith(".onnx")), "")


class DropHint(QWidget):
    """A veil over the window that names the file one is about to open. Sees no mouse."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ""
        self.hide()

    def offer(self, path: str, verb: str = "open") -> None:
        self.text = f"Drop to {verb} {Path(path).name}"
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        veil = QColor(theme.background)
        veil.setAlphaF(0.86)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), veil)
            painter.setPen(QPen(QColor(theme.accent), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), 10, 10)
            painter.setFont(text_font(18, bold=True))
            painter.setPen(QColor(theme.text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text)
