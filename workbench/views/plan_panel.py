"""The precision plan: its default and its rules, added for the selected nodes, an op, or a name pattern."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from functools import partial

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QContextMenuEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from workbench.core.graph import Layer
from workbench.core.precision import Precision, Rule
from workbench.session.choices import rule_words
from workbench.session.session import Session
from workbench.session.words import plural
from workbench.views.controls import DropButton
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.toolbar import OFFERED
from workbench.views.widgets import (
    Head,
    Line,
    Words,
    button,
    connect_all,
    menu_head,
    menu_item,
    soft_label,
    swatch_icon,
)

OPS_OFFERED = 14


class RuleRow(QWidget):
    """One rule in a rounded frame: colour, what it selects, how many nodes, and a cross to remove it."""

    def __init__(self, words: Words, count: str, mono: bool) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 3, 6, 3)
        row.setSpacing(6)
        self.line = Line(words)
        self.line.setToolTip(self.line.toolTip())
        row.addWidget(self.line, 1)
        tail = Line(Words(count, tone="soft"))
        tail.setFixedWidth(tail.sizeHint().width())
        row.addWidget(tail)
        self.remove = button("×", "ghost", "Remove this rule")
        self.remove.setFixedWidth(18)
        row.addWidget(self.remove)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(current().line), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class PlanPanel(QWidget):
    """Follows the choices; every edit is one undoable choice."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.rows: list[RuleRow] = []
        head = QHBoxLayout()
        head.addWidget(Head("Precision plan"), 1)
        self.add = DropButton(self._fill_add, "Add a rule", "Another precision for some nodes")
        self.add.set_words(Words("+ rule", tone="accent"))
        self.add.setFixedHeight(24)
        head.addWidget(self.add)
        self._column = QVBoxLayout()
        self._column.setSpacing(5)
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("name pattern, as */attn/*   Enter adds")
        self.pattern.setAccessibleName("Name pattern of a new rule")
        self.pattern.hide()
        self.pattern.returnPressed.connect(self._add_pattern)
        self._pattern_precision = Precision.FP32
        self._summary = soft_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(self._column)
        column.addWidget(self.pattern)
        column.addWidget(self._summary)
        connect_all((session.choices_changed, session.model_changed, session.backends_changed), self._show)
        self._show()

    def _show(self, _news: object = None) -> None:
        session = self._session
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        plan = session.choices.plan
        method = plan.calibration.method.value if plan.needs_calibration else ""
        first = RuleRow(
            Words(f"default {plan.default.label}", swatch=plan.default),
            method.upper() if method == "mse" else method,
            False,
        )
        first.remove.hide()
        self._put(first)
        for index, rule in enumerate(plan.rules):
            count = len(self.matches(rule))
            words = Words(
                rule_words(rule),
                swatch=rule.precision,
                mono=not rule.nodes,
                tip=f"{rule.precision.label}: {rule_words(rule)}",
            )
            row = RuleRow(words, plural(count, "node"), True)
            row.remove.clicked.connect(lambda _on=False, i=index: self._remove(i))
            self._put(row)
        self._summary.setText(self.summary())
        self.add.setEnabled(session.has_model)

    def _put(self, row: RuleRow) -> None:
        self.rows.append(row)
        self._column.addWidget(row)

    def summary(self) -> str:
        """How many nodes are asked for what, and what the backend says about it."""
        return " ".join(filter(None, [self._counts(), self._remark()]))

    def _counts(self) -> str:
        session = self._session
        if session.model is None:
            return ""
        counts = Counter(precision.label for precision in session.asked.values())
        rules = len(session.choices.plan.rules)
        parts = ", ".join(f"{count:,} {label}" for label, count in counts.most_common())
        if not rules:
            return f"{plural(counts.total(), 'node')} in {session.choices.plan.default.label}."
        return f"{rules} rule{'' if rules == 1 else 's'} · {parts}"

    def _remark(self) -> str:
        """What the backend says about the default precision: why not, or how where it is not the plain way."""
        choices = self._session.choices
        info = self._session.backends.get(choices.backend)
        if info is None:
            return ""
        precision = choices.plan.default
        return info.precisions.get(precision, "") or info.remarks.get(precision, "")

    def matches(self, rule: Rule) -> list[Layer]:
        """Nodes a rule selects by itself, later rules aside."""
        nodes = self._session.links.nodes.values()
        chosen = frozenset(rule.nodes)
        return [
            node
            for node in nodes
            if (not chosen or node.id in chosen)
            and (not rule.op or node.op == rule.op)
            and (not rule.name or fnmatchcase(node.name, rule.name))
        ]

    # edits

    def _fill_add(self, menu: QMenu) -> None:
        selected = sorted(self._session.selection.nodes)
        for precision in OFFERED:
            sub = menu.addMenu(swatch_icon(precision), precision.label)
            reason = "" if selected else "Select nodes in a graph first"
            text = f"{len(selected)} selected node{'' if len(selected) == 1 else 's'}" if selected else "Selected nodes"
            menu_item(sub, text, partial(self.add_selected, precision), reason=reason)
            menu_item(sub, "Names that match…", partial(self._ask_pattern, precision))
            menu_head(sub, "Every node of op")
            ops = Counter(node.op for node in self._session.links.nodes.values())
            for op, count in ops.most_common(OPS_OFFERED):
                menu_item(sub, f"{op}  {count}", partial(self.add_rule, Rule(precision, op=op)))

    def add_selected(self, precision: Precision) -> None:
        nodes = tuple(sorted(self._session.selection.nodes))
        if nodes:
            self.add_rule(Rule(precision, nodes=nodes))

    def add_rule(self, rule: Rule) -> None:
        rules = (*self._session.choices.plan.rules, rule)
        self._session.choose_all(
            self._session.choices.with_plan(rules=rules), f"Rule {rule_words(rule)} {rule.precision.label}"
        )

    def _ask_pattern(self, precision: Precision) -> None:
        self._pattern_precision = precision
        self.pattern.show()
        self.pattern.setFocus()

    def _add_pattern(self) -> None:
        text = self.pattern.text().strip()
        self.pattern.clear()
        self.pattern.hide()
        if text:
            self.add_rule(Rule(self._pattern_precision, name=text))

    def _remove(self, index: int) -> None:
        rules = self._session.choices.plan.rules
        after = self._session.choices.with_plan(rules=(*rules[:index], *rules[index + 1 :]))
        self._session.choose_all(after, f"Remove rule {rule_words(rules[index])}")

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._session.has_model:
            self.add.showMenu()
