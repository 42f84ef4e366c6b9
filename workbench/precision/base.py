"""The clean base graph: what INT8 is written into and what calibration observes. The same for both, deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from workbench.core.model import Model, Shape
from workbench.model import annotate, private_copy, take_branches
from workbench.precision.passes.drop_identities import drop_identities
from workbench.precision.passes.equalize import equalize
from workbench.precision.passes.fold_batchnorm import fold_batchnorm
from workbench.precision.passes.fold_constants import fold_constants
from workbench.precision.passes.lift_opset import lift_opset

Fixed = Mapping[str, NDArray[np.generic]]
"""Values of inputs that never change."""
NO_INPUTS: Fixed = MappingProxyType({})


class BaseGraph(NamedTuple):
    """`removed` are source nodes that were taken out, with why; `notes` are sentences for the user."""

    proto: ModelProto
    removed: dict[str, str]
    notes: tuple[str, ...]


def base_graph(model: Model, shapes: Mapping[str, Shape], fixed: Fixed = NO_INPUTS) -> BaseGraph:
    """Branches taken that `fixed` inputs decide, opset lifted, identities dropped, weights folded, channels equalized,
    BatchNormalization folded.

    Raises WorkbenchError.
    """
    copied, taken = copy_with_branches(model, shapes, fixed)
    proto, notes = lift_opset(copied)
    removed = taken | drop_identities(proto)
    removed |= fold_constants(proto)
    equalized, folded = equalize(proto), fold_batchnorm(proto)
    if equalized:
        notes = (*notes, f"Channels before depthwise Convs were equalized ({equalized} tensor{'s' * (equalized > 1)}).")
    if folded:
        notes = (*notes, f"{folded} BatchNormalization folded into the Conv before it.")
    annotate(proto)
    return BaseGraph(proto, removed, notes)


def copy_with_branches(model: Model, shapes: Mapping[str, Shape], fixed: Fixed) -> tuple[ModelProto, dict[str, str]]:
    """The private copy; where inputs are fixed, with the branches they decide, and what became of the other nodes."""
    proto = private_copy(model, dict(shapes))
    taken = take_branches(proto, fixed) if fixed else {}
    if taken:
        annotate(proto)
    return proto, taken


def base_digest(model: Model, shapes: Mapping[str, Shape], fixed: Fixed = NO_INPUTS) -> str:
    """SHA-256 of the base graph: what was observed on one holds for no other, such as that of a newer program."""
    return hashlib.sha256(base_graph(model, shapes, fixed).proto.SerializeToString(deterministic=True)).hexdigest()
