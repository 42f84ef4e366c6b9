"""From one row of a sample set to what the model's inputs take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx  # noqa: F401  registers bfloat16, float8 and int4 with numpy
from numpy.typing import NDArray
from PIL import Image

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape, TensorSpec
from workbench.core.recipe import Preprocess, Recipe
from workbench.data.index_range import Range, index_range
from workbench.data.preprocess import guess_preprocess, made_shape, preprocess
from workbench.data.recipe import picture_input

Array = NDArray[np.generic]


class Wanted:
    """What the feeds of a sample set must be: the model's inputs at these shapes, made by this recipe.

    `notes` collects what the user should know of how samples are used.
    """

    def __init__(self, model: Model, recipe: Recipe, shapes: Mapping[str, Shape], seed: int) -> None:
        self.model = model
        self.recipe = recipe
        self.seed = seed
        self.specs = {spec.name: spec for spec in model.inputs}
        self.shapes = {name: tuple(shapes.get(name, model.shapes[name])) for name in self.specs}
        self.notes: list[str] = []
        self._ranges: dict[str, Range | None] = {}

    def index_range(self, name: str) -> Range | None:
        """As the module of this name says; looked for once."""
        if name not in self._ranges:
            self._ranges[name] = index_range(self.model.graph, name)
        return self._ranges[name]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def spec(self, name: str) -> TensorSpec:
        if name not in self.specs:
            raise WorkbenchError(
                f"The model has no input {name!r}.", f"Its inputs are: {', '.join(self.specs)}. Correct the recipe."
            )
        return self.specs[name]

    def pictures(self) -> PictureFeeder:
        """How pictures come in: by the recipe, else by a guess from the input's shape, with a note."""
        pre = self.recipe.preprocess
        name = picture_input(self.model, pre)
        spec, shape = self.spec(name), self.shapes[name]
        if pre is None:
            pre = guess_preprocess(name, shape, spec.dtype)
            self.note(
                "The recipe does not say how pictures are normalised; pixels are fed as "
                f"{'0..255' if pre.scale == 1 else '0..1'}, {pre.color}. Accuracy may suffer."
            )
        made = made_shape(pre)
        if made not in (shape, shape[1:]):
            raise WorkbenchError(
                f"The recipe makes {_text(made)}, the model's input {name!r} wants {_text(shape)}.",
                "Set size, colour and layout in the recipe, or the shape of the input.",
            )
        return PictureFeeder(self, name, pre)

    def fit(self, name: str, row: Array) -> Array:
        """One sample as the input takes it: with its batch axis (repeated to fill it), in its type."""
        spec, shape = self.spec(name), self.shapes[name]
        if row.shape == shape:
            whole = row
        elif shape and row.shape in (shape[1:], (1, *shape[1:])):
            whole = np.broadcast_to(row.reshape(shape[1:]), shape)
            if shape[0] > 1:
                self.note(f"Each sample fills the whole batch of {shape[0]} of the input {name!r}, repeated.")
        else:
            raise WorkbenchError(
                f"A sample is {_text(row.shape)}, the model's input {name!r} wants {_text(shape)}.",
                "Set the shape of the input, or prepare the samples in the shape the model takes.",
            )
        return np.asarray(self.cast(name, whole, spec.dtype), order="C")

    def cast(self, name: str, values: Array, dtype: str) -> Array:
        target = numpy_dtype(dtype, name)
        if values.dtype == target:
            return values
        custom = target.kind == "V"  # bfloat16, float8, int4: numpy knows no casting rule for them
        if not custom and not np.can_cast(values.dtype, target, casting="same_kind"):
            raise WorkbenchError(
                f"The samples are {values.dtype}, the model's input {name!r} takes {dtype}.",
                "Save the samples in the type the model takes.",
            )
        return values.astype(target)


def numpy_dtype(dtype: str, name: str) -> np.dtype[np.generic]:
    """Raises WorkbenchError for inputs that are not tensors."""
    try:
        return np.dtype(object if dtype == "string" else dtype)
    except TypeError as error:
        raise WorkbenchError(
            f"The model's input {name!r} is {dtype or 'of no type'}; only tensors can be fed.",
            "Such a model can be looked at, not run.",
        ) from error


def whole_range(kind: np.dtype[np.generic]) -> tuple[int, int]:
    """Smallest and largest value of a type of whole numbers (at most those of int64)."""
    bits = 8 * kind.itemsize
    return (0, min(2**bits, 2**63) - 1) if kind.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


class PictureFeeder:
    """Pictures to one input of the model."""

    def __init__(self, wanted: Wanted, name: str, recipe: Preprocess) -> None:
        self.wanted = wanted
        self.name = name
        self.recipe = recipe
        self.covers = frozenset({name})

    def feed(self, picture: Image.Image) -> dict[str, Array]:
        values: Array = preprocess(picture, self.recipe)
        kind = numpy_dtype(self.wanted.spec(self.name).dtype, self.name)
        if kind.kind in "iu":
            values = np.rint(values).clip(*whole_range(kind)).astype(kind)
        return {self.name: self.wanted.fit(self.name, values)}


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if shape else "a single value"
