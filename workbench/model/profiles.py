"""Optimization profiles of a model: its free dimensions, guesses of their ranges, and the check before a build.

A profile is written per input, as engines want it; people think of free dimensions, each of which stands in several
places. `ranges_of` and `profile_of` lead from one to the other and back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape, TensorSpec
from workbench.core.profile import DimKind, FreeDim, OptimizationProfile, Range
from workbench.model.private import shape_problem
from workbench.model.shapes import check_shapes, dim_kind, is_sum, sized

SIDES = ("min", "opt", "max")
_STRIDE = 32
"""What sizes of pictures are multiples of: nets for pictures halve them five times."""
_BATCH, _TOKENS = 8, 512


def free_dims(inputs: Sequence[TensorSpec]) -> tuple[FreeDim, ...]:
    """In the order they first stand in; equal names are one dimension. Sums (`past + 1`) follow from the others."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    kinds: dict[str, DimKind] = {}
    for spec in inputs:
        for axis, dim in enumerate(spec.shape):
            if isinstance(dim, str) and not is_sum(dim):
                places[dim].append((spec.name, axis))
                kinds.setdefault(dim, dim_kind(dim, axis, spec))
    return tuple(FreeDim(name, kinds[name], tuple(where)) for name, where in places.items())


def guess_range(kind: DimKind, usual: int) -> Range:
    """How far a dimension of this kind commonly goes around its usual value."""
    usual = max(usual, 1)
    match kind:
        case DimKind.BATCH:
            return 1, usual, max(_BATCH, usual)
        case DimKind.LENGTH:
            return 1, usual, max(_TOKENS, 4 * usual)
        case DimKind.SOUND:
            return max(usual // 4, 1), usual, 4 * usual
        case DimKind.PICTURE:
            half = usual // 2 // _STRIDE * _STRIDE
            return max(half, min(_STRIDE, usual)), usual, 2 * usual
        case DimKind.FEATURE:
            return usual, usual, usual


def guess_profile(model: Model, shapes: Mapping[str, Shape]) -> OptimizationProfile:
    """Around `shapes`, which are the usual ones."""
    dims = free_dims(model.inputs)
    return profile_of(model, {dim.name: guess_range(dim.kind, _value(dim, shapes)) for dim in dims})


def next_profile(model: Model, last: OptimizationProfile) -> OptimizationProfile:
    """Goes on where the last one ends: batches and lengths from its largest to twice that, all else as it is."""
    ranges = ranges_of(model, last)
    for dim in free_dims(model.inputs):
        low, _, high = ranges[dim.name]
        if dim.kind in (DimKind.BATCH, DimKind.LENGTH) and low < high:
            ranges[dim.name] = (high, 2 * high, 2 * high)
    return profile_of(model, ranges)


def workable_guess(model: Model, shapes: Mapping[str, Shape]) -> OptimizationProfile:
    """`guess_profile`, with dimensions at their usual value where the model works in no other. Reads the file."""
    whole = ranges_of(model, guess_profile(model, shapes))
    held = {name: (usual, usual, usual) for name, (_, usual, _) in whole.items()}
    kept = {
        name: span
        for name, span in whole.items()
        if not profiles_problem(model, [profile_of(model, held | {name: span})])
    }
    return profile_of(model, held | kept)


def ranges_of(model: Model, profile: OptimizationProfile) -> dict[str, Range]:
    """Range by free dimension, read where each first stands."""
    low, usual, high = ({**model.shapes, **side} for side in profile.sides)
    return {dim.name: (_value(dim, low), _value(dim, usual), _value(dim, high)) for dim in free_dims(model.inputs)}


def profile_of(model: Model, ranges: Mapping[str, Range]) -> OptimizationProfile:
    """Of all inputs; a free dimension without a range is as the model's guess has it."""
    fixed = {dim.name: _value(dim, model.shapes) for dim in free_dims(model.inputs)}
    sides = (sized(model.inputs, fixed | {name: span[side] for name, span in ranges.items()}) for side in range(3))
    return OptimizationProfile(*sides)


def moved(span: Range, side: int, value: int) -> Range:
    """`span` with one side (0 min, 1 opt, 2 max) at `value`; the others make way, so that it stays in order."""
    low, usual, high = (min(old, value) if at < side else max(old, value) for at, old in enumerate(span))
    found = [low, usual, high]
    found[side] = value
    return found[0], found[1], found[2]


def check_profiles(
    model: Model, profiles: Sequence[OptimizationProfile], shapes: Mapping[str, Shape] | None = None
) -> None:
    """Raises WorkbenchError, naming profile, input and axis, where an engine cannot be built for all of them.

    `shapes` are those that will be run, of which some profile must hold all. Only the model's declaration is asked.
    """
    for number, profile in enumerate(profiles, 1):
        try:
            _check(model, profile)
        except WorkbenchError as error:
            raise WorkbenchError(f"{_title(number, profiles)}: {error.message}", error.hint) from error
    if profiles and shapes is not None and not any(profile.holds(dict(shapes)) for profile in profiles):
        raise WorkbenchError(_outside(profiles, shapes), "Choose shapes within a profile, or widen it.")


def profiles_problem(model: Model, profiles: Sequence[OptimizationProfile]) -> str:
    """Why the model cannot work in a shape of a profile, in a sentence; empty: nothing is found. Reads the file."""
    for number, profile in enumerate(profiles, 1):
        for side, shapes in zip(SIDES, profile.sides, strict=True):
            if problem := shape_problem(model, {**model.shapes, **shapes}):
                return f"{_title(number, profiles)}, {side}: {problem}"
    return ""


def filled(profile: OptimizationProfile, shapes: Mapping[str, Shape]) -> OptimizationProfile:
    """With all inputs; one that the profile does not name has its shape of `shapes` throughout."""
    return OptimizationProfile(*({**shapes, **side} for side in profile.sides))


def _title(number: int, profiles: Sequence[OptimizationProfile]) -> str:
    return f"Profile {number}" if len(profiles) > 1 else "The optimization profile"


def _check(model: Model, profile: OptimizationProfile) -> None:
    for spec in model.inputs:
        if spec.is_dynamic and not all(spec.name in side for side in profile.sides):
            raise WorkbenchError(f"it says nothing of input {spec.name!r}.", "Give min, opt and max.")
    for side in profile.sides:
        check_shapes(model, {**model.shapes, **side})  # ranks, fixed and linked dimensions, sizes
    for spec in model.inputs:
        for axis, dim in enumerate(spec.shape):
            if isinstance(dim, str):
                _check_range(spec.name, axis, dim, *(side[spec.name][axis] for side in profile.sides))


def _check_range(name: str, axis: int, dim: str, low: int, usual: int, high: int) -> None:
    where = f"axis {axis} of input {name!r}" + ("" if dim.startswith("?") else f" ({dim})")
    if low < 1:
        raise WorkbenchError(f"{where} begins at {low}.", "Sizes begin at 1.")
    if not low <= usual <= high:
        raise WorkbenchError(f"{where} is not min <= opt <= max.", f"It says {low}, {usual}, {high}.")


def _outside(profiles: Sequence[OptimizationProfile], shapes: Mapping[str, Shape]) -> str:
    """The first axis that the first profile does not hold."""
    first = profiles[0]
    for name, shape in shapes.items():
        low, high = first.min.get(name, shape), first.max.get(name, shape)
        for axis, (least, size, most) in enumerate(zip(low, shape, high, strict=True)):
            if not least <= size <= most:
                return f"Axis {axis} of input {name!r} would be run at {size}; the profile goes from {least} to {most}."
    return "No optimization profile holds the shapes that would be run."


def _value(dim: FreeDim, shapes: Mapping[str, Shape]) -> int:
    name, axis = dim.places[0]
    return shapes[name][axis]
