"""Nouns to JSON and back: one checked form for the child process, the store, the report and `--json`."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.events import AnyEvent
from workbench.core.requests import AnyRequest
from workbench.core.writing import written_whole

T = TypeVar("T")


def encode(value: object) -> bytes:
    """One line of JSON; NaN and infinity, which JSON lacks, become null."""
    return msgspec.json.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Raises WorkbenchError where `data` is not a `kind`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, ValueError) as error:
        name = getattr(kind, "__name__", "message")
        raise WorkbenchError(f"This is not a {name}: {one_line(str(error), 200)}") from error


def decode_event(data: bytes) -> AnyEvent:
    """An event of any kind, told by its tag."""
    event: AnyEvent = decode(data, AnyEvent)  # type: ignore[arg-type]
    return event


def decode_request(data: bytes) -> AnyRequest:
    """A request of any kind, told by its tag."""
    request: AnyRequest = decode(data, AnyRequest)  # type: ignore[arg-type]
    return request


def write_json(path: Path, value: object) -> None:
    """`value` as indented JSON, whole or not at all. Raises OSError where the disk refuses."""
    data = msgspec.json.format(encode(value), indent=1)
    with written_whole(path) as file:
        file.write(data)


def read_json(path: Path, kind: type[T]) -> T:
    """Raises WorkbenchError where the file cannot be read or is not a `kind`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WorkbenchError(f"Cannot read {path.name}: {error.strerror}") from error
    return decode(data, kind)
