"""Arrays: a .npy of samples, or a .npz of samples and labels."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.reading import check_regular
from workbench.data.feeding import Wanted
from workbench.data.labels import label_map, number_labels
from workbench.data.preprocess import from_array, is_picture_array
from workbench.data.recipe import picture_input
from workbench.data.rows import Label, Rows

Array = NDArray[np.generic]

MAX_BYTES = 4 * 1024**3
MAX_MEMBERS = 256
_SAMPLES = ("x", "images", "data", "samples", "inputs", "arr_0")
_LABELS = ("y", "labels", "label", "targets", "target", "arr_1")
_ERRORS = (ValueError, OSError, EOFError, MemoryError, KeyError, NotImplementedError, RuntimeError)


def accepts(path: Path) -> bool:
    return path.suffix.lower() in (".npy", ".npz")


def read(path: Path, wanted: Wanted) -> Rows:
    """The first axis counts samples. Arrays named as inputs are fed to them; else one of `x`, `images`, `data`.

    Bytes that look like pictures go through the recipe's preprocessing. Raises WorkbenchError.
    """
    check_regular(path)
    arrays = {"x": _mapped(path)} if path.suffix.lower() == ".npy" else _unpacked(path)
    given = {name: arrays[name] for name in wanted.specs if name in arrays}
    if not given:
        given = {_first_input(wanted): _by_name(arrays, _SAMPLES, path)}
    size = _common_size(given, path)
    labels = _labels(arrays, given, size, path, wanted)
    feeders = {name: _feeder(name, array, wanted) for name, array in given.items()}
    return Rows(size, frozenset(given), lambda i: {name: feed(i) for name, feed in feeders.items()}, labels)


def _feeder(name: str, array: Array, wanted: Wanted) -> Callable[[int], Array]:
    """How rows of one array become values of one input: pictures by the recipe, others as they are."""
    wanted.spec(name)
    if name == _first_input(wanted) and _goes_through_preprocessing(array, name, wanted):
        pictures = wanted.pictures()
        return lambda i: pictures.feed(from_array(np.asarray(array[i], np.uint8)))[name]
    return lambda i: wanted.fit(name, np.asarray(array[i]))


def _mapped(path: Path) -> Array:
    """Mapped, not read: the size is checked against the file before anything is allocated."""
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except _ERRORS as error:
        raise _damaged(path, error) from error


def _unpacked(path: Path) -> dict[str, Array]:
    """All arrays of an archive, after its sizes were added up and each header was compared with its member."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if len(members) > MAX_MEMBERS or total > MAX_BYTES:
                raise WorkbenchError(
                    f"{path.name} unpacks to {len(members)} arrays of {total:,} bytes.",
                    f"{MAX_MEMBERS} arrays of {MAX_BYTES // 1024**3} GB together are the most; save a part of it.",
                )
            return {member.filename.removesuffix(".npy"): _member(archive, member, path) for member in members}
    except (zipfile.BadZipFile, zlib.error, *_ERRORS) as error:
        raise _damaged(path, error) from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Array:
    with archive.open(member) as file:
        shape, dtype = _header(file)
    count = 1
    for size in shape:
        count *= size
    if dtype.hasobject or count * dtype.itemsize > member.file_size or min(shape, default=0) < 0:
        raise ValueError(f"{member.filename} is not what its header says")
    with archive.open(member) as file:
        return np.asanyarray(np.lib.format.read_array(file, allow_pickle=False))


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _damaged(path: Path, error: BaseException) -> WorkbenchError:
    return WorkbenchError(
        f"{path.name} cannot be read as arrays: {one_line(str(error), 120)}",
        "Save it again with numpy.save or numpy.savez, without Python objects.",
    )


def _by_name(arrays: Mapping[str, Array], names: tuple[str, ...], path: Path) -> Array:
    found = next((arrays[name] for name in names if name in arrays), None)
    if found is None:
        raise WorkbenchError(
            f"{path.name} has no samples: its arrays are {', '.join(arrays) or 'none'}.",
            "Name one as an input of the model, or x, images or data.",
        )
    return found


def _first_input(wanted: Wanted) -> str:
    return picture_input(wanted.model, wanted.recipe.preprocess)


def _common_size(arrays: Mapping[str, Array], path: Path) -> int:
    sizes = {len(array) if array.ndim else -1 for array in arrays.values()}
    if len(sizes) != 1 or min(sizes) < 1:
        text = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        raise WorkbenchError(
            f"The arrays of {path.name} are not as many samples each: {text}.", "The first axis counts samples."
        )
    return sizes.pop()


def _goes_through_preprocessing(array: Array, name: str, wanted: Wanted) -> bool:
    """Bytes for an input of floats are pictures; for an input of bytes they are if the recipe says how."""
    if array.dtype != np.uint8 or not is_picture_array(array.shape[1:]):
        return False
    return wanted.recipe.preprocess is not None or wanted.spec(name).dtype.startswith(("float", "bfloat"))


def _labels(
    arrays: Mapping[str, Array], given: Mapping[str, Array], size: int, path: Path, wanted: Wanted
) -> tuple[Label, ...] | None:
    name = next((name for name in _LABELS if name in arrays and name not in given), None)
    if name is None:
        return None
    labels = arrays[name].reshape(-1) if arrays[name].size == size else arrays[name]
    if wanted.recipe.task is not None and wanted.recipe.task.kind.has_number_labels and labels.dtype.kind in "fiub":
        return number_labels(labels, size, path.name)
    if labels.shape != (size,):
        raise WorkbenchError(f"{path.name} has {size} samples and {labels.shape} labels.", "Give one label a sample.")
    if labels.dtype.kind == "U":
        names = [str(label) for label in labels]
        numbers = label_map(list(dict.fromkeys(names)), wanted)
        return tuple(numbers[label] for label in names)
    return tuple(int(label) for label in labels)
