"""The search for the best plan in the window: begun by a key, paused, steered, looked at, taken and undone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.charts.searches import found
from tests.session.models import open_here, save_small_model
from tests.views.driving import TIMEOUT_MS, choose, click
from workbench.charts.speed_accuracy import SpeedAccuracy
from workbench.core.json import write_json
from workbench.core.precision import Precision
from workbench.core.search import Limit, LimitKind, Search
from workbench.pipeline.searching.state import keep_search, search_folder
from workbench.session.session import Session
from workbench.views.main_window import MainWindow


def searched(window: MainWindow) -> Search:
    """A search of an earlier start of the program, read again with the model."""
    model = window.session.model
    assert model is not None
    nodes = [layer.id for layer in model.graph.layers if layer.op == "Conv"]
    search = found(*nodes)
    keep_search(search)
    window.session.settings.set("plan_searches", {model.sha256: search.key})
    window.session.model_changed.emit(model)
    window.bottom._show_search()
    return search


def chart_of(window: MainWindow) -> SpeedAccuracy:
    return next(chart for chart in window.bottom.charts if isinstance(chart, SpeedAccuracy))


def click_plan(window: MainWindow, number: int) -> None:
    table = window.bottom.search.page.table
    row = table.rows.rows_of(frozenset([str(number)]))[0]
    QTest.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(table.rows.index(row, 0)).center()
    )


def test_a_search_begins_by_a_key_arrives_live_and_is_paused_without_loss(window: MainWindow, qtbot: QtBot) -> None:
    session, panel = window.session, window.bottom.search
    session.choose("Null", backend="null", evaluation="random", calibration="random")
    session.searches.set_precisions([Precision.INT8])
    QTest.keySequence(window, "Ctrl+Shift+B")
    assert panel.isVisible() and session.searches.is_at_work and panel.go.text() == "Pause"
    assert not window.actions_by_id["search_plan"].isEnabled()
    qtbot.waitUntil(lambda: panel.page.table.rows.rowCount() >= 2, timeout=TIMEOUT_MS)
    assert chart_of(window).plot.isVisible()
    click(panel.go)
    qtbot.waitUntil(lambda: not session.searches.is_at_work, timeout=TIMEOUT_MS)
    kept = session.searches.result
    assert kept is not None and len(kept.points) >= 2 and panel.go.text() == "Go on"
    assert session.message is None
    with qtbot.waitSignal(session.searches.changed):
        click(panel.finish)
    qtbot.waitUntil(lambda: not session.searches.is_at_work, timeout=TIMEOUT_MS)
    done = session.searches.result
    assert done is not None and done.is_over and panel.go.text() == "Search more"
    assert [point.first for point in done.points[: len(kept.points)]] == [point.first for point in kept.points]
    assert session.message is not None and not session.message.is_error


def test_a_search_of_the_last_start_is_there_again(window: MainWindow) -> None:
    window.bottom._show_search()
    panel = window.bottom.search
    assert panel.page.empty.isVisible() and not panel.page.table.isVisible()
    assert panel.go.text() == "Search" and not panel.finish.isVisible()
    search = searched(window)
    assert panel.page.table.rows.rowCount() == len(search.points) and panel.go.text() == "Go on"
    assert (
        "best with accuracy within 0.5 % of FP32: int8 mse, 1 kept"
        in panel.page.table.rows.content.sentence.replace("INT8", "int8")
    )
    failed = panel.page.table.rows.rows_of(frozenset(["5"]))[0]
    last = panel.page.table.rows.columnCount() - 1
    assert panel.page.table.rows.index(failed, last).data() == "No BF16."


def test_a_click_on_a_row_or_a_point_says_why_and_on_a_reason_selects_its_layers(window: MainWindow) -> None:
    search = searched(window)
    click_plan(window, 3)
    why = window.bottom.search.page.why
    first = why.rows[0].decision
    assert first.sentence.startswith("layer ") and "in INT8 it would cost 1.7 points and save 10 % of the time" in (
        first.sentence
    )
    assert chart_of(window)._data.point == 3 and chart_of(window)._data.without == (1, 2, 0)
    click(why.rows[0])
    kept = search.points[3].choice
    assert kept is not None and window.session.selection.nodes == frozenset(kept.kept)
    chart = chart_of(window)
    place = next(place for place in chart._places if place.point.id == 1)
    scene = chart.plot.getPlotItem().getViewBox().mapViewToScene(QPointF(place.x, place.y))
    QTest.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=chart.plot.mapFromScene(scene))
    table = window.bottom.search.page.table
    rows = [index.row() for index in table.selectionModel().selectedRows()]
    assert table.rows.links(rows) == frozenset(["1"])


def test_a_found_plan_becomes_the_document_s_by_one_click_and_is_undone_by_one_key(window: MainWindow) -> None:
    search, before = searched(window), window.session.choices.plan
    click_plan(window, 3)
    click(window.bottom.search.page.why.use)
    assert window.session.choices.plan == search.points[3].plan
    QTest.keySequence(window, "Ctrl+Z")
    assert window.session.choices.plan == before
    entries = {entry.text(): entry for entry in window.bottom.search.menu.actions()}
    entries["Use the best plan"].trigger()
    assert window.session.choices.plan == search.points[3].plan
    for theme in ("dark", "light"):
        window.session.settings.set("theme", theme)
        assert not window.bottom.grab().isNull()


def test_another_limit_has_another_best_and_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    searched(window)
    panel, searches = window.bottom.search, window.session.searches
    panel.value.setValue(3.0)
    assert searches.wanted.limit == Limit(LimitKind.LOSS, 3.0)
    assert searches.result is not None and searches.result.best is not None and searches.result.best.id == 1
    choose(panel.kind, "speed ≥ 2", qtbot)
    assert searches.wanted.limit == Limit(LimitKind.SPEEDUP, 2.0) and panel.value.suffix() == "×"
    chart_of(window).limit_moved.emit(Limit(LimitKind.SPEEDUP, 3.7))
    assert searches.result.best is not None and panel.value.value() == 3.7
    assert Session(settings=window.session.settings).searches.wanted.limit == Limit(LimitKind.SPEEDUP, 3.7)


def test_pinned_layers_are_told_and_freed(window: MainWindow, qtbot: QtBot) -> None:
    search = searched(window)
    session = window.session
    nodes = [unit.node for unit in search.units]
    session.select_nodes(nodes[:1])
    choose(window.bottom.search.precisions, "Pin selected layers to FP32", qtbot)
    assert session.searches.pinned == {nodes[0]: Precision.FP32}
    assert "1 pinned" in window.bottom.search.precisions.words().soft
    assert session.searches.result is not None and [p.id for p in session.searches.result.front] == [3, 0]
    choose(window.bottom.search.precisions, "Unpin 1 layer", qtbot)
    assert session.searches.pinned == {}


def test_a_state_on_disk_that_is_broken_or_of_another_model_is_no_search(window: MainWindow, tmp_path: Path) -> None:
    model = window.session.model
    assert model is not None
    search = searched(window)
    write_json(search_folder(search.key) / "search.json", {"id": 3})
    window.session.model_changed.emit(model)
    assert window.session.searches.result is None
    window.session.settings.set("plan_searches", {model.sha256: "../../etc"})
    window.session.model_changed.emit(model)
    assert window.session.searches.result is None
    keep_search(search)
    open_here(window.session, save_small_model(tmp_path / "other.onnx", blocks=3))
    assert window.session.searches.result is None and window.bottom.search.page.empty.isVisible()


def test_the_table_of_plans_needs_no_scrolling_sideways_in_the_smallest_window(
    window: MainWindow, qtbot: QtBot
) -> None:
    searched(window)
    window.resize(window.minimumSize())
    bar = window.bottom.search.page.table.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() == 0, timeout=TIMEOUT_MS)
