"""How cells of tables are painted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from workbench.session.runs_model import CELL_ROLE, Cell
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, paint_words, words_width

ROW_HEIGHT = 28
CELL_PADDING = 8
Index = QModelIndex | QPersistentModelIndex


class CellDelegate(QStyledItemDelegate):
    """Paints a figure with its uncertainty small and grey behind it; rows that are `bold` so."""

    def __init__(self, table: QTableView, bold: Callable[[Index], bool] = lambda _index: False) -> None:
        super().__init__(table)
        self._bold = bold

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rect = current(), QRect(option.rect)
        cell: Cell = index.data(CELL_ROLE)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(rect, QColor(theme.accent_ground if is_selected else theme.panel))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), QColor(theme.line))
        room = rect.adjusted(CELL_PADDING, 0, -CELL_PADDING, -1)
        if cell.bar > 0:
            width = max(room.width() * min(cell.bar, 1.0), 1.0)
            painter.fillRect(QRectF(room.x(), room.bottom() - 3, width, 2), QColor(theme.accent))
        words = Words(cell.main, cell.soft, cell.tone, swatch=cell.swatch)
        side = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole))
        is_figure = bool(side & Qt.AlignmentFlag.AlignRight) and cell.span <= 2
        paint_words(painter, room, words, right=is_figure, bold=self._bold(index))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """What the cell wants, were it bold; a reason that takes the place of figures wants nothing."""
        cell: Cell = index.data(CELL_ROLE)
        if cell.span > 1:
            return QSize(0, ROW_HEIGHT)
        words = Words(cell.main, cell.soft, swatch=cell.swatch, bold=True)
        return QSize(words_width(words) + 2 * CELL_PADDING, ROW_HEIGHT)
