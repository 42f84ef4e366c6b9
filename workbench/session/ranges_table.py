"""The calibration report as a table: a row a tensor, a column a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from workbench.core.calibration_report import CalibrationReport, TensorRange
from workbench.core.graph import Layer
from workbench.core.precision import CalibrationMethod
from workbench.core.words import plural
from workbench.session.choices import method_words
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell
from workbench.session.words import node_label

POOR_DB = 20.0
"""A range that leaves less than this loses what the layer is for."""


def ranges_table(report: CalibrationReport, nodes: Mapping[str, Layer], method: CalibrationMethod) -> TableContent:
    """`method` is the one that the plan has: its column says so."""
    tensors = report.tensors
    columns = [
        TableColumn(
            "tensor",
            "tensor",
            "What INT8 is written from, in the order of the graph",
            lambda i: Cell(tensors[i].name, tip=_tip(tensors[i], nodes)),
            np.asarray([tensor.name.casefold() for tensor in tensors], dtype=np.str_),
            is_figure=False,
        ),
    ]
    columns += [_column(one, report, is_chosen=one is method) for one in CalibrationMethod]
    columns.append(
        TableColumn(
            "node",
            "read by",
            "The first node that reads it",
            lambda i: Cell(_reader(tensors[i], nodes), tone="soft"),
            np.asarray([_reader(tensor, nodes).casefold() for tensor in tensors], dtype=np.str_),
            is_figure=False,
        )
    )
    links = [tensor.nodes for tensor in tensors]
    texts = [f"{tensor.name} {_reader(tensor, nodes)} {' '.join(tensor.nodes)}".casefold() for tensor in tensors]
    return TableContent(tuple(columns), links, texts, _sentence(report, method))


def _column(method: CalibrationMethod, report: CalibrationReport, *, is_chosen: bool) -> TableColumn:
    chosen = [tensor.chosen(method) for tensor in report.tensors]
    title = (
        method_words(method) if method is not CalibrationMethod.PERCENTILE else f"{report.calibration.percentile:g} %"
    )

    def cell(row: int) -> Cell:
        one = chosen[row]
        clipped = f"{100 * one.clipped:.2g} %" if one.clipped > 0 else ""
        words = f"{one.low:.4g} … {one.high:.4g}, {100 * one.clipped:.3g} % clipped, {one.sqnr_db:.1f} dB estimated"
        return Cell(f"{max(-one.low, one.high):.3g}", clipped, tone="bad" if one.sqnr_db < POOR_DB else "", tip=words)

    return TableColumn(
        method.value,
        f"● {title}" if is_chosen else title,
        "Largest magnitude kept, and the share of values that is clipped; red: below 20 dB"
        + ("; the plan's method" if is_chosen else ""),
        cell,
        np.asarray([one.sqnr_db for one in chosen], dtype=np.float64),
    )


def _reader(tensor: TensorRange, nodes: Mapping[str, Layer]) -> str:
    found = [nodes[node] for node in tensor.nodes if node in nodes]
    return f"{found[0].op} {node_label(found[0])}" if found else ""


def _tip(tensor: TensorRange, nodes: Mapping[str, Layer]) -> str:
    known: Callable[[str], str] = lambda node: node_label(nodes[node]) if node in nodes else node  # noqa: E731
    return f"{tensor.name}\nread by {', '.join(map(known, tensor.nodes[:6]))}"


def _sentence(report: CalibrationReport, method: CalibrationMethod) -> str:
    counted = plural(report.samples, "sample")
    if len(report.marks) < 2:
        return counted
    if not report.marks[0].moved.keys() & {method}:
        method = CalibrationMethod.PERCENTILE
    steady = report.steady_from(method)
    if steady is not None:
        return f"{counted} are enough: ranges ({method_words(method)}) moved < 1 % since {steady}"
    last = report.marks[-2]
    moved = 100 * last.moved.get(method, 0.0)
    return f"{counted}: ranges ({method_words(method)}) still moved by {moved:.0f} % after {last.samples}"
