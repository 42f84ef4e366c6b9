"""A table of pictures and labels: a .csv file, or a folder that holds exactly one."""

from __future__ import annotations

import csv
import io
from pathlib import Path, PurePosixPath

from workbench.core.errors import WorkbenchError
from workbench.core.reading import read_file
from workbench.core.recipe import TaskKind
from workbench.data.feeding import Wanted
from workbench.data.labels import label_map
from workbench.data.preprocess import SUFFIXES
from workbench.data.readers.images import rows_of
from workbench.data.rows import Label, Rows

_MAX_BYTES = 256 * 1024**2
_FILE = ("file", "filename", "file_name", "path", "image", "picture")
_LABEL = ("label", "text", "class", "target", "y", "transcription")


def accepts(path: Path) -> bool:
    if path.is_dir():
        return sum(1 for child in path.iterdir() if child.suffix.lower() == ".csv") == 1
    return path.suffix.lower() == ".csv"


def read(path: Path, wanted: Wanted) -> Rows:
    """Two columns, file and label, with or without a line of headings; other columns are ignored.

    Paths are relative to the table and stay in its folder. Raises WorkbenchError naming the line.
    """
    table = next(c for c in sorted(path.iterdir()) if c.suffix.lower() == ".csv") if path.is_dir() else path
    lines = _lines(table)
    file_column, label_column, first = _columns(lines, table)
    files, labels = [], []
    for number, line in lines[first:]:
        if len(line) <= max(file_column, label_column):
            raise WorkbenchError(f"Line {number} of {table.name} has only {len(line)} columns.", "Correct the table.")
        files.append(_file(table, line[file_column].strip(), number))
        if label_column >= 0:
            labels.append(line[label_column])
    if not files:
        raise WorkbenchError(f"{table.name} has no samples.", "Each line is: file,label.")
    return rows_of(files, _labels(labels, wanted) if label_column >= 0 else None, wanted)


def _lines(table: Path) -> list[tuple[int, list[str]]]:
    """Number and cells of each line that is not empty. Comma, semicolon or tab, told from the first line."""
    try:
        text = read_file(table, limit=_MAX_BYTES).decode("utf-8-sig")
        start = text.partition("\n")[0]
        delimiter = max(",;\t", key=start.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(reader.line_num, line) for line in reader if any(cell.strip() for cell in line)]
    except UnicodeDecodeError as error:
        raise WorkbenchError(f"{table.name} is not text in UTF-8.", "Save the table as CSV in UTF-8.") from error
    except csv.Error as error:
        raise WorkbenchError(f"{table.name} is not a table: {error}.", "Save it as CSV again.") from error
    if not lines:
        raise WorkbenchError(f"{table.name} is empty.", "Each line is: file,label.")
    return lines


def _columns(lines: list[tuple[int, list[str]]], table: Path) -> tuple[int, int, int]:
    """Column of the file, of the label (-1: none), and the first line of samples."""
    cells = [cell.strip().lower() for cell in lines[0][1]]
    if PurePosixPath(cells[0]).suffix in SUFFIXES:
        return 0, 1 if len(cells) > 1 else -1, 0
    file_column = next((i for i, cell in enumerate(cells) if cell in _FILE), None)
    if file_column is None:
        raise WorkbenchError(
            f"{table.name} names no pictures: its first line is {', '.join(lines[0][1])!r}.",
            "Wanted are two columns: file,label.",
        )
    label_column = next((i for i, cell in enumerate(cells) if cell in _LABEL), -1)
    return file_column, label_column, 1


def _file(table: Path, name: str, number: int) -> Path:
    path = table.parent / name.replace("\\", "/")
    try:
        inside = path.resolve().is_relative_to(table.parent.resolve())
        exists = inside and path.is_file()
    except (OSError, ValueError, RuntimeError):
        inside = exists = False
    if not inside:
        raise WorkbenchError(
            f"Line {number} of {table.name} names {name!r}, which is not in the table's folder.",
            "Copy the pictures beside the table.",
        )
    if not exists:
        raise WorkbenchError(f"Line {number} of {table.name}: there is no file {name!r}.", "Correct the table.")
    return path


def _labels(labels: list[str], wanted: Wanted) -> tuple[Label, ...]:
    task = wanted.recipe.task
    if task is None and any(not label.strip().isdigit() for label in labels) and len(set(labels)) > len(labels) // 2:
        return tuple(labels)  # nearly every label is another one: text, not classes
    if task is not None and task.kind is TaskKind.TEXT_LINES:
        return tuple(labels)
    if task is not None and task.kind.has_number_labels and (found := _numbers(labels)) is not None:
        return found
    names = [label.strip() for label in labels]
    numbers = label_map(list(dict.fromkeys(names)), wanted)
    return tuple(numbers[name] for name in names)


def _numbers(labels: list[str]) -> tuple[Label, ...] | None:
    """None where one of them is no number."""
    try:
        return tuple(float(label) for label in labels)
    except ValueError:
        return None
