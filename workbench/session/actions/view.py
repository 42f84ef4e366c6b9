"""Actions of the menu View."""

from __future__ import annotations

from workbench.session.actions.base import Action

VIEW = (
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
)
