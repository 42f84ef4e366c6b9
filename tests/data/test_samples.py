"""Sample sets of every kind, and what is said of those that do not fit."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.recipe import Color, Fit, InputSpec, Layout, Preprocess, Recipe, Task, TaskKind
from workbench.data import SampleSet, open_samples, read_recipe, recipe_shapes
from workbench.model import open_model
from workbench.resources import sample_models

TEXT = Recipe(task=Task(TaskKind.TEXT_LINES))
GRAY = Recipe(preprocess=Preprocess(width=4, height=4, color=Color.GRAY, scale=1.0))


def _model(folder: Path, *inputs: tuple[str, Sequence[int | str | None], int]) -> Model:
    proto = making.chain()
    del proto.graph.input[:]
    chosen = inputs or (("x", (1, 1, 4, 4), TensorProto.FLOAT),)
    proto.graph.input.extend(making.value(name, shape, dtype) for name, shape, dtype in chosen)
    proto.graph.node[0].input[0] = chosen[0][0]
    (folder / "model").mkdir(exist_ok=True)
    return open_model(making.save(proto, folder / "model"))


def _open(source: Path | str, model: Model, recipe: Recipe = GRAY, **more: int) -> SampleSet:
    return open_samples(str(source), model, recipe, model.shapes, **more)


def _picture(path: Path, level: int, size: tuple[int, int] = (4, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)


def _levels(samples: SampleSet) -> list[float]:
    return [float(feed["x"].max()) for feed in samples]


# Pictures in folders


def test_folders_are_classes_numbered_by_their_leading_number(tmp_path: Path) -> None:
    for level, name in enumerate(("10_z", "0_b", "2_a")):
        _picture(tmp_path / "set" / name / "p.png", level)
    samples = _open(tmp_path / "set", _model(tmp_path))
    assert (samples.labels, samples.warnings, _levels(samples)) == ((0, 10, 2), (), [1, 0, 2])


def test_folders_with_the_recipes_class_names_take_their_place_in_the_output(tmp_path: Path) -> None:
    recipe = Recipe(
        preprocess=GRAY.preprocess, task=Task(TaskKind.CLASSIFICATION, labels=("Shirt", "T-shirt/top", "Bag"))
    )
    for name in ("bag", "T-shirt_top"):
        _picture(tmp_path / "set" / name / "p.png", 1)
    samples = _open(tmp_path / "set", _model(tmp_path), recipe)
    assert sorted(samples.labels or ()) == [1, 2]
    assert samples.labels == (1, 2)
    assert not samples.warnings


def test_folders_of_other_names_are_numbered_in_order_with_a_warning(tmp_path: Path) -> None:
    for name in ("cat", "ant"):
        _picture(tmp_path / "set" / name / "p.png", 1)
    samples = _open(tmp_path / "set", _model(tmp_path))
    assert samples.labels == (0, 1)
    assert any("sorted order" in warning for warning in samples.warnings)


def test_pictures_without_folders_have_no_labels(tmp_path: Path) -> None:
    for level in range(5):
        _picture(tmp_path / "set" / f"{level}.png", level)
    (tmp_path / "set" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "set" / "notes.txt").write_text("x")
    samples = _open(tmp_path / "set", _model(tmp_path))
    assert (samples.size, samples.labels, samples.name, samples.is_random) == (5, None, "set", False)
    assert _levels(samples) == [0, 1, 2, 3, 4]


def test_a_limit_draws_over_the_whole_set_and_is_repeatable(tmp_path: Path) -> None:
    for level in range(40):
        _picture(tmp_path / "set" / f"{level // 20}" / f"{level:02}.png", level)
    model = _model(tmp_path)
    few = _open(tmp_path / "set", model, limit=8)
    assert len(few) == 8
    assert set(few.labels or ()) == {0, 1}
    assert _levels(few) == sorted(_levels(few)) == _levels(_open(tmp_path / "set", model, limit=8))
    assert _levels(few) != _levels(_open(tmp_path / "set", model, limit=8, seed=1))
    assert [int(level) // 20 for level in _levels(few)] == list(few.labels or ())


def test_without_a_recipe_the_normalisation_is_a_guess_and_said(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), (255, 0, 0)).save(tmp_path / "p.png")
    for shape, axis in (((1, 3, 4, 4), 1), ((1, 4, 4, 3), 3)):
        samples = _open(tmp_path, _model(tmp_path, ("x", shape, TensorProto.FLOAT)), Recipe())
        assert samples.feed(0)["x"].shape == shape
        assert samples.feed(0)["x"].max(axis=tuple({0, 1, 2, 3} - {axis})).tolist() == [1, 0, 0]
        assert any("normalised" in warning for warning in samples.warnings)


def test_a_batch_is_filled_by_repetition(tmp_path: Path) -> None:
    _picture(tmp_path / "set" / "p.png", 7)
    samples = _open(tmp_path / "set", _model(tmp_path, ("x", (3, 1, 4, 4), TensorProto.FLOAT)))
    assert samples.feed(0)["x"].shape == (3, 1, 4, 4)
    assert (samples.feed(0)["x"] == 7).all()
    assert any("batch of 3" in warning for warning in samples.warnings)


# Preprocessing


def _made(picture: Image.Image, folder: Path, pre: Preprocess, shape: Sequence[int]) -> np.ndarray:
    picture.save(folder / "p.png")
    samples = _open(folder, _model(folder, ("x", shape, TensorProto.FLOAT)), Recipe(preprocess=pre))
    return np.asarray(samples.feed(0)["x"])


def test_colours_are_ordered_scaled_and_normalised_channel_by_channel(tmp_path: Path) -> None:
    red = Image.new("RGB", (2, 2), (200, 100, 50))
    pre = Preprocess(width=2, height=2, color=Color.BGR, scale=0.1, mean=(1, 2, 3), std=(2, 4, 8))
    made = _made(red, tmp_path, pre, (1, 3, 2, 2))
    assert np.allclose(made[0, :, 0, 0], [(5 - 1) / 2, (10 - 2) / 4, (20 - 3) / 8])


def test_padding_keeps_the_aspect_and_is_zero_after_normalising(tmp_path: Path) -> None:
    pre = Preprocess(width=10, height=4, color=Color.GRAY, scale=1.0, mean=(100,), std=(10,), fit=Fit.PAD_RIGHT)
    made = _made(Image.new("L", (11, 8), 200), tmp_path, pre, (1, 1, 4, 10))
    assert (made[..., :6] == 10).all()  # ceil(4 * 11 / 8) = 6
    assert (made[..., 6:] == 0).all()


def test_a_crop_takes_the_centre(tmp_path: Path) -> None:
    wide = Image.new("L", (12, 4), 0)
    wide.paste(250, (4, 0, 8, 4))
    pre = Preprocess(width=4, height=4, color=Color.GRAY, scale=1.0, fit=Fit.CENTER_CROP, layout=Layout.NHWC)
    assert (_made(wide, tmp_path, pre, (1, 4, 4, 1)) == 250).all()


def test_pictures_of_sixteen_bits_keep_their_range(tmp_path: Path) -> None:
    deep = Image.fromarray(np.full((4, 4), 65535 // 2, np.uint16))
    made = _made(deep, tmp_path, Preprocess(width=4, height=4, color=Color.GRAY, scale=1.0), (1, 1, 4, 4))
    assert (made == 127).all()


def test_a_recipe_that_makes_another_shape_says_both(tmp_path: Path) -> None:
    _picture(tmp_path / "set" / "p.png", 1)
    recipe = Recipe(preprocess=Preprocess())
    _refused(tmp_path / "set", _model(tmp_path), "makes 3×224×224, the model's input 'x' wants 1×1×4×4", recipe)


# Pictures that are no pictures


def _bomb(width: int) -> bytes:
    """A PNG of a few bytes that claims to be very large."""
    head = struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(99))) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    model = _model(tmp_path)
    _picture(tmp_path / "whole" / "p.png", 3)
    whole = (tmp_path / "whole" / "p.png").read_bytes()
    cases = [
        (b"", "cannot be read"),
        (b"hello", "cannot be read"),
        (whole[:-30], "cannot be read"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "cannot be read"),
        (b"GIF89a" + b"\1" * 40, "cannot be read"),
        (_bomb(10_000), "pixels"),
        (_bomb(2_000_000), "pixels"),
    ]
    for number, (data, words) in enumerate(cases):
        path = tmp_path / f"set{number}" / "bad_one.png"
        path.parent.mkdir()
        path.write_bytes(data)
        message = _refused(path.parent, model, words)
        assert "bad_one.png" in message


def test_a_bad_picture_in_the_middle_is_told_when_it_is_fed(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        _picture(tmp_path / "set" / f"{name}.png", 1)
    (tmp_path / "set" / "b.png").write_bytes(b"no")
    samples = _open(tmp_path / "set", _model(tmp_path))
    assert samples.feed(2)["x"].max() == 1
    with pytest.raises(WorkbenchError, match=r"b\.png"):
        samples.feed(1)


# Tables


def _table(folder: Path, text: str, name: str = "t.csv") -> Path:
    for level in range(3):
        _picture(folder / "set" / "pictures" / f"{level}.png", level)
    path = folder / "set" / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "pictures/1.png,5\npictures/0.png,7\n",
        "file,label\npictures/1.png,5\npictures/0.png,7\n",
        "\ufefffile;label\npictures/1.png;5\n\npictures/0.png;7",
        "label\tpath\r\n5\tpictures/1.png\r\n7\tpictures/0.png\r\n",
    ],
)
def test_a_table_of_files_and_numbers(tmp_path: Path, text: str) -> None:
    path = _table(tmp_path, text)
    model = _model(tmp_path)
    for source in (path, path.parent):
        samples = _open(source, model)
        assert (samples.labels, _levels(samples)) == ((5, 7), [1, 0])


def test_text_labels_stay_text(tmp_path: Path) -> None:
    path = _table(tmp_path, 'pictures/0.png,"1,5 ""x"" "\npictures/1.png,007\n')
    recipe = Recipe(preprocess=GRAY.preprocess, task=TEXT.task)
    assert _open(path, _model(tmp_path), recipe).labels == ('1,5 "x" ', "007")


TABLES = [
    ("", "empty"),
    ("file,label\n", "no samples"),
    ("a,b\n1,2\n", "names no pictures"),
    ("pictures/0.png,1\npictures/9.png,2\n", "Line 2"),
    ("pictures/0.png,1\n../../x.png,2\n", "not in the table's folder"),
    ("/etc/x.png,1\n", "not in the table's folder"),
    ("pictures/0.png,1\npictures/1.png\n", "only 1 columns"),
]


@pytest.mark.parametrize(("text", "words"), TABLES, ids=[words for _, words in TABLES])
def test_a_bad_table_is_refused_naming_the_line(tmp_path: Path, text: str, words: str) -> None:
    _refused(_table(tmp_path, text), _model(tmp_path), words)


# Arrays


def test_rows_of_an_array_get_their_batch_axis(tmp_path: Path) -> None:
    rows = np.arange(48, dtype=np.float64).reshape(3, 1, 4, 4)
    np.save(tmp_path / "a.npy", rows)
    samples = _open(tmp_path / "a.npy", _model(tmp_path), Recipe())
    assert (samples.size, samples.labels) == (3, None)
    assert samples.feed(2)["x"].dtype == np.float32
    assert np.array_equal(samples.feed(2)["x"], rows[2:3])


def test_bytes_go_through_the_recipe(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.full((2, 8, 8), 9, np.uint8), y=np.array([3, 1]))
    samples = _open(tmp_path / "a.npz", _model(tmp_path))
    assert samples.labels == (3, 1)
    assert (samples.feed(1)["x"] == 9).all()
    assert samples.feed(1)["x"].shape == (1, 1, 4, 4)


def test_arrays_named_as_inputs_are_fed_as_they_are(tmp_path: Path) -> None:
    ids, one = ("ids", (1, "n"), TensorProto.INT64), ("rate", (), TensorProto.INT32)
    model = _model(tmp_path, ids, one, ("mask", (1, "n"), TensorProto.INT64))
    width = model.shapes["ids"][1]
    values = np.arange(4 * width).reshape(4, width)
    np.savez_compressed(tmp_path / "a.npz", ids=values, rate=np.arange(4), labels=np.array(list("abab")))
    samples = _open(tmp_path / "a.npz", model, Recipe())
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
    model = _model(tmp_path)
    for path, words in _bad_arrays(tmp_path):
        message = _refused(path, model, words.partition("|")[2] or words, Recipe())
        assert path.name in message or "sample is" in message


def test_values_that_would_lose_their_meaning_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3), np.float32))
    model = _model(tmp_path, ("x", (1, 3), TensorProto.INT64))
    _refused(tmp_path / "a.npy", model, "the model's input 'x' takes int64", Recipe())


# Random values


def test_random_values_follow_recipe_name_and_type(tmp_path: Path) -> None:
    model = _model(
        tmp_path,
        ("x", (2, 50), TensorProto.FLOAT),
        ("ids", (1, 500), TensorProto.INT64),
        ("attention_mask", (1, 5), TensorProto.INT64),
        ("flag", (40,), TensorProto.BOOL),
        ("sr", (), TensorProto.INT64),
        ("small", (60,), TensorProto.BFLOAT16),
        ("position_ids", (1, 5), TensorProto.INT64),
        ("bytes", (900,), TensorProto.UINT8),
    )
    recipe = Recipe(
        inputs={"x": InputSpec(low=-2, high=2), "ids": InputSpec(low=5, high=7), "bytes": InputSpec(high=9e9)}
    )
    samples = _open("random", model, recipe, seed=3)
    feed = samples.feed(0)
    assert (samples.is_random, samples.size, samples.labels) == (True, 32, None)
    assert "RANDOM" in samples.warnings[0]
    assert feed["x"].dtype == np.float32
    assert -2 <= feed["x"].min() < -1 and 1 < feed["x"].max() <= 2
    assert set(feed["ids"].ravel().tolist()) == {5, 6, 7}
    assert (feed["attention_mask"] == 1).all()
    assert set(feed["flag"].tolist()) == {False, True}
    assert (int(feed["sr"]), feed["sr"].shape) == (16000, ())
    assert feed["small"].dtype.name == "bfloat16"
    assert feed["position_ids"].tolist() == [[0, 1, 2, 3, 4]]
    assert (int(feed["bytes"].min()), int(feed["bytes"].max())) == (0, 255)
    assert all(np.array_equal(a, b) for a, b in zip(feed.values(), samples.feed(0).values(), strict=True))
    assert not np.array_equal(feed["x"], samples.feed(1)["x"])


def test_random_values_are_capped_in_size(tmp_path: Path) -> None:
    model = _model(tmp_path, ("x", (1, "n"), TensorProto.FLOAT))
    with pytest.raises(WorkbenchError, match="would need"):
        open_samples("random", model, Recipe(), {"x": (1, 10**18)})


# The sets that come with the program

SHIPPED = [
    ("fashion/fashion_resnet", 10, int),
    ("digits/digits_resnet", 10, int),
    ("ocr/ppocrv4_rec", 100, str),
]


@pytest.mark.parametrize(("name", "different", "kind"), SHIPPED, ids=[name for name, *_ in SHIPPED])
def test_a_shipped_set_fits_its_model(name: str, different: int, kind: type) -> None:
    model = open_model(sample_models() / f"{name}.onnx")
    recipe = read_recipe(model)
    shapes = recipe_shapes(model, recipe)
    calibration = open_samples(recipe.calibration, model, recipe, shapes, limit=4)
    evaluation = open_samples(recipe.evaluation, model, recipe, shapes)
    assert calibration.size == 4 and not evaluation.warnings
    labels = evaluation.labels or ()
    assert len(set(labels)) >= different
    assert all(isinstance(label, kind) for label in labels)
    (spec,) = model.inputs
    assert evaluation.feed(evaluation.size - 1)[spec.name].shape == shapes[spec.name]


def _refused(source: Path, model: Model, words: str, recipe: Recipe = GRAY) -> str:
    with pytest.raises(WorkbenchError) as caught:
        _open(source, model, recipe)
    assert words in caught.value.message
    assert caught.value.hint
    return caught.value.message
