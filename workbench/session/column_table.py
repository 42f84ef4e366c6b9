"""A table of equal rows for thousands of layers: cells are made when asked for, numpy sorts and filters."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.session.runs_model import CELL_ROLE, Cell

Index = QModelIndex | QPersistentModelIndex
_NOBODY = QModelIndex()


@dataclass(frozen=True)
class TableColumn:
    """`cell` makes what a row shows; `values` sort the rows: floats (NaN last) or texts. Figures stand at the right."""

    id: str
    title: str
    tip: str
    cell: Callable[[int], Cell]
    values: NDArray[Any]
    is_figure: bool = True


@dataclass(frozen=True)
class TableContent:
    """`links[row]` are the ids that a row stands for; `texts[row]` is what a filter looks through, in lower case.

    `sentence` sums the table up.
    """

    columns: tuple[TableColumn, ...] = ()
    links: Sequence[tuple[str, ...]] = ()
    texts: Sequence[str] = ()
    sentence: str = ""


class ColumnTable(QAbstractTableModel):
    """Sorted and filtered rows of a content. A row here is one that is seen; `content_row` leads back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.content = TableContent()
        self._rows = np.empty(0, dtype=np.int64)
        self._filter: tuple[str, ...] = ()
        self._sorting: tuple[str, bool] | None = None

    def set_content(self, content: TableContent) -> None:
        """Another table; what it is sorted and filtered by stays."""
        self.beginResetModel()
        self.content = content
        self._rows = self._arranged()
        self.endResetModel()

    def set_filter(self, text: str) -> None:
        """Only rows with every word of `text`."""
        words = tuple(text.casefold().split())
        if words != self._filter:
            self.beginResetModel()
            self._filter = words
            self._rows = self._arranged()
            self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column; by none (-1) as the content has them."""
        columns = self.content.columns
        known = 0 <= column < len(columns)
        self._sorting = (columns[column].id, order == Qt.SortOrder.DescendingOrder) if known else None
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        kept = [(self.content_row(index.row()), index.column()) for index in before]
        self._rows = self._arranged()
        place = {at: row for row, at in enumerate(self._rows.tolist())}
        self.changePersistentIndexList(before, [self.index(place[at], column) for at, column in kept])
        self.layoutChanged.emit()

    def content_row(self, row: int) -> int:
        return int(self._rows[row])

    def links(self, rows: Iterable[int]) -> frozenset[str]:
        """What the rows stand for."""
        return frozenset(key for row in rows for key in self.content.links[self.content_row(row)])

    def rows_of(self, ids: frozenset[str]) -> list[int]:
        """Rows that stand for any of these."""
        if not ids:
            return []
        links = self.content.links
        return [row for row, at in enumerate(self._rows.tolist()) if not ids.isdisjoint(links[at])]

    def table(self) -> list[list[str]]:
        """What is seen, as texts, a header first."""
        columns = self.content.columns
        rows = [[column.title for column in columns]]
        for at in self._rows.tolist():
            cells = [column.cell(at) for column in columns]
            rows.append([f"{cell.main} {cell.soft}".strip() for cell in cells])
        return rows

    def tsv(self) -> str:
        return "".join("\t".join(text.replace("\t", " ") for text in row) + "\n" for row in self.table())

    def csv(self) -> str:
        """Figures as plain numbers in the unit of their title, texts as they stand."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.title for column in self.content.columns])
        for at in self._rows.tolist():
            writer.writerow([_plain(column, at) for column in self.content.columns])
        return out.getvalue()

    def _arranged(self) -> NDArray[np.int64]:
        rows = np.arange(len(self.content.links), dtype=np.int64)
        if self._filter:
            texts = self.content.texts
            rows = rows[[all(word in texts[row] for word in self._filter) for row in rows.tolist()]]
        column = next((c for c in self.content.columns if self._sorting and c.id == self._sorting[0]), None)
        if column is None or self._sorting is None:
            return rows
        values = column.values[rows]
        order = np.argsort(values, kind="stable")
        if self._sorting[1]:
            order = order[::-1]
        if values.dtype.kind == "f":  # what has no value is last either way
            missing = np.isnan(values[order])
            order = np.concatenate([order[~missing], order[missing]])
        return rows[order]

    # Qt's model

    def rowCount(self, parent: Index = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self.content.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        column = self.content.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        cell = column.cell(self.content_row(index.row()))
        if role == CELL_ROLE:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{cell.main} {cell.soft}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or f"{cell.main} {cell.soft}".strip()
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.content.columns):
            return None
        column = self.content.columns[section]
        known = {
            Qt.ItemDataRole.DisplayRole: column.title,
            Qt.ItemDataRole.ToolTipRole: column.tip,
            Qt.ItemDataRole.TextAlignmentRole: _side(column),
        }
        return known.get(Qt.ItemDataRole(role))


def _side(column: TableColumn) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.is_figure else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _plain(column: TableColumn, row: int) -> str:
    cell = column.cell(row)
    if column.is_figure and column.values.dtype.kind in "fi":
        value = float(column.values[row])
        return "" if np.isnan(value) else f"{value:.10g}"
    return f"{cell.main} {cell.soft}".strip()
