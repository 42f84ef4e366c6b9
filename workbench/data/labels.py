"""Labels: class names and folder names to the places of the model's outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import TaskKind
from workbench.data.feeding import Wanted
from workbench.data.rows import Label

_LEADING = re.compile(r"\d{1,9}(?!\d)", re.ASCII)


def label_map(names: Sequence[str], wanted: Wanted) -> dict[str, Label]:
    """Name of a class (of a folder, or in a table) -> its place in the model's output.

    By the recipe's class names where all are among them; else by a leading number (`0_tshirt`, `000`); else in
    sorted order, which is said, because it is often not the model's. Text stays as it is where the task is text.
    """
    task = wanted.recipe.task
    if task is not None and task.kind is TaskKind.TEXT_LINES:
        return {name: name for name in names}
    classes = {_plain(name): place for place, name in enumerate(task.labels if task else ())}
    if classes and all(_plain(name) in classes for name in names):
        return {name: classes[_plain(name)] for name in names}
    numbers = {name: int(match[0]) for name in names if (match := _LEADING.match(name))}
    if len(numbers) == len(names) and (len(set(numbers.values())) == len(names) or _all_numbers(names)):
        return dict(numbers)
    wanted.note(
        "The class names are not among the labels of the recipe; they were numbered in sorted order, which may not "
        "be the order of the model's outputs. Accuracy near chance means it is not."
    )
    return {name: place for place, name in enumerate(sorted(set(names)))}


def number_labels(labels: NDArray[np.generic], size: int, file: str) -> tuple[Label, ...]:
    """A number a sample, or a row of them."""
    if labels.shape[:1] != (size,):
        raise WorkbenchError(f"{file} has {size} samples and {labels.shape} labels.", "Give one label a sample.")
    rows = labels.reshape(size, -1).astype(np.float64).tolist()
    return tuple(row[0] if len(row) == 1 else tuple(row) for row in rows)


def _plain(name: str) -> str:
    """Folder names cannot hold every character of a label: case and everything but letters and digits is ignored."""
    return "".join(ch for ch in name.casefold() if ch.isalnum()) or name


def _all_numbers(names: Sequence[str]) -> bool:
    return all(name.isascii() and name.isdigit() for name in names)
