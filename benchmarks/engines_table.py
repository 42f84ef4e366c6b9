"""The rows of bench_engines.py as a page: one line a model and precision, its targets side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from workbench.core.precision import Precision

Row = dict[str, Any]
ORDER = ("sm86", "sm89", "sm120")
MIB = 2**20
EXACT_PERCENT = 90.0
"""Of the source nodes of a CNN in FP32 whose fate must be exact."""

HEAD = (
    "| model | precision | targets | nodes → layers | engine MiB | activations MiB | weights MiB | have a fate | exact "
    "| build s | peak RSS MiB |"
)


def document(rows: Sequence[Row]) -> str:
    """Conditions, what holds over all rows, and the table."""
    lines = [_conditions(rows), *_findings(rows), "", HEAD, "|" + "---|" * HEAD.count(" |")]
    for group in _groups(rows):
        lines += _lines(group)
    return "\n".join(lines) + "\n"


def _conditions(rows: Sequence[Row]) -> str:
    versions = {f"{name} {text}" for row in rows for name, text in row.get("versions", {}).items()}
    return (
        "# Engines of TensorRT for RTX\n\n"
        f"Made by `bench_engines.py` with {', '.join(sorted(versions))}: one fresh process a row, on {os.cpu_count()} "
        f"shared cores (load {os.getloadavg()[2]:.0f}), without a GPU. Light models of the onnx wheel have random "
        "weights, two calibration samples choose the ranges: what an engine is made of does not hang on their values. "
        "Where targets differ, figures stand in the order of the targets. Build seconds and memory are of a busy "
        "machine: an order of magnitude.\n"
    )


def _findings(rows: Sequence[Row]) -> Iterator[str]:
    built = [row for row in rows if row["status"] == "built"]
    yield f"- {len(rows)} builds asked for: {len(built)} built, " + ", ".join(
        f"{sum(row['status'] == status for row in rows)} {status}"
        for status in dict.fromkeys(row["status"] for row in rows if row["status"] != "built")
    )
    unknown = [row for row in built if row["mapped"] < row["nodes"]]
    yield f"- Every source node has a fate in {len(built) - len(unknown)} of {len(built)} engines{_names(unknown)}."
    cnns = [row for row in built if row["is_cnn"] and row["precision"] == Precision.FP32]
    below = [row for row in cnns if _exact(row) < EXACT_PERCENT]
    yield (
        f"- Convolutional networks in FP32: {EXACT_PERCENT:.0f} % of the nodes or more have a fate that is known "
        "exactly (named by the engine, or proven by its edges) in "
        f"{len(cnns) - len(below)} of {len(cnns)}{_names(below)}; the median is {median(map(_exact, cnns)):.1f} %."
        if cnns
        else "- No convolutional network yet."
    )
    again = [row for row in built if "again" in row]
    moved = [row for row in again if row["again"] == "same bytes in another order"]
    other = [row for row in again if row["again"] == "other bytes"]
    same = len(again) - len(moved) - len(other)
    yield (
        f"- Built a second time in a fresh process: {len(again)}, with the same bytes {same}, the same but for the "
        f"order in which the file lists inputs and outputs {len(moved)}{_names(moved, '')}, other {len(other)}"
        f"{_names(other, '')}. "
        "A run that asks for the same engine gets the very same file from the store."
    )


def _names(rows: Sequence[Row], word: str = "not: ") -> str:
    names = [f"{row['model']} {Precision(row['precision']).label} {row['target']}" for row in rows]
    return f" ({word}{', '.join(names)})" if names else ""


def _exact(row: Row) -> float:
    return 100 * row["exact"] / max(row["nodes"], 1)


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one model and precision, models in the order they came."""
    precisions = list(Precision)
    models = list(dict.fromkeys(row["model"] for row in rows))
    known = {(row["model"], row["precision"], row["target"]): row for row in rows}
    for model in models:
        for precision in precisions:
            group = [known[model, precision, t] for t in ORDER if (model, precision, t) in known]
            if group:
                yield group


def _lines(group: Sequence[Row]) -> Iterator[str]:
    built = [row for row in group if row["status"] == "built"]
    head = f"| {group[0]['model']} | {Precision(group[0]['precision']).label} |"
    if built:
        cells = (_one(built, figure) for figure in _FIGURES)
        yield f"{head} {_targets(built)} | {' | '.join(cells)} |"
    for status, reason in dict.fromkeys((row["status"], row["reason"]) for row in group if row["status"] != "built"):
        these = [row for row in group if row.get("reason") == reason and row["status"] == status]
        yield f"{head} {_targets(these)} | {status}: {reason.replace('|', '/')} |" + " |" * (HEAD.count(" |") - 4)


def _targets(rows: Sequence[Row]) -> str:
    return ", ".join(row["target"] for row in rows)


def _one(rows: Sequence[Row], figure: Callable[[Row], str]) -> str:
    """The figure, once where all targets have it."""
    return " / ".join(dict.fromkeys(texts) if len(set(texts := [figure(row) for row in rows])) == 1 else texts)


_FIGURES: tuple[Callable[[Row], str], ...] = (
    lambda row: f"{row['nodes']} → {row['layers']}",
    lambda row: f"{row['size'] / MIB:.2f}",
    lambda row: f"{row['memory'].get('activations', 0) / MIB:.2f}",
    lambda row: f"{row['memory'].get('weights', 0) / MIB:.2f}",
    lambda row: f"{100 * row['mapped'] / max(row['nodes'], 1):.0f} %",
    lambda row: f"{_exact(row):.0f} %",
    lambda row: f"{row['seconds']:.1f}",
    lambda row: f"{row['peak_rss'] / MIB:.0f}",
)
