"""The runs table: several rows selected are compared, the last one clicked is the current run."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStackedLayout,
    QTableView,
    QWidget,
)

from workbench.session.runs_model import COLUMNS, RUN_ROLE, RunsModel
from workbench.session.session import Session
from workbench.views.cells import CELL_PADDING, ROW_HEIGHT, CellDelegate
from workbench.views.guard import guarded
from workbench.views.widgets import empty_label

ARROW = 18  # pixels of a head's sort arrow
RUN_MOST = 210  # pixels that the names of runs keep, if they take so much
GIVEN_UP = ("memory", "size", "sqnr")  # columns that a narrow table does without, in this order


class RunsTable(QTableView):
    """Rows by mouse and keys; Ctrl+C copies the table's text."""

    def __init__(self, session: Session, menu: QMenu) -> None:
        super().__init__()
        self._session = session
        self._menu = menu
        self.runs = RunsModel(self)
        self.setModel(self.runs)
        self.setItemDelegate(CellDelegate(self, lambda index: index.data(RUN_ROLE) == self.runs.current))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Runs")
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(48)
        self.setSortingEnabled(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.sortIndicatorChanged.connect(lambda _column, _order: self._fit_columns())
        self._is_following = False
        self.runs.layoutChanged.connect(self._span)
        self.selectionModel().selectionChanged.connect(self._selected)
        session.compared_changed.connect(self._follow)
        session.current_changed.connect(self._follow)

    def refresh(self) -> None:
        session = self._session
        self.runs.current = session.current.id if session.current else ""
        self._is_following = True
        runs = list(session.visible_runs())
        raced = {run.id: found for run in runs if (found := session.races.of(run)) is not None}
        self.runs.set_runs(runs, session.baseline, raced, session.targets)
        self._is_following = False
        self._span()
        self._fit_columns()
        self._follow()

    def _span(self) -> None:
        """Reasons take the place of the figures they explain."""
        self.clearSpans()
        for row in range(self.runs.rowCount()):
            for column in range(len(COLUMNS)):
                if (span := self.runs.cell(row, column).span) > 1:
                    self.setSpan(row, column, 1, span)

    def _fit_columns(self) -> None:
        """Every figure is seen whole; where there is no room, whole columns are given up."""
        widths = {spec.id: self._wanted(column) for column, spec in enumerate(COLUMNS) if column}
        room = self.viewport().width() - min(self._wanted(0), RUN_MOST)
        for column, spec in enumerate(COLUMNS):
            if column:
                self.setColumnWidth(column, widths[spec.id])
        for name in GIVEN_UP:
            column = [spec.id for spec in COLUMNS].index(name)
            is_hidden = sum(widths.values()) > room
            self.setColumnHidden(column, is_hidden)
            if is_hidden:
                del widths[name]

    def _wanted(self, column: int) -> int:
        """Pixels of a column, seen or not; its head has an arrow where the table is sorted by it."""
        head = self.horizontalHeader()
        title = str(self.runs.headerData(column, Qt.Orientation.Horizontal))
        arrow = ARROW if head.sortIndicatorSection() == column else 0
        wide = QFontMetrics(head.font()).horizontalAdvance(title) + 2 * CELL_PADDING + arrow + 2
        return max(self.sizeHintForColumn(column), wide)

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _selected(self, _new: QItemSelection, _old: QItemSelection) -> None:
        if self._is_following:
            return
        rows = [index.row() for index in self.selectionModel().selectedRows()]
        ids = [run.id for run in (self.runs.run_at(row) for row in rows) if run is not None]
        at = self.runs.run_at(self.currentIndex().row())
        self._is_following = True
        if at is not None and at.id in ids:
            self._session.set_compared([at.id, *(run_id for run_id in ids if run_id != at.id)])
            self._session.set_current(at.id)
        elif ids:
            self._session.set_compared(ids)
            self._session.set_current(ids[0])
        self._is_following = False
        self.runs.current = self._session.current.id if self._session.current else ""
        self.viewport().update()

    def _follow(self, _news: object = None) -> None:
        """The session's choice of runs, shown as selection."""
        self.runs.current = self._session.current.id if self._session.current else ""
        if self._is_following:
            return
        self._is_following = True
        model = self.selectionModel()
        wanted = QItemSelection()
        last = len(COLUMNS) - 1
        for run_id in self._session.compared:
            row = self.runs.row_of(run_id)
            if row >= 0:
                wanted.select(self.runs.index(row, 0), self.runs.index(row, last))
        model.select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        row = self.runs.row_of(self.runs.current)
        if row >= 0:
            model.setCurrentIndex(self.runs.index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
        self._is_following = False
        self.viewport().update()

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.runs.tsv())
        elif event.key() == Qt.Key.Key_Delete:
            next(a for a in self._menu.actions() if a.objectName() == "delete").trigger()
        else:
            super().keyPressEvent(event)

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._menu.popup(event.globalPos())


class RunsView(QWidget):
    """The table, or the sentence of an empty one."""

    def __init__(self, session: Session, menu: QMenu) -> None:
        super().__init__()
        self._session = session
        self.table = RunsTable(session, menu)
        self.empty = empty_label(
            "Every build becomes a row here: time, size, memory, accuracy. Select several to compare them."
        )
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        session.runs.changed.connect(self.refresh)
        session.model_changed.connect(self.refresh)
        session.settings.changed.connect(self.refresh)
        session.races.ended.connect(self.refresh)
        session.backends_changed.connect(self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        self.table.refresh()
        self._stack.setCurrentWidget(self.table if self.table.runs.rowCount() else self.empty)
