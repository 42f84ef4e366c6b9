"""Shapes and their ranges on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TypeAlias

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.profile import OptimizationProfile, Range
from workbench.core.recipe import Recipe
from workbench.data import recipe_shapes
from workbench.model.profiles import free_dims, guess_profile, profile_of, ranges_of

NONE, GUESS = "none", "guess"
Sides: TypeAlias = tuple[Shape, Shape, Shape]
Given: TypeAlias = tuple[str, Sides] | str
"""A name with its three sides; or `none`, or `guess`."""

PROFILE_HELP = (
    "shapes of an input (x=1x3:4x3:8x3) or values of a free dimension (batch=1:4:8) to build for; a name given again "
    "begins the next profile; `guess`; `none` (default: the recipe's, where no --shape is given)"
)


def parse_shape(text: str) -> tuple[str, Shape]:
    """`in=1x3x224x224`; the name may hold `=` and `:`. `in=` is a scalar."""
    name, sign, shape = text.rpartition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=1x3x224x224")
    return name, _shape(shape, text)


def parse_profile(text: str) -> Given:
    """`in=1x3x224x224:4x3x224x224:8x3x224x224` or `batch=1:4:8`: smallest, usual and largest; `guess`, `none`."""
    if text in (NONE, GUESS):
        return text
    name, sign, shapes = text.rpartition("=")
    parts = shapes.split(":")
    if not sign or not name or len(parts) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=MIN:OPT:MAX")
    low, usual, high = (_shape(part, text) for part in parts)
    if not (len(low) == len(usual) == len(high) and all(a <= b <= c for a, b, c in zip(low, usual, high, strict=True))):
        raise argparse.ArgumentTypeError(f"{text!r} does not grow from MIN over OPT to MAX")
    return name, (low, usual, high)


def asked_profiles(argument: argparse.Namespace, model: Model, recipe: Recipe) -> tuple[OptimizationProfile, ...]:
    """Those given, else the recipe's where no shape is. Raises WorkbenchError for a name the model does not have."""
    given: list[Given] = argument.profile
    shapes = {**recipe_shapes(model, recipe), **dict(argument.shape)}
    if not given:
        return () if argument.shape else recipe.profiles
    named = [one for one in given if not isinstance(one, str)]
    if not named:
        return () if NONE in given else (guess_profile(model, shapes),)
    return tuple(_profile(model, shapes, group) for group in _grouped(named))


def _grouped(named: Sequence[tuple[str, Sides]]) -> list[list[tuple[str, Sides]]]:
    groups: list[list[tuple[str, Sides]]] = [[]]
    for name, sides in named:
        if any(name == known for known, _ in groups[-1]):
            groups.append([])
        groups[-1].append((name, sides))
    return groups


def _profile(model: Model, shapes: dict[str, Shape], group: Sequence[tuple[str, Sides]]) -> OptimizationProfile:
    """What is not named stays at `shapes`; a range of a dimension goes everywhere that it stands."""
    ranges = ranges_of(model, OptimizationProfile(shapes, shapes, shapes))
    inputs = {spec.name for spec in model.inputs}
    ranges |= {name: _range(model, name, sides) for name, sides in group if name not in inputs}
    whole = profile_of(model, ranges)
    own = {name: sides for name, sides in group if name in inputs}
    return OptimizationProfile(
        *(side | {name: sides[at] for name, sides in own.items()} for at, side in enumerate(whole.sides))
    )


def _range(model: Model, name: str, sides: Sides) -> Range:
    known = [dim.name for dim in free_dims(model.inputs)]
    if name not in known:
        dims = f"free dimensions: {', '.join(known) or 'none'}"
        raise WorkbenchError(
            f"The model has no input and no free dimension {name!r}.",
            f"Its inputs: {', '.join(spec.name for spec in model.inputs)}; {dims}.",
        )
    low, usual, high = sides
    if len(low) != 1:
        raise WorkbenchError(f"{name!r} is a free dimension: it takes numbers.", f"Like {name}=1:4:8.")
    return low[0], usual[0], high[0]


def _shape(text: str, whole: str) -> Shape:
    if not text:
        return ()
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and part.isascii() and len(part) < 12 for part in parts):
        raise argparse.ArgumentTypeError(f"{whole!r} does not end in a shape like 1x3x224x224")
    return tuple(int(part) for part in parts)
