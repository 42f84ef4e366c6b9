"""The small parts that everything is made of: a painted line of text, section heads, chips, buttons with menus."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import msgspec
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractSpinBox, QLabel, QLineEdit, QMenu, QPushButton, QSizePolicy, QWidget

from workbench.core.precision import Precision
from workbench.views.fonts import head_font, mono_font, text_font
from workbench.views.guard import guarded
from workbench.views.theme import current

SWATCH = 10
GAP = 7
MIN_SOFT = 26  # pixels; less says nothing
PRESSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)  # what presses a button
TITLE_MOST = 56  # characters that stand in two lines of the inspector


class Words(msgspec.Struct, frozen=True):
    """A text with what stands small behind it. `tone` is `good`, `bad`, `soft`, `faint`, `accent` or empty."""

    main: str
    soft: str = ""
    tone: str = ""
    mono: bool = False
    bold: bool = False
    swatch: Precision | None = None
    tip: str = ""


def connect_all(signals: Iterable[SignalInstance], slot: Callable[..., object]) -> None:
    """One slot for several pieces of news."""
    for signal in signals:
        signal.connect(slot)


def tab_before(anchor: QWidget, parts: Iterable[QWidget]) -> None:
    """The Tab key goes through these, in their order, before `anchor`, which was made earlier."""
    with_keys = [part for part in parts if part.focusPolicy() != Qt.FocusPolicy.NoFocus]
    for first, second in pairwise([anchor, *with_keys, anchor]):
        QWidget.setTabOrder(first, second)


def tip(text: str) -> str:
    """For tooltips: `text` word for word, whatever it looks like. Qt would take a name like `<img …>` for HTML."""
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>") if text else ""


def tone_color(tone: str) -> QColor:
    theme = current()
    known = {"good": theme.good, "bad": theme.bad, "soft": theme.soft, "faint": theme.faint, "accent": theme.accent}
    return QColor(known.get(tone, theme.text))


def swatch_icon(precision: Precision) -> QIcon:
    """The precision's colour as a small rounded square, for menus."""
    pixmap = QPixmap(2 * SWATCH, 2 * SWATCH)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        paint_swatch(painter, QPointF(0, 0), current().precision[precision])
    return QIcon(pixmap)


def paint_swatch(painter: QPainter, corner: QPointF, color: str) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(QRectF(corner.x(), corner.y(), SWATCH, SWATCH), 3, 3)


def paint_words(
    painter: QPainter, rect: QRect, words: Words, *, right: bool = False, bold: bool = False, px: int = 13
) -> bool:
    """Swatch, text and soft text in one line, cut in the middle where there is no room. True if it was cut."""
    font = mono_font(px - 1) if words.mono else text_font(px, bold=bold or words.bold)
    metrics, small = QFontMetrics(font), QFontMetrics(text_font(px))
    x, room = rect.x(), rect.width()
    if words.swatch is not None:
        paint_swatch(painter, QPointF(x, rect.center().y() - SWATCH / 2 + 1), current().precision[words.swatch])
        x, room = x + SWATCH + GAP, room - SWATCH - GAP
    main, soft = _fitted(words, metrics, small, room)
    width = metrics.horizontalAdvance(main)
    soft_width = small.horizontalAdvance(soft) + 5 if soft else 0
    if right:
        x = rect.right() + 1 - width - soft_width
    painter.setFont(font)
    painter.setPen(tone_color(words.tone))
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine
    painter.drawText(QRect(x, rect.y(), width + 2, rect.height()), flags, main)
    if soft:
        painter.setFont(text_font(px))
        painter.setPen(tone_color("faint"))
        painter.drawText(QRect(x + width + 5, rect.y(), soft_width + 2, rect.height()), flags, soft)
    return main != words.main or soft != words.soft


def words_width(words: Words, px: int = 13) -> int:
    """Pixels that the whole of it takes."""
    font = mono_font(px - 1) if words.mono else text_font(px, bold=words.bold)
    width = QFontMetrics(font).horizontalAdvance(words.main) + 2
    width += QFontMetrics(text_font(px)).horizontalAdvance(words.soft) + 5 if words.soft else 0
    return width + (SWATCH + GAP if words.swatch else 0)


def _fitted(words: Words, metrics: QFontMetrics, small: QFontMetrics, room: int) -> tuple[str, str]:
    """Both texts cut to `room` pixels: the soft one first; the main one only where it does not fit by itself."""
    wanted = metrics.horizontalAdvance(words.main)
    behind = small.horizontalAdvance(words.soft) + 5 if words.soft else 0
    if wanted + behind <= room:
        return words.main, words.soft
    share = max(int(room * 0.6), room - behind)
    cut = wanted > room
    main = metrics.elidedText(words.main, Qt.TextElideMode.ElideMiddle, max(share, 0)) if cut else words.main
    left = room - metrics.horizontalAdvance(main) - 5
    soft = small.elidedText(words.soft, Qt.TextElideMode.ElideMiddle, left) if left > MIN_SOFT else ""
    return main, soft


class Line(QWidget):
    """One line of text that is never wider than its place. A click tells; the text can be copied.

    Where it would be cut to less than `least` pixels nothing is written.
    """

    clicked = Signal()

    def __init__(
        self,
        words: Words | str = "",
        *,
        clickable: bool = False,
        px: int = 13,
        right: bool = False,
        least: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._px = px
        self._least = least
        self._right = right
        self._clickable = clickable
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if clickable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_words(words)

    def set_words(self, words: Words | str) -> None:
        self.words = Words(words) if isinstance(words, str) else words
        text = f"{self.words.main} {self.words.soft}".strip()
        self.setToolTip(tip(self.words.tip or text))
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(words_width(self.words, self._px), self._px + 7)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self._px + 7)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self.hasFocus():
                painter.fillRect(self.rect(), QColor(current().accent_ground))
            if self.width() >= min(self._least, words_width(self.words, self._px)):
                paint_words(painter, self.rect(), self.words, right=self._right, px=self._px)

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if (
            self._clickable
            and event.button() == Qt.MouseButton.LeftButton
            and self.rect().contains(event.position().toPoint())
        ):
            self.clicked.emit()

    @guarded
    def keyPressEvent(self, event: QEvent) -> None:
        if self._clickable and event.key() in PRESSING:  # type: ignore[attr-defined]
            self.clicked.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy")
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.words.main))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


class Head(QWidget):
    """A section head in small spaced capitals."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._font = head_font()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self._font).horizontalAdvance(self._text.upper()) + 16, 20)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(self._font)
            painter.setPen(tone_color("soft"))
            text = QFontMetrics(self._font).elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def inset(spin: QAbstractSpinBox) -> None:
    """Room before the figure; the style sheet's padding does not reach into the field."""
    field = spin.findChild(QLineEdit)
    if field is not None:
        field.setTextMargins(5, 0, 0, 0)


def empty_label(text: str) -> QLabel:
    """The sentence of an empty place: what would fill it."""
    label = QLabel(text)
    label.setObjectName("empty")
    label.setContentsMargins(24, 8, 24, 8)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label


def soft_label(text: str = "") -> QLabel:
    """Explaining text in several lines, always word for word."""
    label = QLabel(text)
    label.setObjectName("soft")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def title_label(text: str) -> QLabel:
    """A name in bold in two lines at most: broken behind `+`, the middle left out where even that is too long."""
    label = QLabel(shortened(text, TITLE_MOST).replace("+", "+\u200b"))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setFont(text_font(bold=True))
    label.setToolTip(tip(text))
    label.setAccessibleName(text)
    return label


def shortened(text: str, most: int) -> str:
    """At most so many characters, cut in the middle."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[len(text) - (most - most // 2 - 1) :]}"


def button(text: str, kind: str = "", tooltip: str = "") -> QPushButton:
    """`kind` is primary, link, ghost, title or empty. Enter belongs to the fields of a dialog, not to its buttons."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    if not any(char.isalnum() for char in text):  # an icon or a sign: what it does is its name
        made.setAccessibleName(tooltip.partition(":")[0])
    made.setProperty("kind", kind)
    made.setToolTip(tip(tooltip))
    if kind in ("link", "ghost"):
        made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


def menu_item(
    menu: QMenu, text: str, run: Callable[[], object], *, on: bool = False, reason: str = "", remark: str = ""
) -> QAction:
    """An entry of a menu of choices: marked if it is the present one, grey with its reason where it cannot be.

    Of `reason` or `remark` the first clause stands at the right; the whole is the tooltip.
    """
    said = reason or remark
    text = f"{text}\t{_clause(said)}" if said else text
    item = menu.addAction(text.replace("&", "&&"))
    item.setCheckable(on)
    item.setChecked(on)
    item.setEnabled(not reason)
    item.setToolTip(tip(said))
    item.setFont(text_font(bold=on))
    item.triggered.connect(lambda _checked=False: run())
    return item


def menu_head(menu: QMenu, text: str) -> None:
    """A section head inside a menu."""
    menu.addSeparator()
    item = menu.addAction(text)
    item.setFont(head_font())
    item.setEnabled(False)


def _clause(text: str) -> str:
    return shortened(re.split(r"[:;.](?=\s|$)", text, maxsplit=1)[0], 60)
