"""The chart of layers' errors: what it draws, what it flags, and what a click selects."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.charts.test_charts import errors_of, run_of
from workbench.charts.base import ChartData, Series
from workbench.charts.layer_errors import LayerErrorsChart, decibels
from workbench.core.layer_errors import LayerErrors, TensorError
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT

EXACT = TensorError(1.0, 200.0, 0.0)
LOST = TensorError(0.5, -200.0, 1.0, nan=3, inf=2)


@pytest.fixture
def chart(qtbot: QtBot) -> Iterator[LayerErrorsChart]:
    widget = LayerErrorsChart()
    qtbot.addWidget(widget)
    widget.set_theme(LIGHT)
    widget.resize(760, 260)
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget


def with_introduced(errors: LayerErrors, place: int, error: TensorError | None) -> LayerErrors:
    figures = list(errors.figures)
    old = figures[place]
    assert old is not None
    figures[place] = None if error is None else msgspec.structs.replace(old, introduced=error)
    return msgspec.structs.replace(errors, figures=tuple(figures))


def show(chart: LayerErrorsChart, errors: LayerErrors | None, *nodes: str) -> None:
    series = Series(run_of(Precision.INT8), "INT8", errors=errors)
    chart.set_data(ChartData((series,), frozenset(), frozenset(nodes)))


def test_the_worst_stands_first_with_its_name_and_decibels(chart: LayerErrorsChart) -> None:
    show(chart, with_introduced(errors_of(30), 7, TensorError(0.9, 12.3, 1.0)))
    assert chart.worst.axis.names[0] == "Conv  conv_7"
    assert chart.worst.pairs[0][1].introduced.sqnr_db == 12.3
    assert len(chart.worst.axis.names) == min(30, chart.worst.capacity())


def test_layers_that_introduce_nothing_are_no_dots_and_in_no_list(chart: LayerErrorsChart) -> None:
    show(chart, with_introduced(errors_of(3), 1, EXACT))
    x, _ = chart.curves.introduced.getData()
    assert list(x) == [0.0, 2.0]
    assert [tensor.node for tensor, _ in chart.worst.pairs] == ["n2", "n0"]


def test_a_layer_that_makes_nan_is_flagged_in_the_bad_colour_and_in_words(chart: LayerErrorsChart) -> None:
    told: list[str] = []
    chart.subtitle_changed.connect(told.append)
    show(chart, with_introduced(errors_of(30), 4, LOST))
    assert list(chart.curves.broken.getData()[0]) == [4.0]
    assert chart.worst.axis.names[0] == "Conv  conv_4"
    assert "a layer gives NaN or infinity" in told[-1]
    image = chart.grab().toImage()
    bad = QColor(LIGHT.bad).rgb()
    seen = sum(image.pixel(x, y) == bad for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))
    assert seen > 20


def test_layers_appear_as_they_arrive_on_an_axis_of_all(chart: LayerErrorsChart) -> None:
    errors = errors_of(30)
    half = msgspec.structs.replace(errors, figures=errors.figures[:10] + (None,) * 20)
    show(chart, half)
    assert len(chart.curves.introduced.getData()[0]) == 10
    assert chart.curves.getPlotItem().viewRange()[0][1] == 30
    show(chart, errors)
    assert len(chart.curves.introduced.getData()[0]) == 30


def test_clicks_on_a_dot_and_on_a_name_select_the_nodes_of_the_layer(qtbot: QtBot, chart: LayerErrorsChart) -> None:
    show(chart, errors_of(30))
    for plot, x, y, node in ((chart.curves, 7.2, 0.5, "n7"), (chart.worst.plot, 0.1, 1.0, "n28")):
        where = plot.mapFromScene(plot.getPlotItem().getViewBox().mapViewToScene(QPointF(x, y)))
        with qtbot.waitSignal(chart.nodes_clicked) as caught:
            qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
        assert caught.args == [(node,)]


def test_the_selected_layer_is_marked_on_the_curve(chart: LayerErrorsChart) -> None:
    show(chart, errors_of(30), "n12")
    assert list(chart.curves.here.getData()[0]) == [12.0]


def test_a_run_without_errors_of_layers_says_why(chart: LayerErrorsChart) -> None:
    show(chart, None)
    assert "none were asked for" in chart.placeholder.text()
    show(chart, LayerErrors("lines", 8, reason="ONNX Runtime cannot run this model: no."))
    assert chart.placeholder.text() == "ONNX Runtime cannot run this model: no."


def test_the_csv_has_every_layer_with_three_errors(chart: LayerErrorsChart) -> None:
    show(chart, errors_of(30))
    rows = list(csv.DictReader(io.StringIO(chart.csv())))
    assert len(rows) == 30
    assert np.isclose(float(rows[3]["introduced_sqnr_db"]), 57.0)
    assert rows[3]["name"] == "conv_3" and rows[3]["node"] == "n3"


def test_decibels_in_words() -> None:
    assert [decibels(e) for e in (EXACT, LOST, TensorError(0.9, 20.04, 1))] == ["exact", "NaN, inf", "20.0 dB"]
