"""What is different from another plan to this one: of a run, of a file, of the file it was saved to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.core.errors import WorkbenchError
from workbench.core.precision import PrecisionPlan, Rule
from workbench.core.words import plural
from workbench.session.session import Session
from workbench.session.words import node_label
from workbench.views.controls import DropButton
from workbench.views.files import ask_for_file
from workbench.views.guard import guarded
from workbench.views.plan_files import FILTERS
from workbench.views.theme import current
from workbench.views.widgets import (
    Line,
    Words,
    button,
    empty_label,
    menu_head,
    menu_item,
    paint_words,
    swatch_icon,
    tip,
)

NODE_ROLE = Qt.ItemDataRole.UserRole
WORDS_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_HEIGHT = 26
RUNS_OFFERED = 15
NODES_SHOWN = 2000
EMPTY = "Choose above what to compare this plan with: a run's plan, a file, or what was saved."
THIS = "this plan"
SAME = "No difference: both plans say the same of this model."


Take = Callable[[PrecisionPlan | None, str], object]


class WordsDelegate(QStyledItemDelegate):
    """Paints cells as the other tables are painted."""

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, rect = current(), QRect(option.rect)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(rect, QColor(theme.accent_ground if is_selected else theme.panel))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), QColor(theme.line))
        words = index.data(WORDS_ROLE)
        if words is not None:
            paint_words(painter, rect.adjusted(8, 0, -8, -1), words)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, ROW_HEIGHT)


class DifferencePage(QWidget):
    """A table of fields, rules and nodes; a row that is selected is selected in the graphs."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._before: PrecisionPlan | None = None
        self._after: PrecisionPlan | None = None  # None: the present plan
        self.choose = DropButton(
            partial(self._fill, self.compare), "Compare with", "The plan that counts as before", 260
        )
        self.against = DropButton(partial(self._fill, self.set_after), "Now", "The plan that counts as now", 260)
        self.summary = Line()
        self.show_nodes = button("Show on the graph", "", "Selects every node that runs in another precision")
        self.show_nodes.clicked.connect(self._select_all)
        self.take = button("Use that plan", "", "The plan becomes the one that it is compared with")
        self.take.clicked.connect(self._take)
        self.copy = button("Copy", "", "The table as tab-separated text")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.tsv()))
        head = QHBoxLayout()
        head.setSpacing(8)
        arrow = Line(Words("→", tone="faint"))
        arrow.setFixedWidth(arrow.sizeHint().width())
        for widget in (self.choose, arrow, self.against):
            head.addWidget(widget)
        head.addWidget(self.summary, 1)
        for part in (self.show_nodes, self.take, self.copy):
            head.addWidget(part)
        self.table = QTreeWidget()
        self.table.setColumnCount(4)
        self.table.setHeaderLabels(["what", "before", "now", "why"])
        self.table.setAccessibleName("Differences")
        self.table.setUniformRowHeights(True)
        self.table.setRootIsDecorated(False)
        self.table.setItemDelegate(WordsDelegate(self.table))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 210), (2, 210), (3, 260)):
            self.table.setColumnWidth(column, width)
        self.table.itemSelectionChanged.connect(self._select)
        self.empty = empty_label(EMPTY)
        place = QWidget()
        self._stack = QStackedLayout(place)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(0, 0, 0, 0)
        column_.setSpacing(6)
        column_.addLayout(head)
        column_.addWidget(place, 1)
        session.model_changed.connect(lambda _model: self._forget())
        session.choices_changed.connect(self.refresh)
        self._forget()

    # what it is compared with

    def _fill(self, take: Take, menu: QMenu) -> None:
        """Plans one can compare; `take(plan, title)` takes one."""
        session = self._session
        saved = session.plan.saved
        if take == self.set_after:
            menu_item(menu, THIS, partial(take, None, THIS), on=self._after is None)
        if saved.plan is not None and saved.path is not None:
            menu_item(menu, f"What is saved in {saved.path.name}", partial(take, saved.plan, saved.path.name))
        menu_item(menu, "A file…", partial(self._ask_file, take))
        menu_item(menu, "No rules", partial(take, PrecisionPlan(default=session.plan.value.default), "no rules"))
        runs = [run for run in session.runs if session.is_of_model(run)]
        if runs:
            menu_head(menu, "Plan of a run")
        for run in runs[:RUNS_OFFERED]:
            title = session.runs.titles.of(run)
            item = menu_item(menu, title, partial(take, run.config.plan, title), remark=run.created[:16])
            item.setIcon(swatch_icon(run.config.plan.default))

    def _ask_file(self, take: Take) -> None:
        recent = self._session.plan.saved.recent
        folder = str(Path(recent[0]).parent) if recent else ""
        ask_for_file(self, "Compare with a plan", FILTERS, partial(self._take_file, take), folder)

    def _take_file(self, take: Take, path: str) -> None:
        try:
            take(self._session.plan.peek(Path(path)), Path(path).name)
        except WorkbenchError as error:
            self._session.show_error(error)

    def compare(self, before: PrecisionPlan | None, title: str) -> None:
        """From now on what is different from this plan is shown, whatever is edited."""
        self._before = before
        self.choose.set_words(Words(title))
        self.refresh()

    def set_after(self, after: PrecisionPlan | None, title: str) -> None:
        """What is compared: another plan, or with None the present one."""
        self._after = after
        self.against.set_words(Words(title))
        self.refresh()

    def _forget(self) -> None:
        self._before = self._after = None
        self.choose.set_words(Words("compare with…"))
        self.against.set_words(Words(THIS))
        self.refresh()

    # what is shown

    def refresh(self, _news: object = None) -> None:
        before, after = self._before, self._after
        found = self._session.plan.difference(before, after) if before is not None else None
        self.table.clear()
        self._changed = [change.node for change in found.nodes] if found else []
        for part in (self.show_nodes, self.take, self.copy):
            part.setEnabled(bool(found))
        self.show_nodes.setEnabled(bool(self._changed))
        self.empty.setText(SAME if before is not None else EMPTY)
        self._stack.setCurrentWidget(self.table if found else self.empty)
        self.summary.set_words("")
        if not found:
            return
        self.summary.set_words(
            Words(f"{plural(len(found.nodes), 'node')} in another precision", f"· {plural(len(found.rules), 'rule')}")
        )
        for name, old_value, new_value in found.fields:
            what = Words(name.replace("calibration.", "ranges: ").replace("_", " "))
            self._add(what, Words(old_value), Words(new_value))
        for change in found.rules:
            at = change.index_after if change.index_after is not None else change.index_before
            self._add(Words(f"rule {(at or 0) + 1}"), _rule(change.before), _rule(change.after))
        for node in found.nodes[:NODES_SHOWN]:
            layer = self._session.links.nodes[node.node]
            why = node.why_before if node.why_before == node.why_after else f"{node.why_before} → {node.why_after}"
            old, new = Words(node.before.label, swatch=node.before), Words(node.after.label, swatch=node.after)
            item = self._add(Words(layer.op, node_label(layer)), old, new, Words(why, tone="soft"))
            item.setData(0, NODE_ROLE, node.node)
        if len(found.nodes) > NODES_SHOWN:
            self._add(Words(f"and {len(found.nodes) - NODES_SHOWN:,} nodes more", tone="soft"))

    def _add(self, *cells: Words) -> QTreeWidgetItem:
        item = QTreeWidgetItem()
        for column, words in enumerate(cells):
            item.setText(column, f"{words.main} {words.soft}".strip())
            item.setToolTip(column, tip(item.text(column)))
            item.setData(column, WORDS_ROLE, words)
        self.table.addTopLevelItem(item)
        return item

    def tsv(self) -> str:
        """The table as text."""
        rows = [["what", "before", "now", "why"]]
        for at in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(at)
            if item is not None:
                rows.append([item.text(column).replace("\t", " ") for column in range(4)])
        return "\n".join("\t".join(row) for row in rows)

    # what it does

    def _select(self) -> None:
        nodes = [item.data(0, NODE_ROLE) for item in self.table.selectedItems()]
        if any(nodes):
            self._session.select_nodes(node for node in nodes if node)

    def _select_all(self) -> None:
        self._session.select_nodes(self._changed)

    def _take(self) -> None:
        if self._before is not None:
            self._session.plan.set_plan(self._before, f"that of {self.choose.words().main}")


def _rule(rule: Rule | None) -> Words:
    if rule is None:
        return Words("—", tone="faint")
    return Words(rule.precision.label, rule.words + (" (off)" if rule.off else ""), swatch=rule.precision)
