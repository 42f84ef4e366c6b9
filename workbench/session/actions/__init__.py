"""Actions as one table, one file a menu: menus, shortcuts, tooltips and the command palette are made from it."""

from __future__ import annotations

from workbench.session.actions.base import Action
from workbench.session.actions.edit import EDIT
from workbench.session.actions.file import FILE
from workbench.session.actions.help import HELP
from workbench.session.actions.plan import PLAN
from workbench.session.actions.run import RUN
from workbench.session.actions.view import VIEW

ACTIONS = (*FILE, *EDIT, *PLAN, *VIEW, *RUN, *HELP)
MENUS = tuple(dict.fromkeys(entry.menu for entry in ACTIONS))
_BY_ID = {entry.id: entry for entry in ACTIONS}


def action(action_id: str) -> Action:
    """The action of this id. Raises KeyError."""
    return _BY_ID[action_id]
