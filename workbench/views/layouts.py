"""How the window is divided."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget


def dock(name: str, panels: list[QWidget]) -> QScrollArea:
    """Panels below each other that scroll when they must."""
    area = QScrollArea()
    area.setAccessibleName(name)
    area.setObjectName("panel")
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(200)
    inner = QWidget()
    inner.setObjectName("panel")
    inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    column = QVBoxLayout(inner)
    column.setContentsMargins(14, 12, 14, 12)
    column.setSpacing(18)
    for panel in panels:
        column.addWidget(panel)
    column.addStretch(1)
    area.setWidget(inner)
    return area


def splitter(way: Qt.Orientation, parts: list[QWidget], sizes: list[int], stretches: list[int]) -> QSplitter:
    """Parts side by side with a hairline between them; `stretches` share what a larger window gives."""
    made = QSplitter(way)
    made.setHandleWidth(1)
    made.setChildrenCollapsible(False)
    for index, part in enumerate(parts):
        made.addWidget(part)
        made.setStretchFactor(index, stretches[index])
    made.setSizes(sizes)
    return made


def emptied(layout: QLayout) -> None:
    """Takes all widgets out of a layout, and lets them go."""
    while layout.count():
        item = layout.takeAt(0)
        if item is not None and (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
