"""Recipes: the small TOML file kept with a model. The user's own edited copy wins over the one beside the model."""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.core.profile import OptimizationProfile
from workbench.core.reading import read_file
from workbench.core.recipe import InputSpec, Layout, Preprocess, Recipe, Task
from workbench.model.profiles import check_profiles, filled

_MAX_BYTES = 4 * 1024**2
_MAX_SIDE = 16384
RANDOM = "random"


def recipe_beside(model: Model) -> Path:
    """`<stem>.workbench.toml` in the model's folder, whether it is there or not."""
    path = Path(model.path)
    return path.with_name(f"{path.stem}.workbench.toml")


def own_recipe(model: Model) -> Path:
    """The user's own copy, kept by the model's content, so that it follows the file wherever it moves."""
    return data_home() / "recipes" / f"{model.sha256}.toml"


def read_recipe(model: Model) -> Recipe:
    """The recipe of a model: the user's copy, else the file beside the model, else an empty one.

    Paths of sample sets come back absolute. A file beside the model came with it, from somewhere: its paths may not
    leave the model's folder. Raises WorkbenchError naming file and field.
    """
    own, beside = own_recipe(model), recipe_beside(model)
    for path, is_confined in ((own, False), (beside, True)):
        if path.is_file():
            return _absolute(_fitting(_parse(path), model, path.name), model, confined=is_confined)
    return Recipe()


def _fitting(recipe: Recipe, model: Model, name: str) -> Recipe:
    """With profiles of all inputs, that an engine of this model can be built for."""
    try:
        profiles = tuple(filled(profile, recipe_shapes(model, recipe)) for profile in recipe.profiles)
        check_profiles(model, profiles)
    except WorkbenchError as error:
        raise _bad(name, f"{error.message} {error.hint}") from error
    return msgspec.structs.replace(recipe, profiles=profiles)


def write_recipe(model: Model, recipe: Recipe) -> Path:
    """Writes the user's copy, sample-set paths absolute; whole or not at all."""
    path = own_recipe(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"# Recipe of {one_line(Path(model.path).name, 100)}\n"
    text += tomli_w.dumps(msgspec.to_builtins(_absolute(recipe, model, confined=False)))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path


def recipe_shapes(model: Model, recipe: Recipe) -> dict[str, Shape]:
    """The model's guessed shapes, corrected by what its recipe says: shapes of inputs, and the size of pictures."""
    shapes = dict(model.shapes)
    pre = recipe.preprocess
    target = picture_input(model, pre) if pre else ""
    if pre and len(shapes.get(target, ())) == 4:
        shapes[target] = _picture_shape(model, target, shapes[target], pre)
    for name, spec in recipe.inputs.items():
        if name in shapes and spec.shape is not None:
            shapes[name] = spec.shape
    return shapes


def picture_input(model: Model, pre: Preprocess | None) -> str:
    """The input that pictures go to: the recipe's, else the first of four axes, else the first."""
    if pre is not None and pre.input:
        return pre.input
    four = [spec.name for spec in model.inputs if len(spec.shape) == 4]
    return (four or [spec.name for spec in model.inputs] or [""])[0]


def _picture_shape(model: Model, name: str, shape: Shape, pre: Preprocess) -> Shape:
    declared = next(spec.shape for spec in model.inputs if spec.name == name)
    axes = (2, 3) if pre.layout is Layout.NCHW else (1, 2)
    sizes = dict(zip(axes, (pre.height, pre.width), strict=True))
    return tuple(
        sizes[axis] if axis in sizes and isinstance(declared[axis], str) else value for axis, value in enumerate(shape)
    )


def _parse(path: Path) -> Recipe:
    data = read_file(path, limit=_MAX_BYTES)
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
        _refuse_unknown(table, path.name)
        recipe = msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        raise _bad(path.name, f"{error}".replace(" - at `$.", " in `")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _bad(path.name, str(error)) from error
    for problem in _problems(recipe):
        raise _bad(path.name, problem)
    return recipe


def _bad(name: str, why: str) -> WorkbenchError:
    return WorkbenchError(f"{name} is not a recipe: {why.rstrip('.')}.", "Correct the file, or move it away.")


def _refuse_unknown(table: dict[str, Any], name: str) -> None:
    """A misspelt field must not be silently without effect."""
    _only(table, Recipe, "", name)
    for key, kind in (("preprocess", Preprocess), ("task", Task)):
        if isinstance(table.get(key), dict):
            _only(table[key], kind, f"{key}.", name)
    profiles = table.get("profiles")
    for profile in profiles if isinstance(profiles, list) else ():
        if isinstance(profile, dict):
            _only(profile, OptimizationProfile, "profiles.", name)
    inputs = table.get("inputs")
    for key, spec in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(spec, dict):
            _only(spec, InputSpec, f"inputs.{key}.", name)


def _only(table: dict[str, Any], kind: type[msgspec.Struct], where: str, name: str) -> None:
    fields = kind.__struct_fields__
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(fields)}."
            raise WorkbenchError(f"{name} is not a recipe: it has an unknown field `{where}{key}`.", hint)


def _problems(recipe: Recipe) -> Iterator[str]:
    """What types alone do not tell."""
    for name, spec in recipe.inputs.items():
        low, high = spec.low or 0.0, spec.high or 0.0
        if not (math.isfinite(low) and math.isfinite(high)) or math.isnan(spec.const or 0.0):
            yield f"`inputs.{name}` needs numbers"
        if spec.low is not None and spec.high is not None and low > high:
            yield f"`inputs.{name}.low` is above its `high`"
    if recipe.preprocess is not None:
        yield from _picture_problems(recipe.preprocess)


def _picture_problems(pre: Preprocess) -> Iterator[str]:
    if not all(map(math.isfinite, (pre.scale, *pre.mean, *pre.std))):
        yield "`preprocess.scale`, `mean` and `std` need numbers"
    if not (0 < pre.width <= _MAX_SIDE and 0 < pre.height <= _MAX_SIDE):
        yield f"`preprocess.width` and `preprocess.height` must be from 1 to {_MAX_SIDE}"
    if 0 in pre.std or not pre.std or not pre.mean:
        yield "`preprocess.std` and `preprocess.mean` need values, and `std` none that is 0"
    channels = 1 if pre.color == "GRAY" else 3
    if len(pre.mean) not in (1, channels) or len(pre.std) not in (1, channels):
        yield f"`preprocess.mean` and `preprocess.std` need one value, or {channels} for {pre.color}"


def _absolute(recipe: Recipe, model: Model, *, confined: bool) -> Recipe:
    folder = Path(model.path).parent
    return msgspec.structs.replace(
        recipe,
        calibration=_path(recipe.calibration, folder, confined, "calibration"),
        evaluation=_path(recipe.evaluation, folder, confined, "evaluation"),
        task=_with_function(recipe.task, folder, confined),
    )


def _with_function(task: Task | None, folder: Path, confined: bool) -> Task | None:
    if task is None or not task.function:
        return task
    path, colon, name = task.function.rpartition(":")
    whole = _path(path, folder, confined, "task.function") if path else ""
    return msgspec.structs.replace(task, function=f"{whole}{colon}{name}")


def _path(text: str, folder: Path, confined: bool, field: str) -> str:
    if text in ("", RANDOM):
        return text
    try:
        path = folder / text
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise WorkbenchError(f"The recipe's `{field}` is not a path: {text!r}.", "Correct the recipe.") from error
    if confined and not inside:
        raise WorkbenchError(
            f"The recipe beside the model names {text!r} as its {field} set, outside the model's folder.",
            "If you trust it, choose that set yourself.",
        )
    return str(path.absolute())
