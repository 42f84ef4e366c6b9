"""Actions of the menu Help."""

from __future__ import annotations

from workbench.session.actions.base import Action

HELP = (
    Action("shortcuts", "Keyboard and mouse", "show_shortcuts", "Help", "What the keys do", "F1", icon="info"),
    Action(
        "versions",
        "Versions and machine",
        "show_versions",
        "Help",
        "What runs here, and what each backend can do",
        icon="info",
    ),
)
