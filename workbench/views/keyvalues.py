"""Rows of a name and a value, as the panels have them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.views.fonts import text_font
from workbench.views.widgets import Line, Words

KEY_WIDTH = 84
KEY_MOST = 104  # longer keys are cut


class KeyValues(QWidget):
    """Two columns of single lines; both are cut in the middle where they do not fit.

    `key_width` is the least width of the keys' column; it grows with the longest key.
    """

    def __init__(self, key_width: int = KEY_WIDTH) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnMinimumWidth(0, key_width)
        self._grid.setColumnStretch(1, 1)
        self._key_width = self.key_width = key_width
        self._lines: list[tuple[Line, Line]] = []
        self.rows: list[tuple[str, Words]] = []

    def set_rows(self, rows: Sequence[tuple[str, Words]]) -> None:
        """Reuses the lines it has, so that an update costs little."""
        self.rows = list(rows)
        while len(self._lines) < len(rows):
            key, value = Line(), Line()
            at = len(self._lines)
            self._grid.addWidget(key, at, 0)
            self._grid.addWidget(value, at, 1)
            self._lines.append((key, value))
        metrics = QFontMetrics(text_font())
        widths = [metrics.horizontalAdvance(key) + 4 for key, _ in rows]
        self.key_width = width = min(max([self._key_width, *widths]), max(KEY_MOST, self._key_width))
        for index, (key, value) in enumerate(self._lines):
            key.setFixedWidth(width)
            shown = index < len(rows)
            key.setVisible(shown)
            value.setVisible(shown)
            if shown:
                key.set_words(Words(rows[index][0], tone="soft"))
                value.set_words(rows[index][1])
        self.setVisible(bool(rows))
