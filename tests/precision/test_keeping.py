"""Files of observations come from a folder that anybody may write to: nothing in one is believed."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.precision.models import seen, write_model
from workbench.core.errors import WorkbenchError
from workbench.precision import load_observations, save_observations
from workbench.precision.histogram import BINS

MODEL = "(float[1,4] x) => (float[1,2] z) { z = MatMul (x, b) }"
Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    model = write_model(folder, MODEL, {"b": np.ones((4, 2), np.float32)})
    found = seen(model, *({"x": np.full((1, 4), i, np.float32)} for i in range(1, 5)))
    save_observations(found, folder / "good.npz")
    return (folder / "good.npz").read_bytes()


def arrays_of(data: bytes) -> Arrays:
    with np.load(io.BytesIO(data)) as file:
        return {name: file[name].copy() for name in file.files}


def changed(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name])}


def head(**fields: Any) -> Callable[[Arrays], Arrays]:
    def change(arrays: Arrays) -> Arrays:
        known = json.loads(arrays["head"].tobytes()) | fields
        return arrays | {"head": np.frombuffer(json.dumps(known).encode(), np.uint8)}

    return change


def set_range(place: int, value: float) -> Callable[[Arrays], Arrays]:
    def change(ranges: Any) -> Any:
        ranges[0, place] = value
        return ranges

    return changed("ranges", change)


HOSTILE: dict[str, Callable[[Arrays], Arrays]] = {
    "a count below zero": changed("counts", lambda a: a - 1),
    "counts of floats": changed("counts", lambda a: a.astype(np.float64)),
    "counts that overflow": changed("counts", lambda a: a * 0 + 2**61),
    "other bins": changed("counts", lambda a: a[:, : BINS // 2]),
    "one tensor more in the arrays": changed("skipped", lambda a: np.append(a, 0)),
    "objects": changed("ranges", lambda a: a.astype(object)),
    "a range that is no power of two": set_range(0, 5.0),
    "a range that is not a number": set_range(0, np.nan),
    "a range below what was seen": set_range(0, 0.5),
    "an endless range": set_range(2, np.inf),
    "lowest above highest": set_range(1, 100.0),
    "channels that do not add up": changed("channels", lambda a: a + 1),
    "channels below zero": changed("channels", lambda a: a * 0 - 1),
    "more peaks than are kept": changed("peaks", lambda a: a * 0 + 1000),
    "marks without ranges": head(marks=[1, 2, 3, 4, 5]),
    "a name twice": head(tensors=["x", "x"]),
    "samples below zero": head(samples=-1),
    "samples that are no number": head(samples="many"),
    "no head": lambda arrays: {name: array for name, array in arrays.items() if name != "head"},
    "a head that is no JSON": lambda arrays: arrays | {"head": np.frombuffer(b"{{{", np.uint8)},
    "a missing array": lambda arrays: {name: array for name, array in arrays.items() if name != "lows"},
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_what_cannot_be_ours_is_refused_in_a_sentence(good: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    with path.open("wb") as file:
        np.savez_compressed(file, **HOSTILE[what](arrays_of(good)))
    with pytest.raises(WorkbenchError, match=r"bad\.npz holds no calibration: .+ Delete it"):
        load_observations(path)


def test_a_file_cut_off_anywhere_is_refused(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.npz"
    for end in range(0, len(good) - 1, max(1, len(good) // 40)):
        path.write_bytes(good[:end])
        with pytest.raises(WorkbenchError, match="holds no calibration"):
            load_observations(path)


def test_flipped_bytes_are_refused_or_give_something_possible(good: bytes, tmp_path: Path) -> None:
    path, rng = tmp_path / "flipped.npz", np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(good)
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            found = load_observations(path)
        except WorkbenchError:
            continue
        assert all(one.count >= 0 and one.amax >= 0 for one in found.histograms.values())


def test_an_array_that_claims_terabytes_takes_no_memory(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    text = repr({"descr": "<i8", "fortran_order": False, "shape": (1, 2 * BINS), "fortran_order_": 0})
    header = text.replace("(1, ", "(1000000000, ").replace(", 'fortran_order_': 0", "").ljust(117) + "\n"
    bomb = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, bomb if info.filename == "counts.npy" else source.read(info))
    with pytest.raises(WorkbenchError, match="holds no calibration"):
        load_observations(path)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "pickle.npz"
    np.savez(path, head=np.array([{"evil": 1}], dtype=object))
    with pytest.raises(WorkbenchError, match="holds no calibration"):
        load_observations(path)
