"""One pane: a canvas with its head and its legend, or the sentence of an empty one."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from workbench.core.graph import Graph
from workbench.core.scopes import Scope
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.legend import Legend
from workbench.views.overlay_bar import OverlayBar
from workbench.views.overlays import OverlayKind
from workbench.views.widgets import empty_label

LEAST_WIDTH = 220


class Pane(QWidget):
    """`head` is what stands at the left of its first line: a title, or the picker of a run."""

    def __init__(
        self, name: str, head: QWidget, overlays: Mapping[str, OverlayKind], remembered: object, empty: str
    ) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(LEAST_WIDTH)
        self.head = head
        self.overlays = OverlayBar(overlays, remembered)
        self.legend = Legend()
        self.canvas = GraphCanvas()
        self.canvas.setAccessibleName(f"{name} graph")
        self.empty = empty_label(empty)
        self.canvas.marks_changed.connect(lambda: self.legend.show_marks(self.canvas.marks))
        line = QHBoxLayout()
        line.setContentsMargins(14, 4, 12, 6)
        line.setSpacing(6)
        line.addWidget(head)
        line.addWidget(self.overlays, 1)
        graphs = QWidget()
        self._stack = QStackedLayout(graphs)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.canvas)
        self._stage: QWidget | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(graphs, 1)
        column.addWidget(self.legend)

    def set_stage(self, stage: QWidget) -> None:
        """What is seen while a graph is on its way."""
        self._stage = stage
        self._stack.addWidget(stage)

    def set_graph(
        self,
        graph: Graph | None,
        scopes: Mapping[str, Scope] | None = None,
        empty: str = "",
        *,
        is_on_its_way: bool = False,
    ) -> None:
        if empty:
            self.empty.setText(empty)
        self.canvas.set_graph(graph, scopes)
        instead = self._stage if is_on_its_way and self._stage is not None else self.empty
        self._stack.setCurrentWidget(self.canvas if graph is not None else instead)
