"""Random values for inputs: enough to measure time, nothing to judge accuracy by."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.model import Shape
from workbench.core.recipe import InputSpec
from workbench.data.feeding import Wanted, numpy_dtype, whole_range

DType = np.dtype[np.generic]

DEFAULT_SIZE = 32
MAX_BYTES = 2 * 1024**3

# What an input is by its name, where the recipe does not say: the first that fits. Values that most models take.
_BY_NAME: tuple[tuple[re.Pattern[str], InputSpec], ...] = tuple(
    (re.compile(pattern), spec)
    for pattern, spec in (
        (r"mask", InputSpec(const=1)),
        (r"token_type|segment", InputSpec(const=0)),
        (r"state|past|cache|^[hc]_?\d?$|hidden", InputSpec(const=0)),
        (r"^sr$|sample_?rate|sampling", InputSpec(const=16000)),
        (r"length|lens?$", InputSpec(const=1)),
        (r"scale|ratio|factor", InputSpec(const=1)),
    )
)


def random_feed(wanted: Wanted, index: int, names: Iterable[str] | None = None) -> dict[str, NDArray[np.generic]]:
    """Values for the inputs `names` (all where None), the same for the same seed and index.

    By the recipe's InputSpec: constant, or uniform between low and high (both included for whole numbers). Without
    one: floats 0..1, whole numbers 0..100 or within the table they are places in, masks 1, states 0, positions counted
    up. Raises WorkbenchError for inputs that are not tensors, or too large.
    """
    chosen = list(wanted.specs if names is None else names)
    places = {name: place for place, name in enumerate(wanted.specs)}
    feed = {}
    for name in chosen:
        dice = np.random.default_rng([wanted.seed, index, places[name]])
        feed[name] = _values(wanted, name, dice)
    return feed


def _values(wanted: Wanted, name: str, dice: np.random.Generator) -> NDArray[np.generic]:
    kind = numpy_dtype(wanted.spec(name).dtype, name)
    shape = wanted.shapes[name]
    _refuse_huge(name, shape, kind)
    spec = wanted.recipe.inputs.get(name, InputSpec())
    if spec.const is None and spec.low is None and spec.high is None:
        if "position" in name.lower() and kind.kind in "iu" and shape:
            return np.broadcast_to(np.arange(shape[-1]).astype(kind), shape).copy()
        by_name = (spec for pattern, spec in _BY_NAME if pattern.search(name.lower()))
        spec = next(by_name, None) or _by_graph(wanted, name, kind)
    if kind.kind == "O":
        return np.full(shape, "text" if spec.const is None else str(spec.const), dtype=kind)
    if spec.const is not None:
        return np.full(shape, _nearest(spec.const, kind) if kind.kind in "iu" else spec.const).astype(kind)
    return _uniform(spec, shape, kind, dice)


def _nearest(value: float, kind: DType) -> int:
    """The whole number that the type has."""
    least, most = whole_range(kind)
    return int(min(max(value, least), most))


def _by_graph(wanted: Wanted, name: str, kind: DType) -> InputSpec:
    ends = wanted.index_range(name) if kind.kind in "iu" else None
    return InputSpec(low=ends[0], high=ends[1]) if ends else InputSpec()


def _uniform(spec: InputSpec, shape: Shape, kind: DType, dice: np.random.Generator) -> NDArray[np.generic]:
    if kind.kind == "b":
        return np.asarray(dice.integers(0, 2, shape)).astype(kind)
    if kind.kind in "iu":
        low, high = _nearest(spec.low or 0, kind), _nearest(100 if spec.high is None else spec.high, kind)
        return np.asarray(dice.integers(low, max(low, high), shape, endpoint=True)).astype(kind)
    low_value, high_value = spec.low or 0.0, 1.0 if spec.high is None else spec.high
    values = dice.random(shape, dtype=np.float32) * (high_value - low_value) + low_value
    return np.asarray(values).astype(kind)


def _refuse_huge(name: str, shape: Shape, kind: DType) -> None:
    count = 1
    for size in shape:
        count *= size
    if count * max(kind.itemsize, 1) > MAX_BYTES:
        raise WorkbenchError(
            f"The model's input {name!r} would need {count:,} values.", "Give it a smaller shape; 2 GB are the most."
        )
