"""The rules as a table: cells are edited in place, rows are dragged, Delete removes, the last row adds."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.core.precision import Precision
from workbench.session.plan_rules_model import COLUMNS, FIELDS, FIGURES, SWATCH_ROLE, TONE_ROLE, RulesModel
from workbench.session.session import Session
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, connect_all, paint_words, soft_label, swatch_icon

ROW_HEIGHT = 28
PADDING = 8
NAMES_OFFERED = 5000
WIDTHS = {
    "off": 34,
    "precision": 116,
    "op": 136,
    "first": 44,
    "last": 44,
    "nodes": 74,
    "matched": 68,
    "decided": 72,
}
MONO = ("name", "op", "scope")
HINT = "Rules lower in the list win. Drag rows, or move them with Alt+Up and Alt+Down; Delete removes, typing edits."
Index = QModelIndex | QPersistentModelIndex


class RuleDelegate(QStyledItemDelegate):
    """Paints cells as the other tables are painted; precisions are chosen, names, ops and groups completed."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rect = current(), QRect(option.rect)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        field = FIELDS[index.column()]
        painter.save()
        painter.fillRect(rect, QColor(theme.accent_ground if is_selected else theme.panel))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), QColor(theme.line))
        if field == "off":
            self._paint_box(painter, option, index)
        else:
            words = Words(
                index.data() or "",
                tone=index.data(TONE_ROLE) or "",
                mono=field in MONO and index.data(TONE_ROLE) != "faint",
                swatch=index.data(SWATCH_ROLE),
            )
            paint_words(painter, rect.adjusted(PADDING, 0, -PADDING, -1), words, right=field in FIGURES)
        painter.restore()

    def _paint_box(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None:
            return
        box = QStyleOptionViewItem(option)
        box.rect = QRect(option.rect.x() + PADDING, option.rect.center().y() - 8, 16, 16)
        on = QStyle.StateFlag.State_On if Qt.CheckState(state) is Qt.CheckState.Checked else QStyle.StateFlag.State_Off
        box.state = QStyle.StateFlag.State_Enabled | on
        widget = self.parent()
        assert isinstance(widget, QWidget)
        widget.style().drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, box, painter, widget)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(WIDTHS.get(FIELDS[index.column()], 120), ROW_HEIGHT)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = FIELDS[index.column()]
        if field == "precision":
            return precision_combo(self._session, parent, lambda editor: self.commitData.emit(editor))
        editor = QLineEdit(parent)
        editor.setFrame(False)
        offered = self._offered(field)
        if offered:
            completer = QCompleter(offered, editor)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            editor.setCompleter(completer)
        return editor

    def _offered(self, field: str) -> list[str]:
        matcher = self._session.plan.matcher
        if matcher is None:
            return []
        if field == "op":
            return list(matcher.ops)
        if field == "scope":
            return [scope.id for scope in matcher.scopes.walk() if scope.id and scope.id not in matcher.inferred]
        if field == "name":
            nodes = self._session.links.nodes.values()
            return [node.name for node in list(nodes)[:NAMES_OFFERED] if node.name]
        return []

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        value = index.data(Qt.ItemDataRole.EditRole)
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findData(value))
        elif isinstance(editor, QLineEdit):
            editor.setText(str(value or ""))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        value = editor.currentData() if isinstance(editor, QComboBox) else editor.text()  # type: ignore[attr-defined]
        model.setData(index, value)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(0, 1, 0, -1))


def precision_combo(session: Session, parent: QWidget, chosen: object, *, others: str = "") -> QComboBox:
    """All precisions with their colours; `others` is an entry for none of them. `chosen(combo)` follows a choice."""
    combo = QComboBox(parent)
    if others:
        combo.addItem(others, "")
    for precision in Precision:
        combo.addItem(swatch_icon(precision), precision.label, precision.value)
        combo.setItemData(combo.count() - 1, session.plan.remark(precision), Qt.ItemDataRole.ToolTipRole)
    combo.activated.connect(lambda _index: chosen(combo))  # type: ignore[operator]
    return combo


class RulesTable(QTableView):
    """Rows by mouse and keys."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.rules = RulesModel(session, self)
        self.setModel(self.rules)
        self.setItemDelegate(RuleDelegate(session, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed | trigger.AnyKeyPressed)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAccessibleName("Rules")
        rows, head = self.verticalHeader(), self.horizontalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.setFixedWidth(30)
        rows.setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        head.setHighlightSections(False)
        head.setMinimumSectionSize(30)
        for column, spec in enumerate(COLUMNS):
            if spec.field in WIDTHS:
                self.setColumnWidth(column, WIDTHS[spec.field])
            else:
                head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def chosen(self) -> list[int]:
        """Rows of rules that are selected, from the top."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [row for row in rows if self.rules.rule(row) is not None]

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        is_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.key() == Qt.Key.Key_Delete and self.chosen():
            self._session.plan.remove_rules(self.chosen())
        elif is_alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._go(self.rules.move(row, row + (1 if event.key() == Qt.Key.Key_Down else -1)))
        else:
            super().keyPressEvent(event)

    def _go(self, row: int) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        column = max(self.currentIndex().column(), 0)
        self.selectionModel().setCurrentIndex(self.rules.index(row, column), flags)


class RulesPage(QWidget):
    """The table, with a sentence about the selected rule, or how the table is used."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.table = RulesTable(session)
        self.hint = soft_label(HINT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.table, 1)
        column.addWidget(self.hint)
        self.table.selectionModel().selectionChanged.connect(self._selected)
        connect_all((session.choices_changed, session.model_changed), self._say)

    def _selected(self, _new: object, _old: object) -> None:
        """What the selected rules decide is selected in the graphs."""
        explanation = self._session.plan.explanation
        rows = self.table.chosen()
        if explanation is not None and rows:
            self._session.select_nodes(node for row in rows for node in explanation.decided_by(row))
        self._say()

    def _say(self, _news: object = None) -> None:
        rows = self.table.chosen()
        self.hint.setText((self.table.rules.remark(rows[0]) if len(rows) == 1 else "") or HINT)
