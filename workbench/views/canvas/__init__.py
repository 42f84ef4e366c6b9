"""The graph canvas: one widget for source graphs and engine graphs."""

from workbench.views.canvas.canvas import GraphCanvas
from workbench.views.canvas.pointer import Tool

__all__ = ["GraphCanvas", "Tool"]
