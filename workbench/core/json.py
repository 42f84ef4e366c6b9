"""Nouns to JSON and back: one checked form for the child process, the store, the report and `--json`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from workbench.core.errors import WorkbenchError, one_line

T = TypeVar("T")


def encode(value: object) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Raises WorkbenchError where `data` is not a `kind`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, ValueError) as error:
        raise WorkbenchError(f"This is not a {kind.__name__}: {one_line(str(error), 200)}") from error


def write_json(path: Path, value: object) -> None:
    """Written beside and moved into place, so that no reader ever sees half a file."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(msgspec.json.format(encode(value), indent=1))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_json(path: Path, kind: type[T]) -> T:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WorkbenchError(f"Cannot read {path.name}: {error.strerror}") from error
    return decode(data, kind)
