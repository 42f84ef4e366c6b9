"""External data: weights in files beside the model, never outside its folder, and read by nobody but us.

Engines read such files themselves, and OpenVINO 2026.4 believes a location that stands for an address in memory,
TensorRT for RTX follows links; so the private copy holds all weights, and no engine ever sees a location.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path, PurePosixPath

import msgspec
import onnx

from workbench.core.errors import WorkbenchError
from workbench.model.dtypes import packed_bytes
from workbench.model.walk import all_tensors

_FORBIDDEN = frozenset("\\:*\0")
_MOVE = "Copy the model and its data file into one folder, as plain files."


class Place(msgspec.Struct, frozen=True):
    """Where a tensor's bytes are: `size_bytes` from `offset` in the file `location` of the model's folder."""

    location: str
    offset: int
    size_bytes: int


def is_external(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data))


def external_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    return (tensor for tensor in all_tensors(model) if is_external(tensor))


def check_external(model: onnx.ModelProto, folder: Path) -> dict[str, int]:
    """Location -> bytes of each data file. Raises WorkbenchError for one that is not safely inside `folder`."""
    sizes: dict[str, int] = {}
    for tensor in external_tensors(model):
        location = _location(tensor)
        if location not in sizes:
            with open_external(folder, location) as file:
                sizes[location] = os.fstat(file.fileno()).st_size
        place_of(tensor, sizes[location])
    return sizes


def _location(tensor: onnx.TensorProto) -> str:
    found = [entry.value for entry in tensor.external_data if entry.key == "location"]
    if len(found) != 1 or not found[0]:
        raise WorkbenchError(f"The weight {tensor.name!r} is said to lie in another file, but not in which.", _MOVE)
    location = str(found[0])
    path = PurePosixPath(location)
    if path.is_absolute() or ".." in path.parts or _FORBIDDEN & set(location) or len(location) > 1024:
        raise WorkbenchError(
            f"The weight {tensor.name!r} lies in {location!r}, which is not a plain path inside the model's folder.",
            "Such a model could read any file of yours. Get it from a source you trust, or " + _lower(_MOVE),
        )
    return location


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def place_of(tensor: onnx.TensorProto, file_bytes: int) -> Place:
    """Raises WorkbenchError where offset or length lie outside the file, or are not what shape and type need."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    needed = packed_bytes(tensor.data_type, _count(tensor))
    offset = _number(entries, "offset", 0, tensor.name)
    length = _number(entries, "length", needed, tensor.name)
    if offset + length > file_bytes:
        raise WorkbenchError(
            f"The weight {tensor.name!r} ends {offset + length - file_bytes} bytes behind the end of "
            f"{entries['location']!r}.",
            "The data file is cut off or belongs to another model; download or export both again.",
        )
    if length != needed:
        raise WorkbenchError(
            f"The weight {tensor.name!r} has {length} bytes of data; its shape and type need {needed}.",
            "The model and its data file do not belong together; download or export both again.",
        )
    return Place(entries["location"], offset, length)


def _count(tensor: onnx.TensorProto) -> int:
    count = 1
    for dim in tensor.dims:
        count *= dim
    return count


def _number(entries: Mapping[str, str], key: str, default: int, tensor: str) -> int:
    text = entries.get(key, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise WorkbenchError(f"The weight {tensor!r} has {text!r} as its {key} in the data file.", "Export it again.")
    return int(text)


def open_external(folder: Path, location: str) -> BufferedReader:
    """The data file, opened so that no link, pipe or second name of another file gets through."""
    _refuse_links(folder, location)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(folder / location, flags)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WorkbenchError(f"Cannot read the model's data file {location!r}: {reason}.", _MOVE) from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(handle)
        what = "has a second name elsewhere (a hard link)" if stat.S_ISREG(found.st_mode) else "is not a plain file"
        raise WorkbenchError(f"The model's data file {location!r} {what}.", _MOVE)
    return open(handle, "rb")  # noqa: PTH123  a handle; the caller closes


def _refuse_links(folder: Path, location: str) -> None:
    path = folder
    for part in PurePosixPath(location).parts:
        path = path / part
        if path.is_symlink():
            raise WorkbenchError(
                f"The model's data file {location!r} is reached through a link.",
                _MOVE + " (Hugging Face's cache holds links: copy with cp -L.)",
            )


def load_external(model: onnx.ModelProto, folder: Path) -> None:
    """Puts all external data into the proto. Checks each place again."""
    with ExitStack() as stack:
        files: dict[str, BufferedReader] = {}
        for tensor in external_tensors(model):
            location = _location(tensor)
            if location not in files:
                files[location] = stack.enter_context(open_external(folder, location))
            file = files[location]
            place = place_of(tensor, os.fstat(file.fileno()).st_size)
            file.seek(place.offset)
            tensor.raw_data = file.read(place.size_bytes)
            del tensor.external_data[:]
            tensor.data_location = onnx.TensorProto.DEFAULT


def fingerprint(data: bytes, folder: Path, locations: Mapping[str, int]) -> str:
    """SHA-256 of the file; with external data, of the file's digest and each data file's name and digest."""
    whole = hashlib.sha256(data)
    if not locations:
        return whole.hexdigest()
    both = hashlib.sha256(whole.digest())
    for location in sorted(locations):
        with open_external(folder, location) as file:
            both.update(location.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return both.hexdigest()
