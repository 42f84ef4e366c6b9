"""Inputs that a recipe gives one value for good, where that decides what is computed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.model import Model, Shape
from workbench.core.recipe import Recipe
from workbench.data.feeding import Wanted
from workbench.data.random_feed import random_feed


def fixed_inputs(model: Model, recipe: Recipe, shapes: Mapping[str, Shape]) -> dict[str, NDArray[np.generic]]:
    """Values by name of inputs of a single value that the recipe has as `const`, such as a sampling rate.

    Only of models with an If, whose branches such values may decide; there are none elsewhere.
    """
    if not any(layer.op == "If" for layer in model.graph.layers):
        return {}
    wanted = Wanted(model, recipe, shapes, seed=0)
    told = [name for name, spec in recipe.inputs.items() if spec.const is not None and name in wanted.specs]
    return random_feed(wanted, 0, [name for name in told if int(np.prod(wanted.shapes[name])) == 1])
