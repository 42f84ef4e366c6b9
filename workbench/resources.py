"""Where the files that ship with the program are: in a checkout, an editable install and a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _root(name: str) -> Path:
    shipped = _PACKAGE / "_data" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def resource(name: str) -> Path:
    """A file below `resources/`."""
    return _root("resources") / name


def sample_models() -> Path:
    """The folder of sample models."""
    return _root("sample_models")
