"""Which shapes and samples a run uses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.model import Model, Shape
from workbench.core.run import RunRequest
from workbench.data import SampleSet, fixed_inputs, open_samples, recipe_shapes

Array = NDArray[np.generic]
NONE = "none"
RANDOM = "random"
RANDOM_SAMPLES = 8
TIMING_FEEDS = 8
"""Inputs that take turns while timing: more would measure the memory they lie in."""


def resolved_shapes(request: RunRequest, model: Model) -> dict[str, Shape]:
    """The shape of every input: the guess of the model, overruled by the recipe, by a profile, by the request."""
    recipe = recipe_shapes(model, request.recipe)
    profile = request.config.profiles[0].opt if request.config.profiles else {}
    known = {**recipe, **profile, **request.config.shapes}
    names = {spec.name for spec in model.inputs}
    return {name: shape for name, shape in known.items() if name in names or name in request.config.shapes}


def evaluation_set(request: RunRequest, model: Model, shapes: dict[str, Shape]) -> SampleSet:
    """The evaluation set; without one, 8 random samples."""
    if request.evaluation in ("", NONE, RANDOM):
        limit = request.evaluation_limit or RANDOM_SAMPLES
        return open_samples(RANDOM, model, request.recipe, shapes, limit=limit)
    return open_samples(request.evaluation, model, request.recipe, shapes, limit=request.evaluation_limit)


def calibration_set(request: RunRequest, model: Model, shapes: dict[str, Shape]) -> SampleSet:
    limit = request.config.plan.calibration.samples
    return open_samples(request.calibration, model, request.recipe, shapes, limit=limit)


def fixed_values(request: RunRequest, model: Model, shapes: dict[str, Shape], samples: SampleSet) -> dict[str, Array]:
    """Inputs that have one value for good: the recipe says so, no sample of the set has its own.

    Not with optimization profiles: under them shapes vary, and with them what a branch is taken for.
    """
    if request.config.profiles:
        return {}
    fixed = fixed_inputs(model, request.recipe, shapes)
    return {name: value for name, value in fixed.items() if name in samples.made_up}


def spread(samples: SampleSet, count: int) -> list[int]:
    """The places of so many samples, evenly from the whole set: the first ones of a folder are all of one class."""
    found: list[int] = np.linspace(0, samples.size - 1, min(samples.size, count)).astype(int).tolist()
    return found


def timing_feeds(samples: SampleSet) -> list[Feed]:
    """The first few samples, in memory."""
    return list(islice(samples, TIMING_FEEDS))


def feed_digest(feed: Feed) -> bytes:
    """Names, types, shapes and bytes of a feed. Two feeds with the same digest are the same input."""
    digest = hashlib.sha256()
    for name in sorted(feed):
        array = np.ascontiguousarray(feed[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.digest()


def feeds_digest(parts: Iterable[str], feeds: Iterable[Feed]) -> str:
    """A key for what was made of these feeds; `parts` is what else it depends on."""
    digest = hashlib.sha256("\0".join(parts).encode())
    for feed in feeds:
        digest.update(feed_digest(feed))
    return digest.hexdigest()
