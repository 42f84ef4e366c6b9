"""The fusion ledger and the differences of two engines below the graphs, driven by mouse and keys."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.session.engines import take, two_runs
from tests.views.driving import CONTROL, LEFT, NONE, TIMEOUT_MS, click, click_node
from tests.views.test_panes import open_window, press
from workbench.session.runs_model import COLUMNS
from workbench.session.session import Session
from workbench.views.application import make_application
from workbench.views.differences_view import DifferencesView
from workbench.views.ledger_view import LedgerView
from workbench.views.linked_table import LinkedTable
from workbench.views.pane_bar import TWO
from workbench.views.runs_view import RunsView
from workbench.views.table_page import TablePage


@pytest.fixture
def session(own_data_folder: object, qtbot: QtBot, qapp: object) -> Iterator[Session]:
    make_application()
    two_runs()
    made = Session()
    take(made)
    yield made
    made.close()


def shown(page: TablePage, qtbot: QtBot) -> TablePage:
    page.resize(760, 320)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    return page


@pytest.fixture
def fusion(session: Session, qtbot: QtBot) -> TablePage:
    return shown(LedgerView(session), qtbot)


@pytest.fixture
def differences(session: Session, qtbot: QtBot) -> TablePage:
    session.pair.set_on(True)
    return shown(DifferencesView(session), qtbot)


def click_cell(table: LinkedTable, row: int, column: int = 0, keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(table.viewport(), LEFT, keys, table.visualRect(table.rows.index(row, column)).center())


def click_head(table: LinkedTable, key: str) -> None:
    head = table.horizontalHeader()
    column = [one.id for one in table.rows.content.columns].index(key)
    x = head.sectionViewportPosition(column) + head.sectionSize(column) // 2
    QTest.mouseClick(head.viewport(), LEFT, NONE, QPoint(x, head.height() // 2))


def selected(table: LinkedTable) -> frozenset[str]:
    return table.rows.links(index.row() for index in table.selectionModel().selectedRows())


def test_the_page_is_made_when_it_is_first_seen(session: Session, qtbot: QtBot) -> None:
    page = LedgerView(session)
    session.select_nodes(["n5"])
    assert page.ledger is None
    shown(page, qtbot)
    assert page.table.rows.rowCount() == 5 and selected(page.table) == {"l3"}
    assert page.sentence.words.main.startswith("8 nodes → 5 layers; ")


def test_a_row_selects_its_layer_and_nodes(session: Session, fusion: TablePage) -> None:
    click_cell(fusion.table, 2)
    assert session.selection.layers == {"l2"} and session.selection.nodes == {"n3", "n4"}
    click_cell(fusion.table, 4, keys=CONTROL)
    assert session.selection.layers == {"l2", "l4"}


def test_what_is_selected_elsewhere_is_the_row(session: Session, fusion: TablePage) -> None:
    session.select_nodes(["n5"])
    assert selected(fusion.table) == {"l3"}
    session.select_nodes([])
    assert not selected(fusion.table)


def test_a_head_sorts_and_the_selection_stays(session: Session, fusion: TablePage) -> None:
    click_cell(fusion.table, 1)
    click_head(fusion.table, "time")
    times = [fusion.table.rows.index(row, 4).data() for row in range(5)]
    assert times == sorted(times)
    click_head(fusion.table, "time")
    assert fusion.table.rows.links([0]) == {"l2"}
    assert session.selection.layers == {"l1"} and selected(fusion.table) == {"l1"}


def test_typing_filters_the_rows(fusion: TablePage) -> None:
    QTest.keyClicks(fusion.filter, "conv int8")
    assert fusion.table.rows.rowCount() == 2
    QTest.keyClicks(fusion.filter, " nothing")
    assert fusion.table.rows.rowCount() == 0
    fusion.filter.clear()
    assert fusion.table.rows.rowCount() == 5


def test_grouped_by_pattern_a_row_selects_all_its_layers(session: Session, fusion: LedgerView) -> None:
    click(fusion.by_pattern)
    assert [one.id for one in fusion.table.rows.content.columns][:2] == ["pattern", "count"]
    click_cell(fusion.table, 0)
    (layer,) = session.selection.layers
    click(fusion.by_pattern)
    assert selected(fusion.table) == {layer}


def test_the_table_is_copied_by_keys_and_saved(fusion: TablePage, tmp_path: Path) -> None:
    fusion.table.setFocus()
    QTest.keyClick(fusion.table, Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text().startswith("layer\tnodes")
    fusion.save(tmp_path / "fusion.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "fusion.csv").read_text("utf-8"))))
    assert len(rows) == 5 and rows[1]["ran in"] == "INT8"
    fusion.save(tmp_path / "fusion.tsv")
    assert "\t" in (tmp_path / "fusion.tsv").read_text("utf-8")


def test_a_table_that_cannot_be_written_is_told(session: Session, fusion: TablePage) -> None:
    fusion._save("/nowhere/at/all/fusion.csv")
    assert session.message is not None and "could not be written" in session.message.text


def test_another_run_brings_its_own_ledger(session: Session, fusion: TablePage) -> None:
    other = next(run for run in session.pair.candidates() if run is not session.current)
    session.set_current(other.id)
    assert fusion.table.rows.rowCount() == 4


def test_without_a_second_engine_the_differences_say_how_to_get_one(session: Session, qtbot: QtBot) -> None:
    page = shown(DifferencesView(session), qtbot)
    assert page.empty.isVisible() and "Ctrl+T" in page.empty.text()


def test_differences_are_sorted_by_time_and_select_in_both(session: Session, differences: TablePage) -> None:
    assert differences.table.rows.index(0, 4).data() == "−1.10 ms"
    click_cell(differences.table, 0)
    assert session.selection.first == {"l2"} and session.selection.layers == {"l2", "l3"}
    assert session.selection.nodes == {"n3", "n4", "n5"}


def test_a_layer_of_either_engine_selects_the_difference(session: Session, differences: TablePage) -> None:
    session.select_layers(["l3"])
    assert "b:l3" in selected(differences.table)
    session.pair.select(["l3"])
    assert selected(differences.table) == {"a:l3", "b:l4"}


def test_turned_off_the_differences_are_empty_again(session: Session, differences: TablePage) -> None:
    session.pair.set_on(False)
    assert differences.empty.isVisible() and differences.table.rows.rowCount() == 0


def test_the_pages_stand_below_the_graphs_each_with_its_own_menu(
    own_data_folder: object, qtbot: QtBot, qapp: object
) -> None:
    two_runs()
    window = open_window(qtbot)
    cell = window.bottom.cells[2]
    tabs = {tab.text(): tab for tab in cell.tabs}
    click(tabs["Fusion"])
    assert window.bottom.ledger.table.rows.rowCount() == 5 and cell.more.menu() is window.bottom.ledger.menu
    click_cell(window.bottom.ledger.table, 2)
    assert window.panes.engine.canvas.selection == {"l2"} and window.panes.source.canvas.selection == {"n3", "n4"}
    press(window.panes.bar.modes, TWO)
    click(tabs["Differences"])
    click_node(window.panes.first.canvas, "l3")
    assert selected(window.bottom.differences.table) == {"a:l3", "b:l4"}
    click(tabs["Runs"])
    assert cell.more.menu() is not window.bottom.ledger.menu
    window.close()


def test_columns_that_can_be_spared_go_where_there_is_no_room_and_come_back(fusion: TablePage) -> None:
    table = fusion.table
    keys = [column.id for column in table.rows.content.columns]
    spared = keys[-1]
    table.spare = (spared,)
    fusion.resize(2400, 300)
    assert not table.isColumnHidden(keys.index(spared))
    fusion.resize(220, 300)
    assert table.isColumnHidden(keys.index(spared)) and not table.isColumnHidden(0)
    fusion.resize(2400, 300)
    assert not table.isColumnHidden(keys.index(spared)) and table.columnWidth(keys.index(spared)) > 0


def test_heads_of_the_runs_are_whole_when_columns_come_back(session: Session, qtbot: QtBot) -> None:
    menu = QMenu()
    view = RunsView(session, menu)
    table = view.table
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.show()
    qtbot.waitExposed(view)
    view.refresh()
    view.resize(1400, 200)
    qtbot.waitUntil(lambda: not any(map(table.isColumnHidden, range(len(COLUMNS)))), timeout=TIMEOUT_MS)
    head = table.horizontalHeader()
    titles = [str(table.runs.headerData(at, head.orientation())) for at in range(len(COLUMNS))]
    assert all(head.sectionSize(at) >= head.fontMetrics().horizontalAdvance(t) + 16 for at, t in enumerate(titles))
