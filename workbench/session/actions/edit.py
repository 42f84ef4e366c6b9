"""Actions of the menu Edit."""

from __future__ import annotations

from workbench.session.actions.base import Action

EDIT = (
    Action("undo", "Undo", "undo", "Edit", "Take back the last choice", "Ctrl+Z", "can_undo", icon="undo"),
    Action(
        "redo", "Redo", "redo", "Edit", "Do again what was taken back", "Ctrl+Shift+Z;Ctrl+Y", "can_redo", icon="redo"
    ),
    Action(
        "search",
        "Search graph",
        "searching.focus",
        "Edit",
        "Find layers, ops and tensors in both graphs",
        "Ctrl+F",
        "has_model",
        icon="search",
        begins=True,
    ),
    Action("search_next", "Next found", "searching.next", "Edit", "To the next that was found", "F3", "has_model"),
    Action("search_back", "Found before", "searching.back", "Edit", "To the one found before", "Shift+F3", "has_model"),
    Action(
        "palette",
        "Command palette",
        "show_palette",
        "Edit",
        "Every action, node and layer by name",
        "Ctrl+Shift+P",
        icon="palette",
    ),
    Action(
        "clear_selection",
        "Clear selection",
        "clear_selection",
        "Edit",
        "Select nothing",
        "Escape",
        "has_selection",
        begins=True,
    ),
)
