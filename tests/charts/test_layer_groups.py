from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.test_charts import series_of
from workbench.charts.all_layers import AllLayers
from workbench.charts.base import ChartData, Series
from workbench.charts.layer_groups import GroupBy, groups
from workbench.charts.layer_times import LayerTimes
from workbench.core.precision import Precision


@pytest.fixture
def series() -> Series:
    """30 layers; the first ten are in a block; all tell single inferences, the last of 20 slower than the others."""
    one = series_of(Precision.INT8)
    spread = np.asarray([0.9] * 18 + [1.0, 2.0], dtype=np.float32)
    samples = {layer.id: np.float32(ms) * spread for layer, ms in zip(one.layers, one.layer_ms, strict=True)}
    blocks = {layer.id: "stem" if index < 10 else "head" for index, layer in enumerate(one.layers)}
    return dataclasses.replace(one, samples=samples, blocks=blocks)


@pytest.mark.parametrize("by", list(GroupBy))
def test_groups_share_out_all_of_the_time(series: Series, by: GroupBy) -> None:
    found = groups(series, by)
    assert sum(group.ms for group in found) == pytest.approx(float(series.layer_ms.sum()))
    assert [group.ms for group in found] == sorted((group.ms for group in found), reverse=True)
    members = [index for group in found for index in group.members]
    assert len(members) == len(set(members)) == int((series.layer_ms > 0).sum())


def test_blocks_are_those_of_the_model(series: Series) -> None:
    assert {group.title for group in groups(series, GroupBy.BLOCK)} == {"stem  ×10", "head  ×20"}


def test_the_spread_of_a_group_is_that_of_the_sum_in_each_inference(series: Series) -> None:
    (stem,) = (group for group in groups(series, GroupBy.BLOCK) if group.title.startswith("stem"))
    assert stem.median_ms == pytest.approx(0.9 * stem.ms, rel=1e-5)
    assert stem.times.max() == pytest.approx(2.0 * stem.ms, rel=1e-5)
    assert stem.p95_ms is not None and stem.median_ms is not None and stem.p95_ms > stem.median_ms


def test_a_layer_without_single_inferences_leaves_its_group_without_a_spread(series: Series) -> None:
    first = series.layers[0].id
    fewer = dataclasses.replace(series, samples={k: v for k, v in series.samples.items() if k != first})
    by_block = {group.title: group for group in groups(fewer, GroupBy.BLOCK)}
    assert by_block["stem  ×10"].p95_ms is None and by_block["head  ×20"].p95_ms is not None


def click(widget: object, place: QPoint) -> None:
    QTest.mouseMove(widget, place)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def test_a_click_on_a_group_names_all_its_layers(qtbot: QtBot, series: Series) -> None:
    chart = LayerTimes()
    qtbot.addWidget(chart)
    chart.resize(640, 320)
    chart.show()
    chart.set_data(ChartData((series,)))
    next(action for action in chart.chooser.menu().actions() if action.text() == "By block").trigger()
    view = chart.plot.getPlotItem().getViewBox()
    place = chart.plot.mapFromScene(view.mapViewToScene(view.viewRect().center().__class__(0.01, 0.0)))
    with qtbot.waitSignal(chart.layers_clicked, timeout=20_000) as told:
        click(chart.plot.viewport(), place)
    assert len(told.args[0]) in (10, 20)
    assert "inferences" in chart.row_tip(0) and "p95" in chart.row_tip(0)
    assert "median_ms" in chart.csv().splitlines()[0]


def test_all_layers_stand_in_the_order_they_run(qtbot: QtBot, series: Series) -> None:
    chart = AllLayers()
    qtbot.addWidget(chart)
    chart.resize(640, 320)
    chart.show()
    chart.set_data(ChartData((series,), selected=frozenset([series.layers[3].id])))
    view = chart.plot.getPlotItem().getViewBox()
    place = chart.plot.mapFromScene(view.mapViewToScene(view.viewRect().center().__class__(7.0, 0.0001)))
    with qtbot.waitSignal(chart.layer_clicked, timeout=20_000) as told:
        click(chart.plot.viewport(), place)
    assert told.args == [series.layers[7].id]
    assert len(chart.csv().splitlines()) == 31


def test_a_figure_stands_behind_its_own_bar_also_where_no_spread_is_told(qtbot: QtBot, series: Series) -> None:
    chart = LayerTimes()
    qtbot.addWidget(chart)
    chart.resize(640, 320)
    chart.show()
    chart.set_data(ChartData((dataclasses.replace(series, samples={}),)))
    ends = [group.ms for group in groups(series, GroupBy.LAYER)]
    shown = [figure.pos().x() for figure in chart._figures if figure.isVisible()]
    assert shown == pytest.approx(ends[: len(shown)]) and len(shown) > 3 and len(set(shown)) > 1
