"""The graph canvas: one widget for source graphs and engine graphs."""

from workbench.views.canvas.canvas import GraphCanvas

__all__ = ["GraphCanvas"]
