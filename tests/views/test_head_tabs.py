"""Tabs over charts and tables where room is scarce."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.views.bottom import Cell


def test_the_chosen_tab_is_whole_before_the_others_and_the_subtitle(qtbot: QtBot) -> None:
    cell = Cell()
    qtbot.addWidget(cell)
    pages = [QWidget() for _ in range(4)]
    for title, page in zip(("Layer times", "Latency", "Accuracy", "Ranges"), pages, strict=True):
        cell.add(title, page)
        cell.set_subtitle(page, "186 iterations · sum 2.06 ms, whole 0.17 ms")
    cell.resize(280, 200)
    cell.show()
    for index, page in enumerate(pages):
        cell.show_page(page)
        cell.layout().activate()
        assert cell.tabs[index].width() >= cell.tabs[index].sizeHint().width()
    cell.resize(800, 200)
    cell.layout().activate()
    assert all(tab.width() >= tab.sizeHint().width() for tab in cell.tabs)
    assert cell.tabs[0].toolTip() == "<qt>Layer times</qt>"
