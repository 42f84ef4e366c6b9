"""The ranges chart: one tensor at a time, of the selected node, picked, or the next by key."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.ranges import REPORT
from workbench.charts.base import ChartData
from workbench.charts.calibration import Ranges
from workbench.core.precision import CalibrationMethod
from workbench.core.theme import LIGHT

ENTROPY, MSE = CalibrationMethod.ENTROPY, CalibrationMethod.MSE


@pytest.fixture
def chart(qtbot: QtBot) -> Ranges:
    made = Ranges()
    qtbot.addWidget(made)
    made.resize(400, 320)
    made.set_theme(LIGHT)
    with qtbot.waitExposed(made):
        made.show()
    made.set_data(ChartData(calibration=REPORT))
    return made


def shown(chart: Ranges) -> str:
    assert chart.tensor is not None
    return chart.tensor.name


def test_a_selected_node_brings_the_tensor_it_reads(chart: Ranges) -> None:
    assert shown(chart) == "first"
    chart.set_data(ChartData(calibration=REPORT, nodes=frozenset({"n2"})))
    assert shown(chart) == "second"
    chart.set_data(ChartData(calibration=REPORT, nodes=frozenset({"n77"})))
    assert shown(chart) == "second"


def test_the_arrow_keys_go_through_the_tensors_and_select_their_nodes(chart: Ranges, qtbot: QtBot) -> None:
    with qtbot.waitSignal(chart.nodes_clicked) as caught:
        QTest.keyClick(chart, Qt.Key.Key_Right)
    assert (shown(chart), caught.args) == ("second", [("n2",)])
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert shown(chart) == "first"
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert shown(chart) == "second"


def test_what_was_picked_stays_while_nothing_else_is_selected(chart: Ranges) -> None:
    QTest.mouseClick(chart.next, Qt.MouseButton.LeftButton)
    chart.set_data(ChartData(calibration=REPORT))
    assert shown(chart) == "second"


def test_lines_stand_where_each_method_cuts(chart: Ranges) -> None:
    for one in REPORT.tensors[0].ranges:
        low, high = chart.plot.lines[one.method]
        assert (low.value(), high.value()) == (one.low, one.high)
    legend = chart.legend[ENTROPY].text()
    assert legend.startswith("entropy") and "2 % clipped" in legend and "6 dB" in legend


def test_another_method_of_the_plan_is_drawn_thicker_at_once(chart: Ranges) -> None:
    def width(method: CalibrationMethod) -> float:
        return float(chart.plot.lines[method][0].pen.widthF())

    assert width(MSE) > width(ENTROPY)
    chart.set_data(ChartData(calibration=REPORT, method=ENTROPY))
    assert width(ENTROPY) > width(MSE)


def test_its_figures_can_be_had_as_csv(chart: Ranges) -> None:
    lines = chart.csv().splitlines()
    assert len(lines) == 1 + 2 * 4
    assert lines[1].startswith("first,n0,int8,-2.0,2.0,")
