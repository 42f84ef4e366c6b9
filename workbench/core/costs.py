"""What a node costs by its shapes alone: the same on every machine, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Cost(msgspec.Struct, frozen=True):
    """Of one run of a node with the shapes chosen. None where a shape that is needed is not known.

    `flops` counts a multiply-add as two; `parameters` are elements of the weights it reads (shared ones count at each
    reader); `bytes_written` is the size of its outputs, `bytes_read` that of its inputs and weights (of a
    table that it selects from as much as it takes).
    """

    flops: int | None = None
    parameters: int = 0
    bytes_read: int | None = None
    bytes_written: int | None = None


def total(costs: Iterable[Cost]) -> Cost:
    """Of several nodes together; what one of them does not know is not counted, None only where none knows it."""
    found = list(costs)
    return Cost(
        _sum(cost.flops for cost in found),
        sum(cost.parameters for cost in found),
        _sum(cost.bytes_read for cost in found),
        _sum(cost.bytes_written for cost in found),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
