"""The rules of the plan as a table, edited in place. The last row is empty: what is typed there is a new rule."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.core.precision import Precision, Rule
from workbench.core.words import plural
from workbench.session.session import Session

Index: TypeAlias = QModelIndex | QPersistentModelIndex
MIME = "application/x-workbench-rule"
TONE_ROLE = Qt.ItemDataRole.UserRole + 1
SWATCH_ROLE = Qt.ItemDataRole.UserRole + 2
_NO_INDEX = QModelIndex()
_MOST = 1_000_000_000


class RuleColumn(msgspec.Struct, frozen=True):
    """`field` is the rule's; `hint` stands in the empty row."""

    field: str
    title: str
    tooltip: str
    hint: str = ""


COLUMNS = (
    RuleColumn("off", "on", "A rule can be switched off without losing it"),
    RuleColumn("precision", "precision", "What the nodes run in"),
    RuleColumn("name", "name", "A pattern over node names: * is anything, ? one character", "name pattern"),
    RuleColumn("op", "op", "An operator: Conv, Softmax", "op"),
    RuleColumn("scope", "group", "A pattern over groups, at any depth: layers.*/attn", "group"),
    RuleColumn("first", "first", "The first so many layers with weights, of those selected"),
    RuleColumn("last", "last", "The last so many layers with weights, of those selected"),
    RuleColumn("nodes", "nodes", "Nodes chosen one by one, by painting or from the selection"),
    RuleColumn("matched", "selects", "Nodes the rule selects by itself"),
    RuleColumn("decided", "decides", "Nodes it has the last word on: later rules select none of them"),
    RuleColumn("note", "note", "Why the rule is there", "note"),
)
FIELDS = tuple(column.field for column in COLUMNS)
FIGURES = ("first", "last", "matched", "decided")
_EDITABLE = ("precision", "name", "op", "scope", "first", "last", "note")
_SELECTORS = ("name", "op", "scope", "first", "last")


class RulesModel(QAbstractTableModel):
    """Follows the session's plan; every edit goes to it."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rules: tuple[Rule, ...] = ()
        session.model_changed.connect(self._reset)
        for signal in (session.choices_changed, session.plan.brush_changed):
            signal.connect(self.refresh)
        self._reset()

    def _reset(self, _news: object = None) -> None:
        self.beginResetModel()
        self._rules = self._session.choices.plan.rules
        self.endResetModel()

    def refresh(self, _news: object = None) -> None:
        """Rows come and go at the end, and all are read anew: an open editor and the selection keep their places."""
        rules, had = self._session.choices.plan.rules, len(self._rules)
        if len(rules) > had:
            self.beginInsertRows(_NO_INDEX, had, len(rules) - 1)
            self._rules = rules
            self.endInsertRows()
        elif len(rules) < had:
            self.beginRemoveRows(_NO_INDEX, len(rules), had - 1)
            self._rules = rules
            self.endRemoveRows()
        self._rules = rules
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(len(rules), len(COLUMNS) - 1))

    def rule(self, row: int) -> Rule | None:
        """None for the empty row."""
        return self._rules[row] if 0 <= row < len(self._rules) else None

    # what Qt asks

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() or not self._session.has_model else len(self._rules) + 1

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical:
            is_rule = section < len(self._rules)
            return str(section + 1) if is_rule and role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if COLUMNS[section].field in FIGURES else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return COLUMNS[section].tooltip if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        field, rule = FIELDS[index.column()], self.rule(index.row())
        if field in (_EDITABLE if rule is not None else _SELECTORS):
            flags |= Qt.ItemFlag.ItemIsEditable
        if rule is not None:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
            flags |= Qt.ItemFlag.ItemIsUserCheckable if field == "off" else flags
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        field, rule = FIELDS[index.column()], self.rule(index.row())
        if rule is None:
            return self._empty(index.column(), role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), rule, field)
        if role == Qt.ItemDataRole.EditRole:
            value = getattr(rule, field, "")
            return value.value if isinstance(value, Precision) else value
        if role == Qt.ItemDataRole.CheckStateRole and field == "off":
            return Qt.CheckState.Unchecked if rule.off else Qt.CheckState.Checked
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(index.row(), rule, field)
        if role == TONE_ROLE:
            return self._tone(index.row(), rule, field)
        return rule.precision if role == SWATCH_ROLE and field == "precision" else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        field, rule = FIELDS[index.column()], self.rule(index.row())
        if field == "off" and role == Qt.ItemDataRole.CheckStateRole and rule is not None:
            value = Qt.CheckState(value) is Qt.CheckState.Unchecked
        elif role != Qt.ItemDataRole.EditRole or (value := _checked(field, value)) is None:
            return False
        if rule is not None:
            self._session.plan.set_rule(index.row(), msgspec.structs.replace(rule, **{field: value}))
        elif value and field in _SELECTORS:
            new = Rule(self._session.plan.brush or Precision.FP32)
            self._session.plan.add_rule(msgspec.structs.replace(new, **{field: value}))
        return True

    # words

    def _text(self, row: int, rule: Rule, field: str) -> str:
        explanation = self._session.plan.explanation
        match field:
            case "precision":
                return rule.precision.label
            case "nodes":
                return plural(len(rule.nodes), "node") if rule.nodes else ""
            case "first" | "last":
                return str(getattr(rule, field) or "")
            case "matched":
                return f"{explanation.matched[row]:,}" if explanation else ""
            case "decided":
                return "off" if rule.off else f"{explanation.decided[row]:,}" if explanation else ""
        return "" if field == "off" else str(getattr(rule, field))

    def _tip(self, row: int, rule: Rule, field: str) -> str:
        if field == "nodes" and rule.nodes:
            return "\n".join(rule.nodes[:20]) + ("\n…" if len(rule.nodes) > 20 else "")
        if field in ("matched", "decided"):
            return self.remark(row) or COLUMNS[FIELDS.index(field)].tooltip
        return self._text(row, rule, field) or COLUMNS[FIELDS.index(field)].tooltip

    def remark(self, row: int) -> str:
        """Why a rule is without effect, in a sentence; empty: it has one."""
        explanation, rule = self._session.plan.explanation, self.rule(row)
        if explanation is None or rule is None:
            return ""
        if rule.off:
            return "This rule is switched off."
        if row in explanation.shadowed:
            return "This rule decides nothing: later rules select all of its nodes."
        head = f"Rule {row + 1} "
        return next((text for text in explanation.problems if text.startswith(head)), "")

    def _tone(self, row: int, rule: Rule, field: str) -> str:
        explanation = self._session.plan.explanation
        if explanation is not None and not rule.off and not explanation.matched[row]:
            return "bad" if field in ("matched", "decided") else ""
        return "faint" if rule.off or (explanation is not None and row in explanation.shadowed) else ""

    def _empty(self, column: int, role: int) -> Any:
        spec = COLUMNS[column]
        if role == Qt.ItemDataRole.DisplayRole:
            brush = self._session.plan.brush or Precision.FP32
            return brush.label if spec.field == "precision" else spec.hint
        if role == Qt.ItemDataRole.EditRole:
            return 0 if spec.field in ("first", "last") else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return "Type here for a new rule in the precision of the brush."
        return "faint" if role == TONE_ROLE else None

    # moving rows

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Any) -> QMimeData:
        data = QMimeData()
        data.setData(MIME, str(min(index.row() for index in indexes)).encode())
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Moves the rule itself; False, so that the view removes nothing."""
        if not data.hasFormat(MIME):
            return False
        source = int(bytes(data.data(MIME).data()))
        target = row if row >= 0 else parent.row() if parent.isValid() else len(self._rules)
        target = min(target, len(self._rules))
        self.move(source, target - (target > source))
        return False

    def move(self, source: int, target: int) -> int:
        """The rule at `source` goes to `target`; where it ends is told."""
        if self.rule(source) is None or self.rule(target) is None or source == target:
            return source
        self._session.plan.move_rule(source, target)
        return target


def _checked(field: str, value: Any) -> Any:
    """What was typed, in the field's type; None where it is none."""
    if field == "precision":
        return Precision(value) if value in list(Precision) else None
    if field in ("first", "last"):
        text = str(value).strip() or "0"
        return min(int(text), _MOST) if text.isascii() and text.isdecimal() else None
    return str(value).strip()
