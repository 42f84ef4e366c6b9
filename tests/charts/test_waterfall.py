from __future__ import annotations

import csv
import io

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.test_charts import WATERFALL, series_of
from workbench.charts.base import ChartData
from workbench.charts.waterfall import WaterfallChart, step_color
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT


@pytest.fixture
def chart(qtbot: QtBot) -> WaterfallChart:
    made = WaterfallChart()
    qtbot.addWidget(made)
    made.resize(620, 320)
    made.set_theme(LIGHT)
    with qtbot.waitExposed(made):
        made.show()
    made.set_data(ChartData((series_of(Precision.INT8),), waterfall=WATERFALL, first="FP32"))
    return made


def place(chart: WaterfallChart, row: int) -> QPoint:
    scene = chart.plot.getPlotItem().getViewBox().mapViewToScene(QPointF(0.1, row))
    return chart.plot.mapFromScene(scene)


def test_each_step_begins_where_the_one_before_ended(chart: WaterfallChart) -> None:
    steps = [row for row in chart._shown if row.block is None and row.step is not None]
    assert [(row.start, row.end) for row in steps] == [(3.5, 1.5), (1.5, 1.75), (1.75, 2.0)]
    assert chart.axis.names == [
        "FP32",
        "compute saved",
        "Conv+Relu",
        "<b>Gemm</b>",
        "conversions: QuantizeLinear",
        "rest",
        "OpenVINO INT8",
    ]


def test_where_there_is_no_room_for_blocks_the_steps_are_seen_alone(chart: WaterfallChart) -> None:
    chart.resize(620, 5 * 25 + 10)
    assert chart.axis.names == ["FP32", "compute saved", "conversions: QuantizeLinear", "rest", "OpenVINO INT8"]


@pytest.mark.parametrize(("row", "titles"), [(1, ["Conv+Relu", "<b>Gemm</b>"]), (3, ["<b>Gemm</b>"])])
def test_a_click_names_the_blocks_of_the_bar(chart: WaterfallChart, qtbot: QtBot, row: int, titles: list[str]) -> None:
    with qtbot.waitSignal(chart.blocks_clicked) as caught:
        QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(chart, row))
    assert [block.title for block in caught.args[0]] == titles


def test_hovering_says_which_layers_and_what_changed(chart: WaterfallChart, qtbot: QtBot) -> None:
    QTest.mouseMove(chart.plot.viewport(), place(chart, 0))
    qtbot.wait(30)  # pyqtgraph hears of 100 moves a second at most
    QTest.mouseMove(chart.plot.viewport(), place(chart, 1))
    qtbot.waitUntil(lambda: "in all" in chart.plot.toolTip(), timeout=20_000)
    words = chart.plot.toolTip()
    assert "−2.000 ms in all" in words and "−1.500 ms  Conv+Relu: FP32 → INT8<br>" in words
    assert "&lt;b&gt;Gemm" in words  # a name from a file is no markup


def test_saved_and_spent_have_two_colours() -> None:
    assert step_color(LIGHT, -1.0) == LIGHT.good != step_color(LIGHT, 1.0) == LIGHT.bad


def test_the_steps_of_the_csv_add_up(chart: WaterfallChart) -> None:
    rows = list(csv.DictReader(io.StringIO(chart.csv())))
    steps = [float(row["ms"]) for row in rows if not row["block"]]
    assert float(rows[0]["ms"]) + sum(steps) == pytest.approx(float(rows[-1]["ms"]))
    assert next(row for row in rows if row["block"] == "Conv+Relu")["nodes"] == "n0 n1"


def test_without_two_timed_runs_it_says_what_to_select(chart: WaterfallChart) -> None:
    chart.set_data(ChartData((series_of(Precision.INT8),)))
    assert chart.placeholder.isVisible() and "Select two runs with a measured time" in chart.placeholder.text()
