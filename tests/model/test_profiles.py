"""Free dimensions, guesses of their ranges, and what is refused before an engine is built for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import helper

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.profile import DimKind, OptimizationProfile, Range
from workbench.model import open_model
from workbench.model.profiles import (
    check_profiles,
    free_dims,
    guess_profile,
    guess_range,
    moved,
    profile_of,
    profiles_problem,
    ranges_of,
)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Two inputs with one batch, a length, and a sum of it."""
    nodes = [helper.make_node("Concat", ["a", "b"], ["y"], axis=1)]
    inputs = [making.value("a", ("batch", "seq")), making.value("b", ("batch", "seq + 1")), making.value("c", (3,))]
    return open_model(making.save(making.model(nodes, inputs, [making.value("y", None)]), tmp_path))


def test_a_name_is_one_dimension_wherever_it_stands_and_a_sum_is_none(model: Model) -> None:
    batch, seq = free_dims(model.inputs)
    assert (batch.name, batch.kind, batch.places) == ("batch", DimKind.BATCH, (("a", 0), ("b", 0)))
    assert (seq.name, seq.kind, seq.places) == ("seq", DimKind.LENGTH, (("a", 1),))


def test_a_range_goes_everywhere_its_dimension_stands_and_sums_follow(model: Model) -> None:
    profile = profile_of(model, {"batch": (1, 2, 4), "seq": (8, 16, 32)})
    assert profile.max == {"a": (4, 32), "b": (4, 33), "c": (3,)}
    assert ranges_of(model, profile) == {"batch": (1, 2, 4), "seq": (8, 16, 32)}


@pytest.mark.parametrize(
    ("kind", "usual", "expected"),
    [
        (DimKind.BATCH, 1, (1, 1, 8)),
        (DimKind.BATCH, 32, (1, 32, 32)),
        (DimKind.LENGTH, 64, (1, 64, 512)),
        (DimKind.PICTURE, 224, (96, 224, 448)),
        (DimKind.PICTURE, 28, (28, 28, 56)),
        (DimKind.SOUND, 16000, (4000, 16000, 64000)),
        (DimKind.FEATURE, 80, (80, 80, 80)),
    ],
)
def test_a_guess_goes_as_far_as_such_a_dimension_commonly_does(kind: DimKind, usual: int, expected: Range) -> None:
    assert guess_range(kind, usual) == expected


def test_the_guess_of_a_model_can_be_built(model: Model) -> None:
    guess = guess_profile(model, model.shapes)
    check_profiles(model, [guess], model.shapes)
    assert profiles_problem(model, [guess]) == ""
    assert guess.opt == model.shapes


@pytest.mark.parametrize(
    ("side", "value", "expected"),
    [(0, 6, (6, 6, 8)), (0, 9, (9, 9, 9)), (2, 3, (1, 3, 3)), (1, 20, (1, 20, 20)), (1, 2, (1, 2, 8))],
)
def test_the_other_sides_of_a_range_make_way(side: int, value: int, expected: Range) -> None:
    assert moved((1, 4, 8), side, value) == expected


def _profile(low: tuple[int, ...], usual: tuple[int, ...], high: tuple[int, ...]) -> OptimizationProfile:
    sides = ({"a": shape, "b": (shape[0], shape[1] + 1)} for shape in (low, usual, high))
    return OptimizationProfile(*sides)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (_profile((4, 8), (2, 8), (8, 8)), "axis 0 of input 'a' (batch) is not min <= opt <= max. It says 4, 2, 8."),
        (_profile((0, 8), (2, 8), (8, 8)), "axis 0 of input 'a' (batch) begins at 0."),
        (_profile((1, 8), (2, 8), (8, 2**31)), "would need 17,179,869,184 values."),
        (OptimizationProfile({}, {}, {}), "it says nothing of input 'a'."),
        (OptimizationProfile(*({"a": (n, 8), "b": (9 - n, 9)} for n in (1, 2, 3))), "free dimension 'batch' is 1 in"),
        (OptimizationProfile(*({"a": (n,), "b": (n, 9)} for n in (1, 2, 3))), "The input 'a' has 2 axes"),
        (OptimizationProfile(*({"a": (n, 8), "b": (n, 9), "c": (n,)} for n in (1, 2, 3))), "Axis 0 of the input 'c'"),
    ],
)
def test_a_profile_that_no_engine_can_have_is_refused_by_input_and_axis(
    model: Model, profile: OptimizationProfile, message: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        check_profiles(model, [guess_profile(model, model.shapes), profile])
    assert str(caught.value).startswith("Profile 2: ")
    assert message in str(caught.value)


def test_shapes_that_no_profile_holds_are_told_with_the_axis(model: Model) -> None:
    profile = profile_of(model, {"batch": (1, 2, 4), "seq": (8, 16, 32)})
    with pytest.raises(WorkbenchError, match="Axis 0 of input 'a' would be run at 5; the profile goes from 1 to 4"):
        check_profiles(model, [profile], {"a": (5, 16), "b": (5, 17), "c": (3,)})


def test_a_shape_the_model_cannot_work_in_is_told_with_profile_side_and_node(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "held"], ["y"])]
    held = helper.make_tensor("held", 1, [2, 3], [0.0] * 6)
    proto = making.model(nodes, [making.value("x", ("n", 3))], [making.value("y", None)], [held])
    model = open_model(making.save(proto, tmp_path))
    problem = profiles_problem(model, [guess_profile(model, model.shapes)])
    assert problem.startswith("The optimization profile, max: With these shapes node n0")
