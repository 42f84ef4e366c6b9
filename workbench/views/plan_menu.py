"""What one can ask of nodes with a right click: a precision, the default, or what other rules say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from PySide6.QtWidgets import QMenu

from workbench.core.precision import Precision
from workbench.core.words import plural
from workbench.session.session import Session
from workbench.session.words import node_label
from workbench.views.widgets import menu_head, menu_item, shortened, swatch_icon

MOST = 64  # characters of a line


def fill_plan_menu(menu: QMenu, session: Session, nodes: Collection[str]) -> None:
    """Entries for these nodes; where they are a whole group, for the group."""
    plan = session.plan
    known = frozenset(nodes) & frozenset(session.links.nodes)
    if not known:
        return
    matcher = plan.matcher
    group = matcher.group_of(known) if matcher is not None and len(known) > 1 else ""
    ask: Callable[[Precision | None], object] = (
        partial(plan.ask_group, group) if group else partial(_ask, session, known)
    )
    one = session.links.nodes[next(iter(known))]
    what = f"group {group}" if group else node_label(one) if len(known) == 1 else plural(len(known), "node")
    menu_head(menu, "Precision")
    _say(menu, what)
    now = {session.asked[node] for node in known}
    for precision in Precision:
        item = menu_item(
            menu, precision.label, partial(ask, precision), on=now == {precision}, remark=plan.remark(precision)
        )
        item.setIcon(swatch_icon(precision))
    menu.addSeparator()
    menu_item(menu, f"As default ({plan.value.default.label})", partial(plan.ask_default, known))
    menu_item(menu, "Clear: as other rules say", partial(ask, None))
    if len(known) == 1:
        _say(menu, plan.why(one.id))


def _ask(session: Session, nodes: Collection[str], precision: Precision | None) -> None:
    if precision is None:
        session.plan.erase(nodes)
    else:
        session.plan.ask(nodes, precision)


def _say(menu: QMenu, text: str) -> None:
    """A line to read."""
    menu.addAction(shortened(text, MOST).replace("&", "&&")).setEnabled(False)
