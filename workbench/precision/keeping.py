"""Observations as a file: .npz without pickles. A file may come from anywhere, so nothing in it is believed."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError, one_line
from workbench.precision.histogram import BINS, Histogram
from workbench.precision.observations import MOST_ROWS, Observations
from workbench.precision.observer import MOST_CHANNELS, PEAKS, Channels, Peaks
from workbench.precision.trail import METHODS, Trail

MOST_BYTES = 2 * 1024**3
"""Of all arrays of a file together."""
Array = NDArray[Any]


class _Head(msgspec.Struct, frozen=True):
    """What is not an array."""

    samples: int
    tensors: list[str]
    notes: list[str]
    is_last: list[bool]
    marks: list[int]
    rows: list[str]
    amaxes: dict[str, float]


def save_observations(seen: Observations, path: Path | IO[bytes]) -> None:
    """One .npz: a head in JSON, and per tensor a row in every array. Raises OSError where the disk refuses."""
    names = list(seen.histograms)
    channels = [seen.channels.get(name, Channels()) for name in names]
    peaks = [seen.peaks.get(name, Peaks()) for name in names]
    head = _Head(
        seen.samples,
        names,
        list(seen.notes),
        [one.is_last for one in channels],
        seen.trail.marks,
        list(seen.rows),
        seen.amaxes,
    )
    histograms = list(seen.histograms.values())
    arrays = {
        "counts": np.array([h.counts for h in histograms], np.int64).reshape(-1, 2 * BINS),
        "ranges": np.array([(h.top, h.low, h.high) for h in histograms], np.float64).reshape(-1, 3),
        "skipped": np.array([h.skipped for h in histograms], np.int64),
        "channels": np.array([len(one.low) for one in channels], np.int64),
        "lows": _joined([one.low for one in channels], np.float32),
        "highs": _joined([one.high for one in channels], np.float32),
        "peaks": np.array([len(one.values) for one in peaks], np.int64),
        "peak_values": _joined([one.values for one in peaks], np.float64),
        "peak_samples": _joined([one.samples for one in peaks], np.int64),
        "trail": np.array(seen.trail.thresholds, np.float64).reshape(len(seen.trail.marks), len(names), len(METHODS)),
        "row_counts": np.array([len(rows) for rows in seen.rows.values()], np.int64),
        "rows": _joined(list(seen.rows.values()), np.float64).reshape(-1, 2),
    }
    np.savez_compressed(path, head=np.frombuffer(msgspec.json.encode(head), np.uint8), **arrays)  # type: ignore[arg-type]


def load_observations(path: Path) -> Observations:
    """Raises WorkbenchError where the file is not one of ours, whole and possible."""
    try:
        with zipfile.ZipFile(path) as file:
            return _read(file)
    except (OSError, EOFError, ValueError, KeyError, TypeError, MemoryError, RuntimeError) as error:
        reason = one_line(str(error), 200) or type(error).__name__
        raise WorkbenchError(f"{path.name} holds no calibration: {reason}", "Delete it and calibrate again.") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, msgspec.MsgspecError, ArithmeticError) as error:
        raise WorkbenchError(
            f"{path.name} holds no calibration: {one_line(str(error), 200)}", "Delete it and calibrate again."
        ) from error


def _joined(parts: list[Array], kind: type[np.generic]) -> Array:
    return np.concatenate([np.asarray(part, kind) for part in parts]) if parts else np.empty(0, kind)


class _Reader:
    """Arrays of a zip file, each of the type and shape that is asked for, none larger than it says or than allowed."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._left = MOST_BYTES

    def array(self, name: str, kind: type[np.generic], shape: tuple[int, ...]) -> Array:
        """`shape` may have one -1. Raises ValueError where the file has another."""
        info = self._file.getinfo(f"{name}.npy")
        self._left -= info.file_size
        if self._left < 0:
            raise ValueError("it is too large")
        with self._file.open(info) as opened:
            found, dtype = _header(opened)
            if dtype != np.dtype(kind) or not _is_shape(found, shape):
                raise ValueError(f"{name} is {dtype} {found}")
            size = math.prod(found) * dtype.itemsize
            data = opened.read(size + 1) if size <= info.file_size else b""
        if len(data) != size:
            raise ValueError(f"{name} is cut off")
        return np.frombuffer(data, dtype).reshape(found).copy()


def _header(opened: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(opened)
    if version != (1, 0):
        raise ValueError(f"arrays of version {version}")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(opened)
    if is_fortran or dtype.hasobject:
        raise ValueError("an array of another kind")
    return shape, dtype


def _is_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(found) == len(wanted) and all(b in (-1, a) for a, b in zip(found, wanted, strict=True))


def _read(file: zipfile.ZipFile) -> Observations:
    reader = _Reader(file)
    head = msgspec.json.decode(reader.array("head", np.uint8, (-1,)).tobytes(), type=_Head)
    count = len(head.tensors)
    if len(set(head.tensors)) != count or len(head.is_last) != count or head.samples < 0:
        raise ValueError("its head contradicts itself")
    trail = reader.array("trail", np.float64, (len(head.marks), count, len(METHODS)))
    rows = _split(reader.array("rows", np.float64, (-1, 2)), reader.array("row_counts", np.int64, (len(head.rows),)))
    if any(len(one) > MOST_ROWS for one in rows):
        raise ValueError("too many rows")
    return Observations(
        dict(zip(head.tensors, _histograms(reader, count), strict=True)),
        head.samples,
        tuple(head.notes),
        dict(zip(head.tensors, _channels(reader, head.is_last), strict=True)),
        dict(zip(head.tensors, _peaks(reader, count), strict=True)),
        Trail(list(head.marks), list(trail)),
        dict(zip(head.rows, rows, strict=True)),
        head.amaxes,
    )


def _histograms(reader: _Reader, count: int) -> list[Histogram]:
    counts = reader.array("counts", np.int64, (count, 2 * BINS))
    ranges = reader.array("ranges", np.float64, (count, 3)).tolist()
    skipped = reader.array("skipped", np.int64, (count,)).tolist()
    rows = zip(counts, ranges, skipped, strict=True)
    found = [Histogram(row, top, low, high, skip) for row, (top, low, high), skip in rows]
    for one in found:
        if not _is_possible(one):
            raise ValueError("a histogram is impossible")
    return found


def _is_possible(one: Histogram) -> bool:
    """Counts that add up, below a range that is a power of two and just holds the extremes."""
    if (one.counts < 0).any() or one.skipped < 0 or float(one.counts.sum(dtype=np.float64)) > 2**62:
        return False
    if not one.count:
        return one.top == 0.0 and one.low == math.inf and one.high == -math.inf
    if not (math.isfinite(one.low) and math.isfinite(one.high) and one.low <= one.high):
        return False
    return one.amax == one.top == 0.0 or (math.frexp(one.top)[0] == 0.5 and 0.0 < one.amax < one.top < 2.0**129)


def _channels(reader: _Reader, is_last: list[bool]) -> list[Channels]:
    counts = reader.array("channels", np.int64, (len(is_last),))
    if (counts > MOST_CHANNELS).any():
        raise ValueError("too many channels")
    lows = _split(reader.array("lows", np.float32, (-1,)), counts)
    highs = _split(reader.array("highs", np.float32, (-1,)), counts)
    return [Channels(*each) for each in zip(is_last, lows, highs, strict=True)]


def _peaks(reader: _Reader, count: int) -> list[Peaks]:
    counts = reader.array("peaks", np.int64, (count,))
    if (counts > PEAKS).any():
        raise ValueError("too many peaks")
    values = _split(reader.array("peak_values", np.float64, (-1,)), counts)
    return [
        Peaks(*each) for each in zip(values, _split(reader.array("peak_samples", np.int64, (-1,)), counts), strict=True)
    ]


def _split(values: Array, counts: Array) -> list[Array]:
    """`values` in parts of so many each. Raises ValueError where that does not come out."""
    if (counts < 0).any() or int(counts.sum()) != len(values):
        raise ValueError("parts do not add up")
    return np.split(values, np.cumsum(counts)[:-1]) if len(counts) else []
