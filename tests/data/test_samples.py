"""Sample sets of every kind, and what is said of those that do not fit."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

from tests.data.sets import GRAY, model_of, open_set, refused
from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Color, Fit, InputSpec, Layout, Preprocess, Recipe, Task, TaskKind
from workbench.data import SampleSet, open_samples, read_recipe, recipe_shapes
from workbench.model import open_model
from workbench.resources import sample_models

TEXT = Recipe(task=Task(TaskKind.TEXT_LINES))


def _picture(path: Path, level: int, size: tuple[int, int] = (4, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)


def _levels(samples: SampleSet) -> list[float]:
    return [float(feed["x"].max()) for feed in samples]


# Pictures in folders


def test_folders_are_classes_numbered_by_their_leading_number(tmp_path: Path) -> None:
    for level, name in enumerate(("10_z", "0_b", "2_a")):
        _picture(tmp_path / "set" / name / "p.png", level)
    samples = open_set(tmp_path / "set", model_of(tmp_path))
    assert (samples.labels, samples.warnings, _levels(samples)) == ((0, 10, 2), (), [1, 0, 2])


def test_folders_with_the_recipes_class_names_take_their_place_in_the_output(tmp_path: Path) -> None:
    recipe = Recipe(
        preprocess=GRAY.preprocess, task=Task(TaskKind.CLASSIFICATION, labels=("Shirt", "T-shirt/top", "Bag"))
    )
    for name in ("bag", "T-shirt_top"):
        _picture(tmp_path / "set" / name / "p.png", 1)
    samples = open_set(tmp_path / "set", model_of(tmp_path), recipe)
    assert sorted(samples.labels or ()) == [1, 2]
    assert samples.labels == (1, 2)
    assert not samples.warnings


def test_folders_of_other_names_are_numbered_in_order_with_a_warning(tmp_path: Path) -> None:
    for name in ("cat", "ant"):
        _picture(tmp_path / "set" / name / "p.png", 1)
    samples = open_set(tmp_path / "set", model_of(tmp_path))
    assert samples.labels == (0, 1)
    assert any("sorted order" in warning for warning in samples.warnings)


def test_pictures_without_folders_have_no_labels(tmp_path: Path) -> None:
    for level in range(5):
        _picture(tmp_path / "set" / f"{level}.png", level)
    (tmp_path / "set" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "set" / "notes.txt").write_text("x")
    samples = open_set(tmp_path / "set", model_of(tmp_path))
    assert (samples.size, samples.labels, samples.name, samples.is_random) == (5, None, "set", False)
    assert _levels(samples) == [0, 1, 2, 3, 4]


def test_a_limit_draws_over_the_whole_set_and_is_repeatable(tmp_path: Path) -> None:
    for level in range(40):
        _picture(tmp_path / "set" / f"{level // 20}" / f"{level:02}.png", level)
    model = model_of(tmp_path)
    few = open_set(tmp_path / "set", model, limit=8)
    assert len(few) == 8
    assert set(few.labels or ()) == {0, 1}
    assert _levels(few) == sorted(_levels(few)) == _levels(open_set(tmp_path / "set", model, limit=8))
    assert _levels(few) != _levels(open_set(tmp_path / "set", model, limit=8, seed=1))
    assert [int(level) // 20 for level in _levels(few)] == list(few.labels or ())


def test_without_a_recipe_the_normalisation_is_a_guess_and_said(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), (255, 0, 0)).save(tmp_path / "p.png")
    for shape, axis in (((1, 3, 4, 4), 1), ((1, 4, 4, 3), 3)):
        samples = open_set(tmp_path, model_of(tmp_path, ("x", shape, TensorProto.FLOAT)), Recipe())
        assert samples.feed(0)["x"].shape == shape
        assert samples.feed(0)["x"].max(axis=tuple({0, 1, 2, 3} - {axis})).tolist() == [1, 0, 0]
        assert any("normalised" in warning for warning in samples.warnings)


def test_a_batch_is_filled_by_repetition(tmp_path: Path) -> None:
    _picture(tmp_path / "set" / "p.png", 7)
    samples = open_set(tmp_path / "set", model_of(tmp_path, ("x", (3, 1, 4, 4), TensorProto.FLOAT)))
    assert samples.feed(0)["x"].shape == (3, 1, 4, 4)
    assert (samples.feed(0)["x"] == 7).all()
    assert any("batch of 3" in warning for warning in samples.warnings)


# Preprocessing


def _made(picture: Image.Image, folder: Path, pre: Preprocess, shape: Sequence[int]) -> np.ndarray:
    picture.save(folder / "p.png")
    samples = open_set(folder, model_of(folder, ("x", shape, TensorProto.FLOAT)), Recipe(preprocess=pre))
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
    refused(tmp_path / "set", model_of(tmp_path), "makes 3×224×224, the model's input 'x' wants 1×1×4×4", recipe)


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
    model = model_of(tmp_path)
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
        message = refused(path.parent, model, words)
        assert "bad_one.png" in message


def test_a_bad_picture_in_the_middle_is_told_when_it_is_fed(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        _picture(tmp_path / "set" / f"{name}.png", 1)
    (tmp_path / "set" / "b.png").write_bytes(b"no")
    samples = open_set(tmp_path / "set", model_of(tmp_path))
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
    model = model_of(tmp_path)
    for source in (path, path.parent):
        samples = open_set(source, model)
        assert (samples.labels, _levels(samples)) == ((5, 7), [1, 0])


def test_text_labels_stay_text(tmp_path: Path) -> None:
    path = _table(tmp_path, 'pictures/0.png,"1,5 ""x"" "\npictures/1.png,007\n')
    recipe = Recipe(preprocess=GRAY.preprocess, task=TEXT.task)
    assert open_set(path, model_of(tmp_path), recipe).labels == ('1,5 "x" ', "007")


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
    refused(_table(tmp_path, text), model_of(tmp_path), words)


# Random values


def test_random_values_follow_recipe_name_and_type(tmp_path: Path) -> None:
    model = model_of(
        tmp_path,
        ("x", (2, 50), TensorProto.FLOAT),
        ("ids", (1, 500), TensorProto.INT64),
        ("attention_mask", (1, 5), TensorProto.INT64),
        ("flag", (40,), TensorProto.BOOL),
        ("sr", (), TensorProto.INT64),
        ("small", (60,), TensorProto.BFLOAT16),
        ("position_ids", (1, 5), TensorProto.INT64),
        ("bytes", (900,), TensorProto.UINT8),
        ("full", (2,), TensorProto.INT8),
        ("bias", (2,), TensorProto.FLOAT),
    )
    recipe = Recipe(
        inputs={
            "x": InputSpec(low=-2, high=2),
            "ids": InputSpec(low=5, high=7),
            "bytes": InputSpec(high=9e9),
            "full": InputSpec(const=1000),
            "bias": InputSpec(const=-np.inf),
        }
    )
    samples = open_set("random", model, recipe, seed=3)
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
    assert feed["full"].tolist() == [127, 127]
    assert feed["bias"].tolist() == [-np.inf, -np.inf]
    assert (int(feed["bytes"].min()), int(feed["bytes"].max())) == (0, 255)
    assert all(np.array_equal(a, b) for a, b in zip(feed.values(), samples.feed(0).values(), strict=True))
    assert not np.array_equal(feed["x"], samples.feed(1)["x"])


def test_random_values_are_capped_in_size(tmp_path: Path) -> None:
    model = model_of(tmp_path, ("x", (1, "n"), TensorProto.FLOAT))
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
