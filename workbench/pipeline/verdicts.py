"""What one backend says of a model before it is built, and what would help. Every fix that is offered was tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from workbench.backends.base import Backend, load_backend
from workbench.core.edits import Edit
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Model, Shape
from workbench.core.precision import PrecisionPlan
from workbench.core.recipe import InputSpec, Recipe
from workbench.core.verdict import Remedy, Verdict
from workbench.data import fixed_inputs
from workbench.model import open_model
from workbench.model.deciding import deciding_values
from workbench.pipeline.remedies import remedies_for
from workbench.precision import compile_plan
from workbench.precision.base import Fixed

TRIALS_MOST = 6
"""Of each the model is read, changed and parsed once more."""


def verdict_on(name: str, model: Model, recipe: Recipe, shapes: Mapping[str, Shape], *, clean: bool = False) -> Verdict:
    """What the backend `name` says of the model as a build in FP32 would give it to it.

    That is in these shapes; where it is refused so, with the inputs that the recipe fixes, and cleaned where the plan
    says so (`clean`). Never raises for what is refused.
    """
    try:
        return _Judge(load_backend(name), model, recipe, dict(shapes), clean).judge()
    except WorkbenchError as error:
        return Verdict(False, one_line(f"{error.message} {error.hint}".strip(), 300))


class _Judge:
    def __init__(self, backend: Backend, model: Model, recipe: Recipe, shapes: dict[str, Shape], clean: bool) -> None:
        self._backend, self._recipe, self._shapes, self._clean = backend, recipe, shapes, clean
        self._guess = model.shapes
        self._model = msgspec.structs.replace(model, shapes=shapes)

    def judge(self) -> Verdict:
        found = self._backend.verdict(self._model)
        if found.accepted:
            return found
        fixed = fixed_inputs(self._model, self._recipe, self._shapes)
        if (fixed or self._clean) and self._takes(self._shapes, fixed, clean=self._clean):
            given = [f"{name} = {value}, as the recipe has it" for name, value in fixed.items()]
            how = " and ".join([*given, *(["the clean-up of the plan"] if self._clean else [])])
            return Verdict(True, f"With {how}. Otherwise: {found.reason}", silent=found.silent)
        cures = tuple(Remedy(text, edit=edit) for text, edit in self._candidates(fixed) if self._helps(edit, fixed))
        return msgspec.structs.replace(found, remedies=cures or remedies_for(self._model, found))

    def _candidates(self, fixed: Fixed) -> list[tuple[str, Edit]]:
        return list(self._edits(fixed))[:TRIALS_MOST]

    def _edits(self, fixed: Fixed) -> Iterator[tuple[str, Edit]]:
        """What may help, and what it does; the least change first."""
        if not self._clean:
            text = "Cleaned up, with constants computed and shape arithmetic done, all of it is taken."
            yield text, Edit("Clean up before the build", clean=True)
        if self._guess != self._shapes:
            yield (
                "In the shapes that the file suggests all of it is taken.",
                Edit("Take these shapes", shapes=self._guess),
            )
        ones = {spec.name: _frozen(spec.shape, self._shapes[spec.name]) for spec in self._model.inputs}
        if ones not in (self._shapes, self._guess):
            yield "With its free dimensions frozen at 1 all of it is taken.", Edit("Freeze at 1", shapes=ones)
        for name, value in deciding_values(self._model) if not fixed else ():
            text = f"With {one_line(name, 40)} = {value:g} for good, which decides its branches, all of it is taken."
            yield text, Edit(f"Fix {one_line(name, 40)} = {value:g}", fixed={name: value})

    def _helps(self, edit: Edit, fixed: Fixed) -> bool:
        shapes = {**self._shapes, **edit.shapes}
        if edit.fixed:
            fixed = fixed_inputs(self._model, with_fixed(self._recipe, edit.fixed), shapes)
        return self._takes(shapes, fixed, clean=edit.clean or self._clean)

    def _takes(self, shapes: dict[str, Shape], fixed: Fixed, *, clean: bool) -> bool:
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            try:
                plan = PrecisionPlan(clean=clean)
                typed = compile_plan(self._model, plan, self._backend.dialect(), shapes, Path(folder), None, fixed)
                return self._backend.verdict(open_model(typed.path)).accepted
            except WorkbenchError:
                return False


def with_fixed(recipe: Recipe, values: Mapping[str, float]) -> Recipe:
    """The recipe with one value for good for these inputs."""
    old = recipe.inputs
    new = {name: msgspec.structs.replace(old.get(name, InputSpec()), const=value) for name, value in values.items()}
    return msgspec.structs.replace(recipe, inputs={**old, **new})


def _frozen(declared: tuple[int | str, ...], shape: Shape) -> Shape:
    """1 for every free dimension."""
    return tuple(1 if isinstance(dim, str) else value for dim, value in zip(declared, shape, strict=True))
