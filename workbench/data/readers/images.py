"""A folder of pictures; its sub-folders, where there are any, are the classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.data.feeding import Wanted
from workbench.data.labels import label_map
from workbench.data.preprocess import SUFFIXES, load_picture
from workbench.data.rows import Label, Rows


def accepts(path: Path) -> bool:
    return path.is_dir() and sum(1 for child in path.iterdir() if child.suffix.lower() == ".csv") != 1


def read(path: Path, wanted: Wanted) -> Rows:
    """Pictures in order of their names, class by class. Sub-folders without a picture are no classes."""
    classes = {folder.name: found for folder in _folders(path) if (found := _pictures(folder))}
    loose = _pictures(path)
    if not classes and not loose:
        kinds = ", ".join(sorted(SUFFIXES))
        raise WorkbenchError(f"There are no pictures in {path}.", f"Wanted are files {kinds}, or one .csv file.")
    if not classes:
        return rows_of(loose, None, wanted)
    if loose:
        wanted.note(f"{len(loose)} pictures beside the class folders are not used: they have no label.")
    numbers = label_map(list(classes), wanted)
    files = [(file, numbers[name]) for name, found in classes.items() for file in found]
    return rows_of([file for file, _ in files], tuple(label for _, label in files), wanted)


def rows_of(files: list[Path], labels: tuple[Label, ...] | None, wanted: Wanted) -> Rows:
    """Rows of pictures, each decoded when it is fed."""
    feeder = wanted.pictures()
    return Rows(len(files), feeder.covers, lambda i: feeder.feed(load_picture(files[i])), labels)


def _folders(path: Path) -> list[Path]:
    return [child for child in _sorted(path.iterdir()) if child.is_dir()]


def _pictures(folder: Path) -> list[Path]:
    return [child for child in _sorted(folder.iterdir()) if child.suffix.lower() in SUFFIXES and child.is_file()]


def _sorted(children: Iterable[Path]) -> list[Path]:
    """By name; hidden ones are left out."""
    return sorted((child for child in children if not child.name.startswith(".")), key=lambda child: child.name)
