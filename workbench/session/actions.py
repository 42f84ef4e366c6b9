"""Actions as one table: menus, shortcuts, tooltips and the command palette are made from it."""

from __future__ import annotations

import msgspec


class Action(msgspec.Struct, frozen=True):
    """`callback` is a method of the window or of a part of it (`panes.fit`); `enabled` a boolean property of the
    session or of a part of it (`plan.can_paste`; empty: always).

    `menu` is where it stands in the menu; `shortcut` in Qt's portable form, several by `;`; `icon` a drawing in
    `resources/icons`.
    """

    id: str
    title: str
    callback: str
    menu: str
    tooltip: str
    shortcut: str = ""
    enabled: str = ""
    icon: str = ""


ACTIONS = (
    Action("open", "Open…", "open_dialog", "File", "Open an ONNX model", "Ctrl+O", icon="open"),
    Action(
        "import",
        "Import engine or profile…",
        "run_import.ask",
        "File",
        "What trtexec, ONNX Runtime or OpenVINO wrote elsewhere: layers, times, latencies; as a run of this model",
        "",
        "has_model",
        icon="open",
    ),
    Action("close_model", "Close model", "close_model", "File", "Back to the welcome page", "Ctrl+W", "has_model"),
    Action(
        "report",
        "Export report…",
        "export_report",
        "File",
        "Write the compared runs as one HTML file",
        "Ctrl+E",
        "has_runs",
        icon="report",
    ),
    Action(
        "export_typed",
        "Export typed ONNX…",
        "typed_export.ask",
        "File",
        "Write the precision plan into an ONNX file that runs elsewhere, in the form that the backend fuses best",
        "",
        "has_model",
        icon="export",
    ),
    Action(
        "export_source",
        "Save left picture…",
        "panes.save_left",
        "File",
        "The left graph as SVG, PNG or PDF, whole or as it is seen",
        "",
        "has_model",
        icon="export",
    ),
    Action(
        "export_engine",
        "Save right picture…",
        "panes.save_right",
        "File",
        "The right graph as SVG, PNG or PDF, whole or as it is seen",
        "",
        "has_run",
        icon="export",
    ),
    Action(
        "copy_picture",
        "Copy picture",
        "panes.copy_picture",
        "File",
        "What is seen of the graph that has the keyboard, as a picture",
        "Ctrl+Shift+I",
        "has_model",
        icon="copy",
    ),
    Action(
        "netron_engine",
        "Save engine as ONNX for Netron…",
        "netron.save_engine",
        "File",
        "The engine's layers with time, tactic, precision and sources, in a file that Netron opens",
        "",
        "has_run",
        icon="export",
    ),
    Action("settings", "Settings…", "show_settings", "File", "Appearance, timing, threads", "Ctrl+,", icon="settings"),
    Action("quit", "Quit", "close", "File", "End the program; running jobs are cancelled", "Ctrl+Q"),
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
        "clear_selection", "Clear selection", "clear_selection", "Edit", "Select nothing", "Escape", "has_selection"
    ),
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
    ),
    Action(
        "overlay",
        "Colour by…",
        "panes.choose_overlay",
        "View",
        "What the colours of the graph that has the keyboard mean: time, error, precision, FLOPs …",
        "Ctrl+L",
        "has_model",
    ),
    Action("open_groups", "Open all groups", "panes.open_groups", "View", "In both graphs", "Ctrl+]", "has_model"),
    Action("close_groups", "Close all groups", "panes.close_groups", "View", "In both graphs", "Ctrl+[", "has_model"),
    Action("fit", "Fit graphs", "panes.fit", "View", "Show both graphs whole", "Ctrl+0", "has_model", icon="fit"),
    Action(
        "reveal",
        "Go to selection",
        "panes.fly_to_selection",
        "View",
        "Fly to the selection in both graphs",
        "Ctrl+J",
        "has_selection",
    ),
    Action(
        "two_engines",
        "Two engines side by side",
        "panes.toggle_two",
        "View",
        "Source and engine, or the engines of two runs aligned through their nodes",
        "Ctrl+T",
        "pair.is_possible",
        icon="compare",
    ),
    Action("swap", "Swap engines A and B", "session.pair.swap", "View", "A becomes B", "Ctrl+Shift+T", "pair.is_on"),
    Action(
        "dim",
        "Dim the rest",
        "panes.toggle_dim",
        "View",
        "What the selection is not linked to steps back",
        "Ctrl+D",
        "has_model",
    ),
    Action(
        "follow",
        "Cameras follow",
        "panes.toggle_follow",
        "View",
        "Moving one graph carries the other to what is linked",
        "Ctrl+G",
        "has_model",
    ),
    Action(
        "netron", "Netron", "netron.toggle", "View", "The model and the engine in Netron, one selection with the graphs"
    ),
    Action(
        "theme", "Light or dark", "toggle_theme", "View", "Switch between light and dark", "Ctrl+Shift+L", icon="theme"
    ),
    Action("left", "Left panels", "toggle_left", "View", "Show or hide model, plan and samples", "Ctrl+1"),
    Action("right", "Inspector", "toggle_right", "View", "Show or hide the inspector", "Ctrl+2"),
    Action("bottom", "Charts and runs", "toggle_bottom", "View", "Show or hide charts, runs and log", "Ctrl+3"),
    Action(
        "calibrate",
        "Calibrate",
        "session.calibrations.observe",
        "Run",
        "Look at the calibration set: ranges of every tensor by every method, and what is odd about the samples",
        "Ctrl+K",
        "calibrations.can_observe",
        icon="samples",
    ),
    Action(
        "methods",
        "Build with every calibration method",
        "session.calibrations.build_all",
        "Run",
        "One INT8 build each by max, percentile, MSE and entropy, to compare their accuracy",
        "",
        "calibrations.can_observe",
    ),
    Action(
        "build",
        "Build",
        "build",
        "Run",
        "Build, time and check the model with these choices",
        "Ctrl+B",
        "has_model",
        icon="build",
    ),
    Action(
        "cancel", "Cancel", "cancel", "Run", "End everything that runs, at once", "Ctrl+.", "can_cancel", icon="cancel"
    ),
    Action(
        "race",
        "Compare runs",
        "session.races.start",
        "Run",
        "Time the runs selected in the table interleaved (A B B A), and say what is faster",
        "Ctrl+Shift+R",
        "races.is_possible",
        icon="compare",
    ),
    Action(
        "tune",
        "Tune options",
        "session.tunings.start",
        "Run",
        "Search the backend's options (threads, scheduling, graph) for those that run the current run's engine fastest",
        "",
        "tunings.is_possible",
        icon="build",
    ),
    Action(
        "conditions",
        "How it was measured…",
        "conditions.show",
        "Run",
        "Protocol, machine, versions and noise of the current run's time, and of its race with the baseline",
        "",
        "has_run",
        icon="info",
    ),
    Action(
        "choices",
        "Use this run's choices",
        "use_choices",
        "Run",
        "Choose again what the current run was made with",
        "",
        "has_run",
    ),
    Action(
        "baseline", "Use as baseline", "make_baseline", "Run", "Count speed-ups from the current run", "", "has_run"
    ),
    Action("rename", "Rename run", "rename_run", "Run", "Give the current run a name", "F2", "has_run"),
    Action(
        "delete",
        "Delete runs",
        "delete_runs",
        "Run",
        "Remove the selected runs and their files",
        "",
        "has_run",
        icon="delete",
    ),
    Action(
        "copy_runs",
        "Copy runs as table",
        "copy_runs",
        "Run",
        "The runs table as tab-separated text",
        "Ctrl+Shift+C",
        "has_runs",
        icon="copy",
    ),
    Action(
        "copy_trtexec11",
        "Copy as trtexec 11",
        "session.build_commands.copy_trtexec11",
        "Run",
        "The current TensorRT run for the clipboard: the export of its typed ONNX, and the build of the same engine",
        "",
        "build_commands.are_possible",
        icon="copy",
    ),
    Action(
        "copy_trtexec10",
        "Copy as trtexec 10",
        "session.build_commands.copy_trtexec10",
        "Run",
        "The current TensorRT run for the clipboard: the export of its typed ONNX, and the build of the same engine",
        "",
        "build_commands.are_possible",
        icon="copy",
    ),
    Action(
        "copy_polygraphy",
        "Copy as Polygraphy",
        "session.build_commands.copy_polygraphy",
        "Run",
        "The current TensorRT run for the clipboard: the export of its typed ONNX, and the build of the same engine",
        "",
        "build_commands.are_possible",
        icon="copy",
    ),
    Action(
        "copy_python",
        "Copy as Python script",
        "session.build_commands.copy_python",
        "Run",
        "The current TensorRT run for the clipboard: the export of its typed ONNX, and the build of the same engine",
        "",
        "build_commands.are_possible",
        icon="copy",
    ),
    Action(
        "migrate",
        "Migration check…",
        "migration.ask",
        "Plan",
        "Paste a trtexec 10 command: what is gone in TensorRT 11, and the plan and commands that do the same",
    ),
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


def action(action_id: str) -> Action:
    """The action of this id. Raises KeyError."""
    return _BY_ID[action_id]


_BY_ID = {entry.id: entry for entry in ACTIONS}
MENUS = tuple(dict.fromkeys(entry.menu for entry in ACTIONS))
