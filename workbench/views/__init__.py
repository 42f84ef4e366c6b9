"""The window, the graph canvas, panels, dialogs, theme."""
