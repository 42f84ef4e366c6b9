"""A layout that sets parts beside each other, and goes on in the next line where there is no more room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLayoutItem, QWidget

from workbench.views.widgets import Line, Words


class Flow(QLayout):
    """Each part is as wide as it wants; none is wider than the line. What is hidden takes no place."""

    def __init__(self, parent: QWidget | None = None, spacing: int = 8) -> None:
        super().__init__(parent)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._places(width)[1]

    def sizeHint(self) -> QSize:
        seen = [item for item in self._items if not item.isEmpty()]
        wide = sum(item.sizeHint().width() + self.spacing() for item in seen) - self.spacing()
        return QSize(max(wide, 0), self.minimumSize().height())

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._items]
        return QSize(max((s.width() for s in sizes), default=0), max((s.height() for s in sizes), default=0))

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        for item, place in zip(self._items, self._places(rect.width())[0], strict=True):
            item.setGeometry(place.translated(rect.topLeft()))

    def _places(self, width: int) -> tuple[list[QRect], int]:
        """Where each part stands, as high as its line, and how high all lines are together."""
        sizes = [
            QSize() if item.isEmpty() else item.sizeHint().boundedTo(QSize(width, 1 << 14)) for item in self._items
        ]
        places: list[QRect] = []
        y = 0
        for line in _lines(sizes, width, self.spacing()):
            high, x = max((size.height() for size in line), default=0), 0
            for size in line:
                places.append(QRect(x, y, max(size.width(), 0), high))
                x += size.width() + self.spacing() if size.isValid() else 0
            y += high + self.spacing() // 2
        return places, max(y - self.spacing() // 2, 0)


def _lines(sizes: Sequence[QSize], width: int, spacing: int) -> list[list[QSize]]:
    """As many beside each other as have room; sizes that are not valid need none."""
    lines: list[list[QSize]] = [[]]
    x = 0
    for size in sizes:
        if size.isValid() and x and x + size.width() > width:
            lines.append([])
            x = 0
        lines[-1].append(size)
        x += size.width() + spacing if size.isValid() else 0
    return lines


def labelled(text: str, part: QWidget, most: int = 1 << 10, px: int = 13) -> QWidget:
    """A part with a word before it, of at most so many pixels: they stay together where the line breaks."""
    pair, line = QWidget(), Line(Words(text, tone="soft"), px=px)
    line.setFixedWidth(min(line.sizeHint().width() + 2, most))
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    row.addWidget(line)
    row.addWidget(part)
    return pair
