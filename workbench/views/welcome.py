"""The first page: a place to drop a model, recent files, and the sample models."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from workbench.resources import sample_models
from workbench.session.session import Session
from workbench.views.controls import Pressable
from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.toolbar import short_path
from workbench.views.widgets import Head, Line, Words, button, soft_label

WIDTH = 840
COLUMNS = 3  # of sample cards


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


class DropArea(Pressable):
    """A dashed place. Drops are taken by the whole window; a click asks for a file."""

    def __init__(self) -> None:
        super().__init__("Drop an ONNX model here, or press Enter to choose one")
        self.setFixedHeight(150)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        lively = self.underMouse() or self.hasFocus()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.accent if lively else theme.faint), 1, Qt.PenStyle.DashLine))
            painter.setBrush(QColor(theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
            self._write(painter, "Drop an ONNX model here", text_font(15, bold=True), theme.text, -13)
            self._write(painter, "or click to choose a file  ·  Ctrl+O", text_font(13), theme.soft, 13)

    def _write(self, painter: QPainter, text: str, font: QFont, color: str, shift: int) -> None:
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(self.rect().translated(0, shift), Qt.AlignmentFlag.AlignCenter, text)


class Card(Pressable):
    """A sample model: title, what it shows, and its file."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(f"Open {sample.title}")
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.sample = sample
        summary = soft_label(sample.summary)
        summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        column.addWidget(Line(Words(sample.title, bold=True)))
        column.addWidget(summary, 1)
        column.addWidget(Line(Words(Path(sample.path).name, tone="soft", mono=True)))


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
        for column in range(COLUMNS):
            cells.setColumnStretch(column, 1)
        self.cards = []
        for index, sample in enumerate(find_samples()):
            card = Card(sample)
            card.clicked.connect(lambda p=sample.path: self._session.open(p))
            cells.addWidget(card, index // COLUMNS, index % COLUMNS)
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
        column.addSpacing(12)
        column.addWidget(cancel, 0, Qt.AlignmentFlag.AlignHCenter)
        session.opening_changed.connect(self._show)

    def _show(self, path: str) -> None:
        self.text.setText(
            f"Reading {Path(path).name}\nin a process of its own: checking, inferring shapes" if path else ""
        )
