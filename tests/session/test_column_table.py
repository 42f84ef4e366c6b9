from __future__ import annotations

import csv
import io

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from tests.pipeline.fusing import fp32, int8, source
from tests.session.engines import MS
from workbench.pipeline.alignment import align
from workbench.pipeline.ledger import fusion_ledger
from workbench.session.column_table import ColumnTable
from workbench.session.differences_table import differences_table
from workbench.session.ledger_table import layer_table, pattern_table

DOWN, UP = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder
LEDGER = fusion_ledger(source(), int8(), MS["int8"])


@pytest.fixture
def table(qapp: object) -> ColumnTable:
    made = ColumnTable()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.set_content(layer_table(LEDGER))
    return made


def column(table: ColumnTable, key: str) -> int:
    return [one.id for one in table.content.columns].index(key)


def shown(table: ColumnTable, key: str) -> list[str]:
    at = column(table, key)
    return [table.index(row, at).data() for row in range(table.rowCount())]


def test_layers_stand_in_execution_order_at_first(table: ColumnTable) -> None:
    assert [key for row in range(table.rowCount()) for key in table.links([row])] == ["l0", "l1", "l2", "l3", "l4"]
    assert shown(table, "nodes") == ["1", "3", "2", "1", "2"]


def test_a_column_sorts_by_its_numbers_either_way(table: ColumnTable) -> None:
    table.sort(column(table, "time"), DOWN)
    assert shown(table, "time") == ["0.600 ms", "0.500 ms", "0.400 ms", "0.300 ms", "0.200 ms"]
    table.sort(column(table, "time"), UP)
    assert shown(table, "time")[0] == "0.200 ms"
    table.sort(-1)
    assert table.links([0]) == {"l0"}


def test_what_was_not_timed_is_last_either_way(table: ColumnTable) -> None:
    table.set_content(layer_table(fusion_ledger(source(), int8(), {"l1": 1.0})))
    for order in (DOWN, UP):
        table.sort(column(table, "time"), order)
        assert shown(table, "time")[0] == "1.00 ms"


def test_a_filter_wants_every_word_and_keeps_the_order(table: ColumnTable) -> None:
    table.sort(column(table, "time"), DOWN)
    table.set_filter("conv INT8")
    assert [table.links([row]) for row in range(table.rowCount())] == [{"l2"}, {"l1"}]
    table.set_filter("no such layer")
    assert table.rowCount() == 0
    table.set_filter("")
    assert table.rowCount() == 5


def test_rows_are_found_by_what_they_stand_for(table: ColumnTable) -> None:
    table.sort(column(table, "time"), DOWN)
    assert [table.links([row]) for row in table.rows_of(frozenset(["l1", "l4"]))] == [{"l4"}, {"l1"}]
    assert table.rows_of(frozenset()) == []


def test_patterns_stand_for_all_their_layers(table: ColumnTable) -> None:
    table.set_content(pattern_table(LEDGER))
    every = table.links(range(table.rowCount()))
    assert every == {"l0", "l1", "l2", "l3", "l4"}
    assert shown(table, "count") == ["1"] * 5


def test_copied_and_saved_tables_have_a_header_and_the_rows_seen(table: ColumnTable) -> None:
    table.set_filter("conv int8")
    lines = table.tsv().splitlines()
    assert lines[0].split("\t")[0] == "layer" and len(lines) == 1 + table.rowCount()
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert [float(row["time"]) for row in rows] == [0.4, 0.6]  # plain numbers: a spreadsheet can add them up


def test_differences_are_sorted_by_their_size(table: ColumnTable) -> None:
    table.set_content(differences_table(align(fp32(), int8(), MS["fp32"], MS["int8"])))
    assert shown(table, "difference") == ["−1.10 ms", "−0.500 ms", "0"]
    assert table.links([0]) == {"a:l2", "b:l2", "b:l3"}
    assert "split into 2" in shown(table, "words")[0]


def test_engines_without_times_have_no_columns_of_times(table: ColumnTable) -> None:
    columns = [one.id for one in differences_table(align(fp32(), int8())).columns]
    assert columns == ["title", "count", "words"]
    half = [one.id for one in differences_table(align(fp32(), int8(), MS["fp32"], {})).columns]
    assert half == ["title", "count", "a", "words"]
