"""Arrays as sample sets, and those that lie about themselves."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from onnx import TensorProto

from tests.data.sets import model_of, open_set, refused
from workbench.core.recipe import Recipe


def test_rows_of_an_array_get_their_batch_axis(tmp_path: Path) -> None:
    rows = np.arange(48, dtype=np.float64).reshape(3, 1, 4, 4)
    np.save(tmp_path / "a.npy", rows)
    samples = open_set(tmp_path / "a.npy", model_of(tmp_path), Recipe())
    assert (samples.size, samples.labels) == (3, None)
    assert samples.feed(2)["x"].dtype == np.float32
    assert np.array_equal(samples.feed(2)["x"], rows[2:3])


def test_bytes_go_through_the_recipe(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.full((2, 8, 8), 9, np.uint8), y=np.array([3, 1]))
    samples = open_set(tmp_path / "a.npz", model_of(tmp_path))
    assert samples.labels == (3, 1)
    assert (samples.feed(1)["x"] == 9).all()
    assert samples.feed(1)["x"].shape == (1, 1, 4, 4)


def test_arrays_named_as_inputs_are_fed_as_they_are(tmp_path: Path) -> None:
    ids, one = ("ids", (1, "n"), TensorProto.INT64), ("rate", (), TensorProto.INT32)
    model = model_of(tmp_path, ids, one, ("mask", (1, "n"), TensorProto.INT64))
    width = model.shapes["ids"][1]
    values = np.arange(4 * width).reshape(4, width)
    np.savez_compressed(tmp_path / "a.npz", ids=values, rate=np.arange(4), labels=np.array(list("abab")))
    samples = open_set(tmp_path / "a.npz", model, Recipe())
    feed = samples.feed(3)
    assert np.array_equal(feed["ids"], values[3:])
    assert (feed["rate"].shape, feed["rate"].dtype, int(feed["rate"])) == ((), np.int32, 3)
    assert (feed["mask"] == 1).all()
    assert samples.labels == (0, 1, 0, 1)
    assert any("no values for mask" in warning for warning in samples.warnings)


def _bad_arrays(folder: Path) -> list[tuple[Path, str]]:
    np.save(folder / "objects.npy", np.array([{}], dtype=object))
    np.save(folder / "scalar.npy", np.float32(1))
    np.save(folder / "wrong.npy", np.zeros((2, 5), np.float32))
    np.save(folder / "text.npy", np.array(["a"]))
    np.savez(folder / "names.npz", apples=np.zeros(3))
    np.savez(folder / "labels.npz", x=np.zeros((2, 1, 4, 4), np.float32), y=np.zeros(3))
    header = (folder / "wrong.npy").read_bytes().replace(b"(2, 5)", b"(9**9)")
    (folder / "header.npy").write_bytes(header)
    huge = (folder / "wrong.npy").read_bytes().replace(b"(2, 5), }        ", b"(999999999999,), }")
    (folder / "huge.npy").write_bytes(huge)
    with zipfile.ZipFile(folder / "huge.npz", "w") as archive:
        archive.writestr("x.npy", huge)
    with zipfile.ZipFile(folder / "many.npz", "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}.npy", b"")
    (folder / "cut.npz").write_bytes((folder / "labels.npz").read_bytes()[:-40])
    (folder / "empty.npy").write_bytes(b"")
    os.mkfifo(folder / "pipe.npy")
    return [
        (folder / "objects.npy", "cannot be read"),
        (folder / "scalar.npy", "first axis|not as many"),
        (folder / "wrong.npy", "A sample is 5"),
        (folder / "text.npy", "A sample is a single value"),
        (folder / "names.npz", "its arrays are apples"),
        (folder / "labels.npz", "2 samples and (3,) labels"),
        (folder / "header.npy", "cannot be read"),
        (folder / "huge.npy", "cannot be read"),
        (folder / "huge.npz", "cannot be read"),
        (folder / "many.npz", "300 arrays"),
        (folder / "cut.npz", "cannot be read"),
        (folder / "empty.npy", "cannot be read"),
        (folder / "pipe.npy", "pipe or device"),
        (folder / "absent.npy", "no sample set"),
        (folder / "model" / "model.onnx", "is not a sample set"),
    ]


def test_bad_arrays_are_refused_before_they_are_read(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    for path, words in _bad_arrays(tmp_path):
        message = refused(path, model, words.partition("|")[2] or words, Recipe())
        assert path.name in message or "sample is" in message


def test_values_that_would_lose_their_meaning_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3), np.float32))
    model = model_of(tmp_path, ("x", (1, 3), TensorProto.INT64))
    refused(tmp_path / "a.npy", model, "the model's input 'x' takes int64", Recipe())
