"""Asked and run: where they differ, the result says so."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.graph import Layer
from workbench.core.model import TypedModel
from workbench.core.precision import Precision

NOT_WRITTEN = "Weight-only precision cannot be written into a model yet."
"""Why no backend offers it, though engines could run it."""


def not_run(typed: TypedModel, layers: Iterable[Layer]) -> tuple[str, ...]:
    """A sentence for each precision that was asked for and that no layer runs in."""
    asked = {Precision(value) for value in typed.asked.values()}
    ran = {layer.precision for layer in layers}
    return tuple(
        f"{precision.label} was asked for, and no layer computes in it."
        for precision in sorted(asked - ran - {Precision.FP32})
    )
