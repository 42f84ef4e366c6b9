"""Actions of the menu Plan."""

from __future__ import annotations

from workbench.session.actions.base import Action

PLAN = (
    Action(
        "plan_edit",
        "Edit plan…",
        "plan_panel.edit",
        "Plan",
        "Rules as a table, groups as a tree, the plan as text, and what is different from another",
        "Ctrl+Shift+E",
        "has_model",
    ),
    Action("plan_open", "Open plan…", "plan_panel.files.open", "Plan", "A plan from a file", "", "has_model"),
    Action("plan_save", "Save plan", "plan_panel.files.save", "Plan", "The plan to its file", "Ctrl+S", "has_model"),
    Action(
        "plan_save_as", "Save plan as…", "plan_panel.files.save_as", "Plan", "The plan to another file", "", "has_model"
    ),
    Action(
        "plan_command",
        "Copy as command",
        "plan_panel.files.copy_command",
        "Plan",
        "The line for a terminal that builds with these choices",
        "Ctrl+Alt+C",
        "has_model",
    ),
    Action(
        "rule",
        "Precision of selected nodes…",
        "plan_panel.rule_for_selection",
        "Plan",
        "Ask another precision of the selected nodes",
        "Ctrl+R",
        "has_selection",
        icon="layers",
        begins=True,
    ),
    Action(
        "profiles",
        "Shapes and profiles…",
        "profiles.show",
        "Plan",
        "Ranges of shapes that engines are built for: min, opt and max of each free dimension, and their memory",
        "Ctrl+Alt+P",
        "has_model",
    ),
    Action(
        "options",
        "Backend options…",
        "options.show",
        "Plan",
        "Options of the backend that do something on this machine, and what each did in numbers",
        "",
        "has_model",
    ),
    Action(
        "migrate",
        "Migration check…",
        "migration.ask",
        "Plan",
        "Paste a trtexec 10 command: what is gone in TensorRT 11, and the plan and commands that do the same",
        begins=True,
    ),
)
