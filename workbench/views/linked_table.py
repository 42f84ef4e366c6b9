"""A table of layers: sorted by its heads, filtered, its rows linked with the selection everywhere else."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from workbench.session.column_table import ColumnTable, TableContent
from workbench.views.cells import CELL_PADDING, CellDelegate
from workbench.views.fonts import text_font
from workbench.views.guard import guarded
from workbench.views.widgets import Words, words_width

ROW_HEIGHT = 26
SAMPLED = 80  # rows that widths are measured on
FIRST_LEAST, FIRST_MOST, FIRST_SHARE = 150, 280, 0.36  # of the first column, where others must be scrolled to
TEXT_MOST = 330  # pixels of others that hold words
ARROW = 18  # pixels of the head's sort arrow


class LinkedTable(QTableView):
    """`chosen` carries what the selected rows stand for; it is sent for the user's own doing only."""

    chosen = Signal(object)  # frozenset of ids

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rows = ColumnTable(self)
        self._is_following = False
        self._first_shown = -1
        self.spare: tuple[str, ...] = ()  # columns that go, first to last, where there is no room
        self.setModel(self.rows)
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(name)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(40)
        self.setSortingEnabled(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorClearable(True)
        self.selectionModel().selectionChanged.connect(self._selected)

    def set_content(self, content: TableContent) -> None:
        """Another table; where its columns are the same their widths stay."""
        before = [column.id for column in self.rows.content.columns]
        self._is_following = True
        self.rows.set_content(content)
        self._is_following = False
        if before != [column.id for column in content.columns]:
            self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self._fit_columns()

    def set_filter(self, text: str) -> None:
        self._is_following = True
        self.rows.set_filter(text)
        self._is_following = False

    def show_selected(self, ids: frozenset[str]) -> None:
        """Rows that stand for any of these, the first brought into view. Sends nothing."""
        found = self.rows.rows_of(ids)
        last = self.rows.columnCount() - 1
        wanted = QItemSelection()
        for first, end in _stretches(found):
            wanted.select(self.rows.index(first, 0), self.rows.index(end, last))
        self._is_following = True
        self.selectionModel().select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._is_following = False
        self._first_shown = found[0] if found else -1
        if not self.hasFocus():
            self._reveal()

    def _reveal(self) -> None:
        """Brings the first row that was selected elsewhere into view."""
        if 0 <= self._first_shown < self.rows.rowCount():
            self.scrollTo(self.rows.index(self._first_shown, 0), QAbstractItemView.ScrollHint.PositionAtCenter)
            self.horizontalScrollBar().setValue(0)

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        if not self._is_following:
            self._first_shown = -1
            rows = [index.row() for index in self.selectionModel().selectedRows()]
            self.chosen.emit(self.rows.links(rows))

    def _fit_columns(self) -> None:
        """Figures are seen whole; words are cut; the first column takes what is left."""
        if not self.rows.content.columns:
            return
        wanted = [self._wanted(place) for place in range(len(self.rows.content.columns))]
        room = self.viewport().width()
        least = min(wanted[0], FIRST_MOST, max(FIRST_LEAST, int(room * FIRST_SHARE)))
        self._spare_columns(wanted, room - least)
        for place, width in enumerate([max(room - sum(wanted[1:]), least), *wanted[1:]]):
            self.setColumnWidth(place, width)

    def _spare_columns(self, wanted: list[int], room: int) -> None:
        """Hides as many as must be; of those the width becomes 0."""
        keys = [column.id for column in self.rows.content.columns]
        gone: set[int] = set()
        for place in (keys.index(key) for key in self.spare if key in keys):
            if sum(wanted[1:]) > room:
                wanted[place] = 0
                gone.add(place)
        for place in range(len(keys)):
            self.setColumnHidden(place, place in gone)

    def _wanted(self, place: int) -> int:
        """Pixels of a column, told by some of its rows."""
        column, count = self.rows.content.columns[place], len(self.rows.content.links)
        cells = [column.cell(row) for row in range(0, count, max(count // SAMPLED, 1))]
        widest = max((words_width(Words(c.main, c.soft, swatch=c.swatch)) for c in cells), default=0)
        head = QFontMetrics(text_font(12, bold=True)).horizontalAdvance(column.title) + ARROW
        width = max(widest + CELL_PADDING, head) + CELL_PADDING
        return width if column.is_figure else min(width, TEXT_MOST)

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        if event.oldSize().height() != event.size().height():
            self._reveal()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.rows.tsv())
        else:
            super().keyPressEvent(event)


def _stretches(rows: list[int]) -> Iterable[tuple[int, int]]:
    """First and last of each run of rows that follow each other."""
    start = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or rows[place] != rows[place - 1] + 1:
            yield rows[start], rows[place - 1]
            start = place
