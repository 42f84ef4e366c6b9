"""The groups of the model as a tree: what each runs in, mixed where it is mixed, with boxes to tick."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.core.graph import LayerKind
from workbench.core.precision import Precision
from workbench.core.scopes import Scope, ScopeOrigin
from workbench.session.session import Session
from workbench.session.words import node_label

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
COLUMNS = ("group", "nodes", "precision")
COUNTS_ROLE = Qt.ItemDataRole.UserRole + 1
"""Counter of precisions below an index, the most frequent first."""


class Branch:
    """A row of the tree: a group with what it holds, or a node."""

    __slots__ = ("children", "name", "node", "parent", "row", "scope", "soft")

    def __init__(
        self, name: str, soft: str, parent: Branch | None, row: int, *, scope: str = "", node: str = ""
    ) -> None:
        self.name, self.soft, self.parent, self.row, self.scope, self.node = name, soft, parent, row, scope, node
        self.children: list[Branch] = []


class GroupsModel(QAbstractItemModel):
    """Follows the model and its plan; ticks and precisions become rules for groups, or paint on nodes."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._root = Branch("", "", None, 0)
        self._known: dict[Branch, Counter[Precision]] = {}
        session.model_changed.connect(self._rebuild)
        session.choices_changed.connect(self._recount)
        session.plan.brush_changed.connect(self._tell)
        self._rebuild()

    def _rebuild(self, _news: object = None) -> None:
        matcher = self._session.plan.matcher
        self.beginResetModel()
        self._root = Branch("", "", None, 0)
        if matcher is not None:
            self._fill(self._root, matcher.scopes)
        self._known.clear()
        self.endResetModel()

    def _fill(self, branch: Branch, scope: Scope) -> None:
        nodes = self._session.links.nodes
        for child in scope.children:
            is_named = child.origin is not ScopeOrigin.INFERRED
            name = child.id.removeprefix(f"{scope.id}/") if is_named else self._found_name(child)
            made = Branch(name, "", branch, len(branch.children), scope=child.id)
            branch.children.append(made)
            self._fill(made, child)
        for key in scope.layers:
            if key in nodes:
                node = nodes[key]
                branch.children.append(Branch(node_label(node), node.op, branch, len(branch.children), node=key))

    def _found_name(self, scope: Scope) -> str:
        """Groups that were found by their pattern have one name: told apart by the first node that runs."""
        nodes = self._session.links.nodes
        inside = (nodes[key] for part in scope.walk() for key in part.layers if key in nodes)
        first = next((node for node in inside if node.kind is not LayerKind.CONSTANT), None)
        return scope.name if first is None else f"{scope.name} · {node_label(first)}"

    def _recount(self, _news: object = None) -> None:
        self._known.clear()
        self._tell()

    def _tell(self, _news: object = None) -> None:
        """A group's row changes with any node in it: all that is seen is asked for again."""
        if self._root.children:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._root.children) - 1, len(COLUMNS) - 1))

    def counts(self, branch: Branch) -> Counter[Precision]:
        """Nodes below, by what they are asked to run in, the most frequent first. Found for the rows that are seen.

        Constants run in nothing and are not painted with what reads them: they do not count beside nodes that run.
        """
        if branch not in self._known:
            plan = self._session.plan
            explanation, matcher = plan.explanation, plan.matcher
            if explanation is None or matcher is None:
                return Counter()
            if branch.node:
                self._known[branch] = Counter([explanation.asked[branch.node]])
            else:
                inside = matcher.inside(branch.scope)
                running = inside[matcher.runs[inside]]
                self._known[branch] = explanation.counts(running if running.size else inside)
        return self._known[branch]

    def branch(self, index: Index) -> Branch:
        found = index.internalPointer() if index.isValid() else self._root
        assert isinstance(found, Branch)
        return found

    # what Qt asks

    def index(self, row: int, column: int, parent: Index = _NO_INDEX) -> QModelIndex:
        children = self.branch(parent).children
        if not (0 <= row < len(children) and 0 <= column < len(COLUMNS)):
            return QModelIndex()
        return self.createIndex(row, column, children[row])

    def parent(self, index: Index = _NO_INDEX) -> QModelIndex:  # type: ignore[override]  # QObject's own is another
        above = self.branch(index).parent
        return QModelIndex() if above is None or above is self._root else self.createIndex(above.row, 0, above)

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() and parent.column() > 0 else len(self.branch(parent).children)

    def columnCount(self, _parent: Index = _NO_INDEX) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.isValid() and index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        if index.isValid() and index.column() == 2:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        branch = self.branch(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(branch, index.column())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return self.state(branch)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(branch, index.column())
        if role == Qt.ItemDataRole.EditRole and index.column() == 2:
            return next(iter(self.counts(branch))).value if len(self.counts(branch)) == 1 else ""
        return self.counts(branch) if role == COUNTS_ROLE else None

    def _text(self, branch: Branch, column: int) -> str:
        if column == 0:
            return branch.name
        if column == 1:
            return branch.soft or f"{self.counts(branch).total():,}"
        return counts_words(self.counts(branch))

    def _tip(self, branch: Branch, column: int) -> str:
        if branch.node:
            return f"{branch.name}\n{self._session.plan.why(branch.node)}"
        return f"{branch.scope or branch.name}\n{counts_words(self.counts(branch))}"

    def state(self, branch: Branch) -> Qt.CheckState:
        """Checked: all in the brush's precision; partly: some."""
        counts = self.counts(branch)
        share = counts[self.ticked]
        if not share:
            return Qt.CheckState.Unchecked
        return Qt.CheckState.Checked if share == counts.total() else Qt.CheckState.PartiallyChecked

    @property
    def ticked(self) -> Precision:
        """The precision that a tick means."""
        return self._session.plan.brush or self._session.choices.plan.default

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        branch = self.branch(index)
        if role == Qt.ItemDataRole.CheckStateRole:
            self.ask(branch, self.ticked if Qt.CheckState(value) is not Qt.CheckState.Unchecked else None)
            return True
        if role == Qt.ItemDataRole.EditRole and index.column() == 2:
            if value not in ("", *Precision):
                return False
            self.ask(branch, Precision(value) if value else None)
            return True
        return False

    def ask(self, branch: Branch, precision: Precision | None) -> None:
        """The group or node in this precision; None: as other rules and the default say."""
        plan = self._session.plan
        if not branch.node:
            plan.ask_group(branch.scope, precision)
        elif precision is None:
            plan.erase([branch.node])
        else:
            plan.ask([branch.node], precision)

    def nodes(self, index: Index) -> list[str]:
        """Ids of the nodes below an index, its own included."""
        return [branch.node for branch in _walk(self.branch(index)) if branch.node]


def counts_words(counts: Counter[Precision]) -> str:
    """`INT8`, or where it is mixed `48 INT8, 3 FP32`."""
    if len(counts) == 1:
        return next(iter(counts)).label
    return ", ".join(f"{count:,} {precision.label}" for precision, count in counts.most_common())


def _walk(branch: Branch) -> list[Branch]:
    """The branch and all below it, parents first."""
    found = [branch]
    for each in found:
        found.extend(each.children)
    return found
