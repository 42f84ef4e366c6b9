from __future__ import annotations

import csv
import io

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.charts.roofs import ESTIMATED, ROOFLINE
from tests.charts.test_charts import series_of
from workbench.charts.base import ChartData
from workbench.charts.roofline import RooflineChart, point_words, sentence
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT

DATA = ChartData((series_of(Precision.INT8),), roofline=ROOFLINE)


@pytest.fixture
def chart(qtbot: QtBot) -> RooflineChart:
    made = RooflineChart()
    qtbot.addWidget(made)
    made.resize(560, 340)
    made.set_theme(LIGHT)
    with qtbot.waitExposed(made):
        made.show()
    made.set_data(DATA)
    QTest.qWait(20)
    return made


def place_of(chart: RooflineChart, layer: str) -> QPoint:
    index = next(i for i, point in enumerate(chart._points) if point.layer == layer)
    box = chart.plot.getPlotItem().getViewBox()
    x, y = chart._xy[index]
    return chart.plot.mapFromScene(box.mapViewToScene(pg_point(x, y)))


def pg_point(x: float, y: float):  # type: ignore[no-untyped-def]
    from PySide6.QtCore import QPointF

    return QPointF(float(x), float(y))


def test_a_click_on_a_dot_names_its_layer(chart: RooflineChart, qtbot: QtBot) -> None:
    for layer in ("l0", "l1", "l2"):
        with qtbot.waitSignal(chart.layer_clicked) as caught:
            QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(chart, layer))
        assert caught.args == [layer]


def test_hovering_says_what_bounds_a_layer_and_how_near_it_comes(chart: RooflineChart, qtbot: QtBot) -> None:
    viewport, place = chart.plot.viewport(), place_of(chart, "l0")
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove,
        place,
        viewport.mapToGlobal(place),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, move)
    qtbot.waitUntil(lambda: "compute bound" in chart.plot.toolTip(), timeout=20_000)
    assert "conv" in chart.plot.toolTip() and "25 % of the roof" in chart.plot.toolTip()


def test_a_layer_that_only_moves_stands_at_the_left_edge(chart: RooflineChart) -> None:
    left = chart.plot.getPlotItem().viewRange()[0][0]
    (moving,) = [i for i, point in enumerate(chart._points) if point.layer == "l2"]
    assert chart._xy[moving][0] == pytest.approx(left + 0.08)


def test_a_layer_that_cannot_be_counted_is_in_the_csv_only(chart: RooflineChart) -> None:
    rows = list(csv.DictReader(io.StringIO(chart.csv())))
    assert [row["layer"] for row in rows] == ["l0", "l1", "l2", "l3"]
    assert rows[3]["bound"] == "not known" and "l3" not in [point.layer for point in chart._points]


def test_without_times_everything_is_an_estimate(chart: RooflineChart) -> None:
    chart.set_data(ChartData((series_of(Precision.INT8),), roofline=ESTIMATED, gpus=("A GPU", "B"), gpu="B"))
    assert chart.words.text().startswith("ESTIMATE: ") and "at best" in chart.words.text()
    assert all("ESTIMATE" in point_words(point) for point in ESTIMATED.known)
    assert chart.gpu.isVisible() and chart.gpu.currentText() == "B"


def test_another_gpu_is_chosen_by_keys(chart: RooflineChart, qtbot: QtBot) -> None:
    chart.set_data(ChartData((series_of(Precision.INT8),), roofline=ESTIMATED, gpus=("A", "B"), gpu="A"))
    chart.gpu.setFocus()
    with qtbot.waitSignal(chart.gpu_chosen) as caught:
        QTest.keyClick(chart.gpu, Qt.Key.Key_Down)
    assert caught.args == ["B"]


def test_a_machine_without_ceilings_offers_to_measure_them(chart: RooflineChart, qtbot: QtBot) -> None:
    chart.set_data(ChartData(no_roofline="Measure its ceilings once.", can_measure=True))
    assert chart.placeholder.isVisible() and chart.placeholder.text() == "Measure its ceilings once."
    with qtbot.waitSignal(chart.measure_asked):
        QTest.mouseClick(chart.measure, Qt.MouseButton.LeftButton)


def test_the_sentence_weighs_by_time() -> None:
    assert "memory bound 33 % of the time, compute bound 67 %" in sentence(ROOFLINE)


def test_words_on_level_lines_do_not_lie_on_each_other_in_a_small_cell(chart: RooflineChart) -> None:
    chart.resize(310, 170)
    level = [label for label in chart.roofs._labels if label.rotateAxis is None]
    upper, lower = (label.mapRectToScene(label.boundingRect().adjusted(4, 4, -4, -4)) for label in level)
    assert not upper.intersects(lower)


def test_the_ridge_of_a_gpu_is_on_the_chart(chart: RooflineChart) -> None:
    chart.set_data(ChartData((series_of(Precision.INT8),), roofline=ESTIMATED))
    (left, right), _ = chart.plot.getPlotItem().viewRange()
    assert left < 2.78 < right  # 600 TFLOP/s at 1 TB/s


def test_words_on_slopes_run_along_them(chart: RooflineChart) -> None:
    assert [tuple(label.rotateAxis) for label in chart.roofs._labels if label.rotateAxis is not None] == [(1, 1)] * 2
