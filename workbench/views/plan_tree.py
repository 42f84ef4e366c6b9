"""The groups of the model as a tree: ticked or not in the precision of the brush, with a precision for each."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from workbench.session.plan_groups_model import COUNTS_ROLE, GroupsModel
from workbench.session.session import Session
from workbench.views.guard import guarded
from workbench.views.plan_table import precision_combo
from workbench.views.theme import current
from workbench.views.widgets import Words, paint_words, soft_label

ROW_HEIGHT = 26
PRECISION = 2
BAR = 46
Index = QModelIndex | QPersistentModelIndex


class GroupDelegate(QStyledItemDelegate):
    """The precision with its colour, or where it is mixed a small bar of the shares; chosen in place."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.column() != PRECISION:
            super().paint(painter, option, index)
            return
        counts = index.data(COUNTS_ROLE)
        rect = QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(current().accent_ground))
        room = rect.adjusted(8, 0, -8, 0)
        if len(counts) == 1:
            paint_words(painter, room, Words(index.data(), swatch=next(iter(counts))))
        elif counts:
            self._paint_shares(painter, room, counts)
            paint_words(painter, room.adjusted(BAR + 10, 0, 0, 0), Words("mixed", index.data()))
        painter.restore()

    def _paint_shares(self, painter: QPainter, rect: QRect, counts: dict[object, int]) -> None:
        x, total = float(rect.x()), sum(counts.values())
        for precision, count in counts.items():
            width = BAR * count / total
            part = QRect(round(x), rect.center().y() - 3, max(round(x + width) - round(x), 1), 8)
            painter.fillRect(part, QColor(current().precision[precision]))  # type: ignore[index]
            x += width

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), ROW_HEIGHT)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        def chosen(combo: object) -> None:
            assert isinstance(combo, QComboBox)
            self.commitData.emit(combo)
            self.closeEditor.emit(combo)

        combo = precision_combo(self._session, parent, chosen, others="as other rules say")
        combo.setPlaceholderText("mixed")
        return combo

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        value = index.data(Qt.ItemDataRole.EditRole)
        editor.setCurrentIndex(editor.findData(value) if value else -1)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        if editor.currentIndex() >= 0:
            model.setData(index, editor.currentData())


class GroupsPage(QWidget):
    """The tree, or why there are no groups. A row that is selected is selected in the graphs."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.groups = GroupsModel(session, self)
        self.tree = QTreeView()
        self.tree.setModel(self.groups)
        self.tree.setItemDelegate(GroupDelegate(session, self.tree))
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName("Groups")
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.tree.setEditTriggers(trigger.SelectedClicked | trigger.DoubleClicked | trigger.EditKeyPressed)
        head = self.tree.header()
        head.setStretchLastSection(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.setColumnWidth(1, 150)
        self.tree.setColumnWidth(PRECISION, 340)
        self.tree.setExpandsOnDoubleClick(False)
        self.hint = soft_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.tree, 1)
        column.addWidget(self.hint)
        self.tree.selectionModel().selectionChanged.connect(self._selected)
        session.plan.brush_changed.connect(self._say)
        session.model_changed.connect(self._say)
        session.choices_changed.connect(self._say)
        self._say()

    def _selected(self, _new: object, _old: object) -> None:
        rows = self.tree.selectionModel().selectedRows()
        self._session.select_nodes(node for row in rows for node in self.groups.nodes(row))

    def _say(self, _news: object = None) -> None:
        ticked = self.groups.ticked.label
        if self.groups.ticked is self._session.plan.value.default:
            self.hint.setText(
                f"A tick means {ticked}, the plan's default: take another brush to ask for something else by ticks, or"
                " double-click a precision."
            )
            return
        self.hint.setText(
            f"A tick means {ticked}, the brush's precision: ticking a group asks {ticked} of all its nodes, and"
            " unticking leaves them to other rules and the default. Double-click a precision to choose another."
        )
