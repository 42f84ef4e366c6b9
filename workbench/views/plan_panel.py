"""The precision plan at the left: default and rules in short, what they come to, the paint box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from workbench.core.precision import Precision, Rule
from workbench.core.words import plural
from workbench.session.choices import method_words
from workbench.session.session import Session
from workbench.views.canvas.pointer import Tool
from workbench.views.controls import DropButton
from workbench.views.guard import guarded
from workbench.views.panes import Panes
from workbench.views.plan_brush import PaintBox
from workbench.views.plan_files import PlanFiles
from workbench.views.plan_menu import fill_plan_menu
from workbench.views.plan_row import RuleRow, short_words
from workbench.views.plan_window import PlanWindow
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
    tab_before,
)

OPS_OFFERED = 14
RULES_SHOWN = 5


class PlanPanel(QWidget):
    """Follows the choices; every edit is one undoable choice. `edit` and the like are actions of the window."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAcceptDrops(True)
        self.rows: list[RuleRow] = []
        self.files = PlanFiles(session, self)
        self._window: PlanWindow | None = None
        self.add = DropButton(self._fill_add, "Add a rule", "Another precision for some nodes")
        self.add.set_words(Words("+ rule", tone="accent"))
        self.add.setFixedHeight(24)
        self.more = button("⋯", "ghost", "Edit, open, save, copy and compare the plan")
        self.more.setAccessibleName("Plan menu")
        self._menu = QMenu(self.more)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill_more)
        self.more.setMenu(self._menu)
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("name pattern, as */attn/*   Enter adds")
        self.pattern.setAccessibleName("Name pattern of a new rule")
        self.pattern.hide()
        self.pattern.returnPressed.connect(self._add_pattern)
        self._pattern_precision = Precision.FP32
        self._rules = QVBoxLayout()
        self._rules.setSpacing(5)
        self._summary = soft_label()
        self.limited = Line(clickable=True, px=12)
        self.limited.clicked.connect(lambda: session.select_nodes(session.plan.limits))
        self.paint = PaintBox(session)
        self._lay_out()
        connect_all((session.choices_changed, session.model_changed, session.backends_changed), self._show)
        self._show()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(Head("Precision plan"), 1)
        head.addWidget(self.add)
        head.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.paint)
        column.addLayout(self._rules)
        for part in (self.pattern, self._summary, self.limited):
            column.addWidget(part)

    def attach(self, panes: Panes) -> None:
        """Strokes on the source graph are edits from now on, and a right click on either graph offers precisions."""
        self.paint.attach(panes.source.canvas)
        panes.source.canvas.tell_more = self._tell_more
        panes.source.canvas.tool_changed.connect(partial(self._show_precisions, panes))
        for canvas, is_source in ((panes.source.canvas, True), (panes.engine.canvas, False)):
            canvas.context_menu_requested.connect(partial(self._offer, canvas, is_source))

    def _show_precisions(self, panes: Panes, tool: Tool) -> None:
        """Who paints wants to see the paint."""
        overlays = panes.source.overlays
        if tool is not Tool.SELECT and overlays.current != "precision":
            overlays.choose("precision")
            overlays.chosen.emit("precision")

    def _tell_more(self, nodes: Sequence[str]) -> str:
        """The end of a node's tooltip."""
        verdict = self._session.verdicts.tell(nodes[0]) if len(nodes) == 1 else ""
        return "".join(f"\n{text}" for text in (verdict, self._session.plan.tell(nodes)) if text)

    def _offer(self, canvas: QWidget, is_source: bool, ids: frozenset[str], place: QPoint) -> None:
        menu = QMenu(canvas)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        fill_plan_menu(menu, self._session, ids if is_source else self._session.links.nodes_of(ids))
        menu.addSeparator()
        menu.addActions(canvas.context_actions())  # type: ignore[attr-defined]
        menu.popup(place)

    # what it shows

    def _show(self, _news: object = None) -> None:
        keys = QApplication.focusWidget()
        had_keys = next((at for at, row in enumerate(self.rows) if keys in (row, row.remove)), -1)
        for row in self.rows:
            self._rules.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        plan = self._session.choices.plan
        method = method_words(plan.calibration.method) if plan.needs_calibration else ""
        first = RuleRow(Words(f"default {plan.default.label}", swatch=plan.default), Words(method, tone="soft"))
        first.remove.hide()
        self._put(first, -1)
        for index in range(min(len(plan.rules), RULES_SHOWN)):
            self._put(self._row(index, plan.rules[index]), index)
        if len(plan.rules) > RULES_SHOWN:
            rest = RuleRow(Words(f"and {plural(len(plan.rules) - RULES_SHOWN, 'rule')} more", tone="soft"), Words(""))
            rest.remove.hide()
            rest.clicked.connect(self.edit)
            self.rows.append(rest)
            self._rules.addWidget(rest)
        tab_before(self.pattern, (part for row in self.rows for part in (row, row.remove)))
        if had_keys >= 0:
            row = self.rows[min(had_keys, len(self.rows) - 1)]
            row.show()
            row.setFocus()
        self._summary.setText(self.summary())
        limited = len(self._session.plan.limits)
        words = f"{plural(limited, 'node')} will not run as asked"
        self.limited.set_words(Words(words, tone="bad", tip=self._why_limited()))
        self.limited.setVisible(bool(limited))
        self.add.setEnabled(self._session.has_model)
        self.more.setEnabled(self._session.has_model)

    def _row(self, index: int, rule: Rule) -> RuleRow:
        explanation = self._session.plan.explanation
        matched = explanation.matched[index] if explanation else 0
        is_shadowed = explanation is not None and index in explanation.shadowed
        said = "off" if rule.off else "shadowed" if is_shadowed else plural(matched, "node") if matched else "no node"
        tone = "faint" if rule.off or is_shadowed else "soft" if matched or explanation is None else "bad"
        note = f"\n{rule.note}" if rule.note else ""
        words = Words(
            short_words(rule),
            swatch=rule.precision,
            mono=bool(rule.name or rule.op or rule.scope),
            tone="faint" if tone == "faint" else "",
            tip=f"Rule {index + 1}, {rule.precision.label}: {rule.words}{note}",
        )
        return RuleRow(words, Words(said, tone=tone))

    def _put(self, row: RuleRow, index: int) -> None:
        """Row and rule (-1: the default): a click selects what the rule decides, a double click opens the editor."""
        row.clicked.connect(partial(self._select, index))
        row.opened.connect(self.edit)
        row.remove.clicked.connect(lambda: self._session.plan.remove_rules([index]))
        self.rows.append(row)
        self._rules.addWidget(row)

    def _select(self, index: int) -> None:
        explanation = self._session.plan.explanation
        if explanation is not None:
            self._session.select_nodes(explanation.decided_by(index))

    def summary(self) -> str:
        """How many nodes are asked for what, what the backend says of the default, and rules that fit nothing."""
        problems = self._session.plan.problems
        return "\n".join(filter(None, [self._counts(), self._remark(), *problems[:2]]))

    def _counts(self) -> str:
        explanation = self._session.plan.explanation
        if explanation is None:
            return ""
        plan, counts = explanation.plan, explanation.counts()
        if not plan.rules:
            return f"{plural(counts.total(), 'node')} in {plan.default.label}."
        said = ", ".join(f"{count:,} {precision.label}" for precision, count in counts.items())
        return f"{plural(len(plan.rules), 'rule')} · {said}"

    def _remark(self) -> str:
        """What the backend says about the default precision: why not, or how where it is not the plain way."""
        return self._session.plan.remark(self._session.choices.plan.default)

    def _why_limited(self) -> str:
        reasons = Counter(self._session.plan.limits.values())
        return "\n".join(f"{plural(count, 'node')}: {reason}" for reason, count in reasons.most_common(6))

    # edits

    def _fill_add(self, menu: QMenu) -> None:
        plan, count = self._session.plan, len(self._session.selection.nodes)
        for precision in Precision:
            sub = menu.addMenu(swatch_icon(precision), precision.label)
            sub.setToolTipsVisible(True)
            words = plural(count, "selected node") if count else "Selected nodes"
            reason = "" if count else "Select nodes in a graph first"
            menu_item(sub, words, partial(plan.add_selected, precision), reason=reason)
            menu_item(sub, "Names that match…", partial(self._ask_pattern, precision))
            menu_item(sub, "First and last layer", partial(plan.add_rule, Rule(precision, first=1, last=1)))
            menu_head(sub, "Every node of op")
            ops = plan.matcher.ops if plan.matcher is not None else {}
            for op, nodes in list(ops.items())[:OPS_OFFERED]:
                menu_item(sub, f"{op}  {nodes}", partial(plan.add_rule, Rule(precision, op=op)))

    def _fill_more(self) -> None:
        self._menu.clear()
        menu_item(self._menu, "Edit plan…", self.edit)
        menu_item(self._menu, "What is different…", lambda: self.edit("difference"))
        self.files.fill(self._menu)
        self._menu.addSeparator()
        plan = self._session.plan
        shadowed = plan.explanation.shadowed if plan.explanation else ()
        menu_item(self._menu, "Remove shadowed rules", plan.drop_shadowed, reason="" if shadowed else "There are none")
        menu_item(self._menu, "Remove all rules", plan.clear, reason="" if plan.value.rules else "There are none")

    def add_selected(self, precision: Precision) -> None:
        self._session.plan.add_selected(precision)

    def _ask_pattern(self, precision: Precision) -> None:
        self._pattern_precision = precision
        self.pattern.show()
        self.pattern.setFocus()

    def _add_pattern(self) -> None:
        text = self.pattern.text().strip()
        self.pattern.clear()
        self.pattern.hide()
        if text:
            self._session.plan.add_rule(Rule(self._pattern_precision, name=text))

    def rule_for_selection(self) -> None:
        """A menu of precisions for the selected nodes, at the plan."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_plan_menu(menu, self._session, self._session.selection.nodes)
        menu.popup(self.mapToGlobal(self.rect().topLeft()))

    def edit(self, page: str = "rules") -> None:
        """The editor, a window of its own that follows the plan."""
        if self._window is None:
            self._window = PlanWindow(self._session, self.files, self.window())
        self._window.show_page(page)
        if self._window.isVisible():
            self._window.raise_()
            self._window.activateWindow()
        self._window.show()

    @property
    def editor(self) -> PlanWindow | None:
        """The editor, once it was opened."""
        return self._window

    @guarded
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._session.has_model and dropped_plan(event):
            event.acceptProposedAction()

    @guarded
    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.files.load(dropped_plan(event))

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._session.has_model:
            self._menu.popup(event.globalPos())


def dropped_plan(event: QDropEvent) -> str:
    """The path of the one plan file that is dragged; empty where it is anything else."""
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return paths[0] if len(paths) == 1 and paths[0].endswith(".toml") else ""
