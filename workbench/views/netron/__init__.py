"""Netron in a dock: an inspector for those who know it. Without it installed, the dock says how to get it."""

from workbench.views.netron.dock import NetronDock

__all__ = ["NetronDock"]
