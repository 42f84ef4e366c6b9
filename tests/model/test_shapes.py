"""Guesses for free dimensions, and the check of what the user gives instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import helper

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape, TensorSpec
from workbench.model import check_shapes, guess_shapes, open_model, private_copy, shape_problem

GUESSES: list[tuple[tuple[int | str, ...], Shape]] = [
    ((), ()),
    ((1, 3, 32, 32), (1, 3, 32, 32)),
    (("batch", 3, "height", "width"), (1, 3, 224, 224)),
    (("N", "?0", "?1", "?2"), (1, 3, 224, 224)),
    (("?0", "?1", "?2", 3), (1, 224, 224, 3)),
    (("unk__12", 2048), (1, 2048)),
    (("batch_size", "sequence_length"), (1, 64)),
    (("batch", 4, "past_sequence_length", 32), (1, 4, 16, 32)),
    (("batch", "past_sequence_length + 1"), (1, 17)),
    (("?0", 0), (1, 0)),
]


@pytest.mark.parametrize(("declared", "guess"), GUESSES, ids=[str(declared) for declared, _ in GUESSES])
def test_a_free_dimension_gets_a_sensible_size(declared: tuple[int | str, ...], guess: Shape) -> None:
    past = TensorSpec("past", "float32", ("past_sequence_length",))
    assert guess_shapes([past, TensorSpec("x", "float32", declared)])["x"] == guess


def test_sound_and_state_are_guessed_by_the_names_of_inputs() -> None:
    audio = TensorSpec("audio", "float32", (1, "?0"))
    state = TensorSpec("state", "float32", (2, "?1", 128))
    assert guess_shapes([audio, state]) == {"audio": (1, 16000), "state": (2, 1, 128)}


def test_a_guess_that_cannot_work_is_replaced_by_a_size_that_can(tmp_path: Path) -> None:
    """Only a height of 48 is squeezed away behind 16 x 3 pooling and one of 1."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[48, 1], strides=[48, 1]),
        helper.make_node("Squeeze", ["p", "axes"], ["y"]),
    ]
    axes = helper.make_tensor("axes", 7, [1], [2])
    proto = making.model(nodes, [making.value("x", ("n", 3, "?", "?"))], [making.value("y", None)], [axes])
    model = open_model(making.save(proto, tmp_path))
    assert model.shapes == {"x": (1, 3, 48, 320)}
    assert not model.warnings
    assert "n1" in shape_problem(model, {"x": (1, 3, 224, 224)})
    assert shape_problem(model, {"x": (1, 3, 48, 100)}) == ""


def _two_inputs(folder: Path) -> Model:
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    inputs = [making.value("a", ("n", 4)), making.value("b", ("n", 4))]
    return open_model(making.save(making.model(nodes, inputs, [making.value("y", None)]), folder))


REFUSED: list[tuple[dict[str, Shape], str]] = [
    ({"a": (1, 4)}, "'b' has no shape"),
    ({"a": (1, 4), "b": (1, 4), "c": (1,)}, "no input 'c'"),
    ({"a": (1, 4, 1), "b": (1, 4)}, "2 axes"),
    ({"a": (1, 5), "b": (1, 4)}, "fixed to 4"),
    ({"a": (2, 4), "b": (3, 4)}, "free dimension 'n' is 2 in 'a' and 3 in 'b'"),
    ({"a": (-1, 4), "b": (-1, 4)}, "cannot be -1"),
    ({"a": (10**18, 4), "b": (10**18, 4)}, "would need"),
]


@pytest.mark.parametrize(("shapes", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_shapes_that_do_not_fit_are_refused_with_input_and_axis(
    tmp_path: Path, shapes: dict[str, Shape], words: str
) -> None:
    model = _two_inputs(tmp_path)
    for refuse in (check_shapes, private_copy):
        with pytest.raises(WorkbenchError) as caught:
            refuse(model, shapes)
        assert words in caught.value.message
        assert caught.value.hint


def test_shapes_that_fit_are_frozen_into_the_copy(tmp_path: Path) -> None:
    copy = private_copy(_two_inputs(tmp_path), {"a": (3, 4), "b": (3, 4)})
    for value in (*copy.graph.input, *copy.graph.output):
        assert [dim.dim_value for dim in value.type.tensor_type.shape.dim] == [3, 4]
