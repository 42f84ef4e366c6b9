"""The calibration doctor's look at inputs: does what is fed look like what models of its kind are fed?

Only the input itself is asked here, so most of it is a note; what the model expects is asked in
`precision/expecting.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from workbench.core.calibration_report import Finding, Severity
from workbench.core.recipe import Color, Recipe
from workbench.data.statistics import InputStatistics, channel_axis

FAR_MEAN = 1.5
"""Standard deviations of a normalised input that its mean may be off zero: of single pictures more, of sets less."""
TINY = 1.5 / 255
INTERLEAVED = 0.15
"""By how much values three apart must be more alike than neighbours, to say that colours stand pixel by pixel."""
IMAGENET_RGB = (0.485, 0.456, 0.406)
Shapes = Mapping[str, tuple[int, ...]]


def look_at_inputs(inputs: Mapping[str, InputStatistics], shapes: Shapes, recipe: Recipe) -> list[Finding]:
    """What is odd about the values of each input, and about the recipe that made them."""
    found = [finding for name, one in inputs.items() for finding in _of_input(name, one, shapes[name])]
    return found + list(_of_recipe(recipe))


def _of_input(name: str, one: InputStatistics, shape: tuple[int, ...]) -> Iterator[Finding]:
    if one.constant and len(one.constant) < one.samples:
        yield Finding(
            Severity.WARNING,
            "constant",
            f"{len(one.constant)} of the first {one.samples} samples hold one value throughout in {name!r}.",
            "Look at them: blank pictures teach nothing.",
            tensor=name,
            samples=one.constant,
        )
    if channel_axis(shape) is not None:
        yield from _of_picture(name, one, shape)


def _of_picture(name: str, one: InputStatistics, shape: tuple[int, ...]) -> Iterator[Finding]:
    if one.whole == 1.0 and 32 < one.high <= 255 and one.low >= 0:
        yield Finding(
            Severity.NOTE,
            "range",
            f"{name!r} holds whole numbers from {one.low:g} to {one.high:g}: pixels as they are, not normalised.",
            "Right for models that normalise inside. Most do not: set scale, mean and std in the recipe.",
            tensor=name,
        )
    elif max(abs(one.low), abs(one.high)) <= TINY:
        yield Finding(
            Severity.WARNING,
            "range",
            f"{name!r} reaches no further than {max(abs(one.low), abs(one.high)):.2g}: as if divided by 255 twice.",
            "Correct the scale in the recipe, or the arrays.",
            tensor=name,
        )
    elif _is_far(one):
        yield Finding(
            Severity.WARNING,
            "mean",
            f"{name!r} has mean {_figures(one.mean)} and standard deviation {_figures(one.std)}: a normalised input"
            " lies around zero.",
            "Check mean and std: mean may have been subtracted twice, or not at all.",
            tensor=name,
        )
    if shape[1] == 3 and _is_interleaved(one):
        yield Finding(
            Severity.WARNING,
            "layout",
            f"{name!r} is fed as NCHW, but values three apart in memory are more alike ({one.correlation[1]:.2f}) than"
            f" neighbours ({one.correlation[0]:.2f}): the pixels seem to lie as NHWC.",
            "Transpose the arrays to [N, 3, H, W], do not reshape them.",
            tensor=name,
        )


def _is_far(one: InputStatistics) -> bool:
    """Values of both signs that do not lie around zero: 0..1 and 0..255 are ranges of their own, and fine."""
    far = float(np.median(np.abs(one.mean) / np.maximum(one.std, 1e-6)))
    return one.low < 0 and far > FAR_MEAN and bool(np.all(one.std > 0.05))


def _is_interleaved(one: InputStatistics) -> bool:
    near, three = one.correlation
    return three > 0.5 and three - near > INTERLEAVED


def _of_recipe(recipe: Recipe) -> Iterator[Finding]:
    """Means in one order, colours in the other: the recipe contradicts itself, whatever the pictures are."""
    pre = recipe.preprocess
    if pre is None or len(pre.mean) != 3:
        return
    scale = 255.0 if max(pre.mean) > 1.5 else 1.0
    means = tuple(round(value / scale, 3) for value in pre.mean)
    for order, wanted in ((Color.RGB, IMAGENET_RGB), (Color.BGR, IMAGENET_RGB[::-1])):
        if means == wanted and pre.color is not order:
            listed = ", ".join(f"{value:g}" for value in pre.mean)
            yield Finding(
                Severity.NOTE,
                "color",
                f"The recipe says {pre.color.value} with mean {listed}: ImageNet's means, as {order.value} has them.",
                f"PaddleOCR's detector is meant so. For any other model turn them around, or choose {order.value}.",
                tensor=pre.input,
            )


def _figures(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
