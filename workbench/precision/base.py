"""The clean base graph: what Q/DQ are written into and what calibration observes. The same for both, deterministic."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.precision import Precision
from workbench.model import annotate, private_copy, take_branches
from workbench.precision.cleaning import Cleaned, clean
from workbench.precision.passes.quantize import observed_tensors

Fixed = Mapping[str, NDArray[np.generic]]
"""Values of inputs that never change."""
NO_INPUTS: Fixed = MappingProxyType({})


def base_graph(
    model: Model,
    shapes: Mapping[str, Shape],
    fixed: Fixed = NO_INPUTS,
    skip: Collection[str] = (),
    *,
    quantizing: bool = True,
) -> Cleaned:
    """Branches taken that `fixed` inputs decide, then every clean-up pass that `skip` does not name (`clean`).

    Raises WorkbenchError.
    """
    proto, taken = copy_with_branches(model, shapes, fixed)
    cleaned = clean(proto, skip, quantizing=quantizing)
    return cleaned._replace(removed=taken | cleaned.removed)


class BaseGraphs:
    """Base graphs of one model, made once for any number of plans. Holds a copy of the model for each it was asked."""

    def __init__(self, model: Model, shapes: Mapping[str, Shape], fixed: Fixed = NO_INPUTS) -> None:
        self._model, self._shapes, self._fixed = model, shapes, fixed
        self._made: dict[tuple[frozenset[str], bool], Cleaned] = {}

    def __call__(self, skip: Collection[str], *, quantizing: bool) -> Cleaned:
        """As `base_graph`; the graph is the caller's own. Raises WorkbenchError."""
        key = frozenset(skip), quantizing
        if key not in self._made:
            self._made[key] = base_graph(self._model, self._shapes, self._fixed, skip, quantizing=quantizing)
        own = ModelProto()
        own.CopyFrom(self._made[key].proto)
        return self._made[key]._replace(proto=own)


def copy_with_branches(model: Model, shapes: Mapping[str, Shape], fixed: Fixed) -> tuple[ModelProto, dict[str, str]]:
    """The private copy; where inputs are fixed, with the branches they decide, and what became of the other nodes."""
    proto = private_copy(model, dict(shapes))
    taken = take_branches(proto, fixed) if fixed else {}
    if taken:
        annotate(proto)
    return proto, taken


def base_digest(
    model: Model,
    shapes: Mapping[str, Shape],
    fixed: Fixed = NO_INPUTS,
    skip: Collection[str] = (),
    dialect: Dialect | None = None,
) -> str:
    """SHA-256 of the base graph, and of the tensors that INT8 in this dialect needs ranges of: what was observed on
    one graph holds for no other, such as that of a newer program."""
    base = base_graph(model, shapes, fixed, skip).proto
    found = hashlib.sha256(base.SerializeToString(deterministic=True))
    found.update("\n".join(observed_tensors(base, dialect)).encode())
    return found.hexdigest()


class NothingWrittenError(WorkbenchError):
    """Nothing in the model can take what the plan asks for."""


def instead(model: Model, otherwise: str = "") -> str:
    """The hint where nothing of a model can be written as asked: what the user can do instead."""
    halves = (Precision.FP16, Precision.BF16)
    found = Counter(layer.precision for layer in model.graph.walk() if layer.precision in halves)
    if found:
        label = found.most_common(1)[0][0].label
        return f"This file computes in {label} already: build it as it is, with FP32 as the plan, or export it in FP32."
    return f"Build this model in {otherwise or 'FP32'}."
