"""The first page: a place to drop a model, recent files, and the sample models."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from workbench.resources import sample_models
from workbench.session.session import Session
from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.toolbar import short_path
from workbench.views.widgets import Head, Line, Words, button, soft_label

WIDTH = 840


class Sample(msgspec.Struct, frozen=True):
    path: str
    title: str
    summary: str


def find_samples() -> list[Sample]:
    """The models that ship with the program, with the words of their recipes."""
    found = []
    for path in sorted(sample_models().rglob("*.onnx")):
        recipe = path.with_name(path.stem + ".workbench.toml")
        try:
            words = tomllib.loads(recipe.read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError):
            words = {}
        found.append(Sample(str(path), str(words.get("title", path.stem)), str(words.get("summary", path.parent.name))))
    return found


class DropArea(QWidget):
    """A dashed place. Drops are taken by the whole window; a click asks for a file."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(150)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Drop an ONNX model here, or press Enter to choose one")

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        lively = self.underMouse() or self.hasFocus()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.accent if lively else theme.faint), 1, Qt.PenStyle.DashLine))
            painter.setBrush(QColor(theme.canvas))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
            painter.setFont(text_font(15, bold=True))
            painter.setPen(QColor(theme.text))
            painter.drawText(
                self.rect().adjusted(0, -22, 0, -22), Qt.AlignmentFlag.AlignCenter, "Drop an ONNX model here"
            )
            painter.setFont(text_font(13))
            painter.setPen(QColor(theme.soft))
            painter.drawText(
                self.rect().adjusted(0, 24, 0, 24), Qt.AlignmentFlag.AlignCenter, "or choose a file  ·  Ctrl+O"
            )

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class Card(QWidget):
    """A sample model: title, what it shows, and its file."""

    clicked = Signal()

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"Open {sample.title}")
        self.sample = sample
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(4)
        column.addWidget(Line(Words(sample.title, bold=True)))
        column.addWidget(soft_label(sample.summary), 1)
        column.addWidget(Line(Words(Path(sample.path).name, tone="faint", mono=True)))

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class Welcome(QScrollArea):
    """Shown while no model is open."""

    open_asked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self._session = session
        page = QWidget()
        page.setObjectName("canvas")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        across = QHBoxLayout(page)
        across.addStretch(1)
        inner = QWidget()
        inner.setMaximumWidth(WIDTH)
        inner.setMinimumWidth(420)
        across.addWidget(inner, 100)
        across.addStretch(1)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 56, 0, 32)
        self._column.setSpacing(8)
        self.setWidget(page)
        self._fill()
        session.settings.changed.connect(lambda key: self._fill() if key == "recent" else None)

    def _fill(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        title = QLabel("See what the compiler did, and what each choice costs and gains.")
        title.setFont(text_font(20, bold=True))
        title.setWordWrap(True)
        self._column.addWidget(title)
        self._column.addWidget(
            soft_label("Open a model, choose a precision, build: both graphs side by side, every layer timed.")
        )
        self._column.addSpacing(16)
        self.drop = DropArea()
        self.drop.clicked.connect(self.open_asked)
        self._column.addWidget(self.drop)
        self._add_recent()
        self._add_samples()
        self._column.addStretch(1)

    def _add_recent(self) -> None:
        recent = [path for path in self._session.settings.get("recent") if Path(path).is_file()][:5]
        self._column.addSpacing(16)
        self._column.addWidget(Head("Recent"))
        if not recent:
            self._column.addWidget(Line(Words("Models you open stand here.", tone="faint")))
        for path in recent:
            line = Line(
                Words(Path(path).name, short_path(str(Path(path).parent)), tone="accent", tip=path), clickable=True
            )
            line.clicked.connect(lambda p=path: self._session.open(p))
            self._column.addWidget(line)

    def _add_samples(self) -> None:
        self._column.addSpacing(16)
        self._column.addWidget(Head("Sample models"))
        grid = QWidget()
        cells = QGridLayout(grid)
        cells.setContentsMargins(0, 0, 0, 0)
        cells.setSpacing(12)
        self.cards = []
        for index, sample in enumerate(find_samples()):
            card = Card(sample)
            card.clicked.connect(lambda p=sample.path: self._session.open(p))
            cells.addWidget(card, index // 3, index % 3)
            self.cards.append(card)
        if not self.cards:
            cells.addWidget(Line(Words("This installation came without sample models.", tone="faint")))
        self._column.addWidget(grid)


class Opening(QWidget):
    """What stands there while a model is read; can be cancelled."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text = soft_label()
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cancel = button("Cancel")
        cancel.clicked.connect(session.cancel_opening)
        column.addWidget(self.text)
        column.addWidget(cancel, 0, Qt.AlignmentFlag.AlignHCenter)
        session.opening_changed.connect(self._show)

    def _show(self, path: str) -> None:
        self.text.setText(
            f"Reading {Path(path).name}\nin a process of its own: checking, inferring shapes" if path else ""
        )
