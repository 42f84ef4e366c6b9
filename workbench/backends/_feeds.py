"""A feed is checked before an engine sees it: engines broadcast, cast or read past the end without a word.

Floats are of one kind: an engine whose inputs a plan made half takes the float32 samples of the model.
"""

from __future__ import annotations

from collections.abc import Mapping

import ml_dtypes  # noqa: F401  numpy knows "bfloat16" by it
import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Tensor


def fitted(feed: Feed, inputs: Mapping[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """The values of exactly `inputs`, in their types and contiguous.

    Raises WorkbenchError where an input is missing or has another shape or kind of values.
    """
    _check(feed, inputs)
    return {name: _as(feed[name], tensor.dtype) for name, tensor in inputs.items()}


def _as(values: NDArray[np.generic], dtype: str) -> NDArray[np.generic]:
    try:
        with np.errstate(over="ignore"):  # infinite in FP16
            return np.ascontiguousarray(values, np.dtype(dtype)).reshape(values.shape)  # which makes scalars 1-D
    except TypeError:
        return values  # text: taken as it is


def _check(feed: Feed, inputs: Mapping[str, Tensor]) -> None:
    for name, tensor in inputs.items():
        if name not in feed:
            raise WorkbenchError(f"The sample has no values for the input {name!r}.", "Choose another sample set.")
        given = feed[name]
        shape = tensor.shape or ()
        fits = len(shape) == given.ndim and all(
            isinstance(want, str) or want == have for want, have in zip(shape, given.shape, strict=False)
        )
        if not fits:
            raise WorkbenchError(
                f"The input {name!r} has shape {list(given.shape)} in the sample; "
                f"the engine was built for {list(shape)}.",
                "Change the shape of the input, or the preprocessing.",
            )
        if _kind(given.dtype.name) != _kind(tensor.dtype):
            raise WorkbenchError(
                f"The input {name!r} is {given.dtype} in the sample; the engine wants {tensor.dtype}.",
                "Choose another sample set.",
            )


def _kind(dtype: str) -> str:
    """Letter of the kind of a type's name: f for every float, i, u, b, c, or O for text."""
    if dtype in ("bool", "string", "object"):
        return "b" if dtype == "bool" else "O"
    return "f" if dtype.startswith("bfloat") else dtype[:1]
