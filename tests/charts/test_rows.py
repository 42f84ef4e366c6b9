"""Rows of names, bars and figures: who gets the room."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from workbench.charts.layer_errors import _row_name
from workbench.charts.plot import LABEL_GAP, plot_font
from workbench.charts.rows import Bar, Figure, RowChart
from workbench.core.layer_errors import CheckedTensor

FIGURE = "91.7 %  ± 1.2  33 dB"


@pytest.mark.parametrize("width", [240, 320, 900])
def test_names_take_what_they_need_and_figures_are_whole(width: int, qtbot: QtBot) -> None:
    chart = RowChart()
    qtbot.addWidget(chart)
    chart.resize(width, 200)
    chart.show()
    chart.draw(["INT8"], [Bar(0, 0, 1, "#000000")], [Figure(0, 1, FIGURE, "#000000")])
    metrics = QFontMetricsF(plot_font())
    assert chart.axis.taken <= metrics.horizontalAdvance("INT8") + LABEL_GAP + 1
    (_, right), _ = chart.plot.getPlotItem().viewRange()
    room = chart.width() - chart.axis.taken
    assert room * (1 - 1 / right) >= metrics.horizontalAdvance(FIGURE)


def test_a_long_name_leaves_half_to_the_bars(qtbot: QtBot) -> None:
    chart = RowChart()
    qtbot.addWidget(chart)
    chart.resize(300, 200)
    chart.show()
    chart.draw(["/blocks/" * 40], [Bar(0, 0, 1, "#000000")], [Figure(0, 1, "1", "#000000")])
    assert chart.axis.taken == 150
    chart.resize(1000, 200)
    assert chart.axis.taken == chart.axis.most


@pytest.mark.parametrize(
    ("op", "title", "expected"),
    [
        ("BatchNormalization", "/blocks/body.4/BatchNormalization", "BatchNo…  /blocks/body.4"),
        ("Conv", "/stem/Conv_1", "Conv  /stem/Conv_1"),
        ("Relu", "", "Relu  t"),
    ],
)
def test_layers_are_told_apart_by_their_path(op: str, title: str, expected: str) -> None:
    assert _row_name(CheckedTensor("t", "n0", ("n0",), op, title)) == expected
