from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.test_charts import series_of
from tests.pipeline.fusing import fp32, source
from workbench.charts.base import ChartData
from workbench.charts.memory import MemoryChart
from workbench.core.memory_plan import MemoryPlan
from workbench.core.precision import Precision
from workbench.core.theme import LIGHT
from workbench.model.liveness import memory_plan

MIB = 2**20


def plans() -> tuple[MemoryPlan, MemoryPlan]:
    engine = fp32().graph
    sizes = dict.fromkeys("abcdefg", MIB), dict.fromkeys(engine.tensors, MIB)
    return memory_plan(source(), sizes[0]), memory_plan(engine, sizes[1])


@pytest.fixture
def chart(qtbot: QtBot) -> MemoryChart:
    made = MemoryChart()
    qtbot.addWidget(made)
    made.resize(520, 320)
    made.set_theme(LIGHT)
    with qtbot.waitExposed(made):
        made.show()
    made.set_data(ChartData((series_of(Precision.INT8),), memory=plans()))
    QTest.qWait(20)
    return made


def test_the_peaks_stand_beside_what_the_engine_says(chart: MemoryChart) -> None:
    words = chart.peaks.text()
    assert "source 3.00 MiB" in words and "engine" in words and "its own figure is 1.00 MiB" in words


def test_a_click_on_the_timeline_names_the_layer_that_runs_then(chart: MemoryChart, qtbot: QtBot) -> None:
    timeline, engine = chart.timeline, plans()[1]
    scene = timeline.getPlotItem().getViewBox().mapViewToScene(QPointF(1.5 / len(engine.steps), 1.0))
    with qtbot.waitSignal(chart.layer_clicked) as caught:
        QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.mapFromScene(scene))
    assert caught.args == [engine.steps[1]]


def test_hovering_says_which_tensors_are_held(chart: MemoryChart, qtbot: QtBot) -> None:
    timeline, (before, _) = chart.timeline, plans()
    x = (before.peak_step + 0.5) / len(before.steps)
    scene = timeline.getPlotItem().getViewBox().mapViewToScene(QPointF(x, 1.0))
    QTest.mouseMove(timeline.viewport(), timeline.mapFromScene(scene))
    qtbot.waitUntil(lambda: "held by" in timeline.toolTip(), timeout=20_000)
    assert "source: 3.00 MiB" in timeline.toolTip() and "c 1.00" in timeline.toolTip()


def test_without_a_plan_only_the_bars_are_seen(chart: MemoryChart) -> None:
    chart.set_data(ChartData((series_of(Precision.INT8),)))
    assert chart.plot.isVisible() and not chart.timeline.isVisible() and not chart.peaks.isVisible()
    chart.set_data(ChartData())
    assert chart.placeholder.isVisible() and not chart.timeline.isVisible()


def test_the_csv_has_the_bytes_of_every_step(chart: MemoryChart) -> None:
    rows = chart.csv().splitlines()
    assert sum(row.startswith("source plan,") for row in rows) == 8
