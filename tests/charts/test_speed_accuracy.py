"""The chart of a search: where points stand, what a click and a drag say, what is saved."""

from __future__ import annotations

import csv
import io

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.searches import found
from workbench.charts.base import ChartData
from workbench.charts.speed_accuracy import SpeedAccuracy, limit_at, limit_from
from workbench.core.search import Limit, LimitKind, Search
from workbench.core.theme import DARK, LIGHT, Theme


@pytest.fixture
def chart(qtbot: QtBot) -> SpeedAccuracy:
    chart = SpeedAccuracy()
    qtbot.addWidget(chart)
    chart.resize(520, 300)
    chart.show()
    return chart


def at(chart: SpeedAccuracy, x: float, y: float) -> QPoint:
    """Where the plot has a place, in its widget."""
    scene = chart.plot.getPlotItem().getViewBox().mapViewToScene(QPointF(x, y))
    return chart.plot.mapFromScene(scene)


def test_without_a_search_a_sentence_says_how_to_begin(chart: SpeedAccuracy) -> None:
    chart.set_data(ChartData())
    assert chart.placeholder.isVisible() and "Ctrl+Shift+B" in chart.placeholder.text()
    assert chart.csv().splitlines()[0].startswith("plan,title,ms")


def test_a_click_near_a_point_names_it_and_elsewhere_nothing(chart: SpeedAccuracy, qtbot: QtBot) -> None:
    chart.set_data(ChartData(search=found("n0", "n1")))
    clicked: list[int] = []
    chart.point_clicked.connect(clicked.append)
    QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=at(chart, 20 / 3.6, -0.4))
    assert clicked == [3]
    QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=at(chart, 14.0, -1.5))
    assert clicked == [3]


def test_a_plan_that_lost_far_more_stands_at_the_edge_and_flattens_nothing(chart: SpeedAccuracy) -> None:
    chart.set_data(ChartData(search=found("n0", "n1")))
    low, high = chart.plot.getPlotItem().viewRange()[1]
    assert -10 < low < -2.1 and 0 < high < 2
    places = {spot.data(): spot.pos().y() for spot in chart.dots.points()}
    assert set(places) == {0, 1, 2, 3, 4}
    assert places[2] == pytest.approx(low) and places[1] == pytest.approx(-2.1)


def test_dragging_the_limit_says_which_one_it_is_now(chart: SpeedAccuracy) -> None:
    chart.set_data(ChartData(search=found("n0", "n1")))
    moved: list[Limit] = []
    chart.limit_moved.connect(moved.append)
    start, end = at(chart, 14.0, -0.5), at(chart, 14.0, -1.5)
    view = chart.plot.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(view, start + (end - start) * step / 5)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert moved and moved[-1].kind is LimitKind.LOSS and moved[-1].value == pytest.approx(1.5, abs=0.2)


@pytest.mark.parametrize(
    "limit", [Limit(), Limit(LimitKind.SPEEDUP, 2.0), Limit(LimitKind.TIME, 7.5), Limit(LimitKind.LOSS, 2.0)]
)
def test_a_limit_read_from_its_line_is_the_limit(limit: Limit) -> None:
    search = found("n0", "n1", limit=limit)
    place = limit_at(search)
    assert place is not None and limit_from(search, place) == limit


def test_decibels_have_no_line_on_an_axis_of_a_metric() -> None:
    assert limit_at(found("n0", "n1", limit=Limit(LimitKind.SQNR, 30.0))) is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_chosen_point_has_a_ring_and_lines_to_what_it_would_be_without(chart: SpeedAccuracy, theme: Theme) -> None:
    chart.set_theme(theme)
    chart.set_data(ChartData(search=found("n0", "n1"), point=3, without=(1,)))
    assert len(chart.ring.points()) == 1 and chart.links.getData()[0].tolist() == [20 / 3.6, 5.0]
    chart.set_data(ChartData(search=found("n0", "n1")))
    assert len(chart.ring.points()) == 0


def test_the_table_that_is_saved_has_every_measured_plan(chart: SpeedAccuracy) -> None:
    search: Search = found("n0", "n1")
    chart.set_data(ChartData(search=search))
    rows = list(csv.DictReader(io.StringIO(chart.csv())))
    assert [row["plan"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["plan"] for row in rows if row["front"] == "True"] == ["0", "1", "3"]
    assert rows[3]["measured"] == "2" and float(rows[3]["ms"]) == pytest.approx(20 / 3.6, abs=1e-5)
