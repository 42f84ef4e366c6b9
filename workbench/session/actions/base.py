"""What an action is: one entry of menus, shortcuts, tooltips and the command palette."""

from __future__ import annotations

import msgspec


class Action(msgspec.Struct, frozen=True):
    """`callback` is a method of the window or of a part of it (`panes.fit`); `enabled` a boolean property of the
    session or of a part of it (`plan.can_paste`; empty: always).

    `menu` is where it stands in the menu; `shortcut` in Qt's portable form, several by `;`; `icon` a drawing in
    `resources/icons`. An action that `begins` a group has a line above it in its menu.
    """

    id: str
    title: str
    callback: str
    menu: str
    tooltip: str
    shortcut: str = ""
    enabled: str = ""
    icon: str = ""
    begins: bool = False
