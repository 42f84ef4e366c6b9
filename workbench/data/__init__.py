"""Sample sets, preprocessing, labels, and the recipe kept with a model."""

from workbench.data.fixed import fixed_inputs
from workbench.data.recipe import read_recipe, recipe_shapes, write_recipe
from workbench.data.samples import SampleSet, open_samples

__all__ = ["SampleSet", "fixed_inputs", "open_samples", "read_recipe", "recipe_shapes", "write_recipe"]
