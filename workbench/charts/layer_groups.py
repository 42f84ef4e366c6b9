"""Layers put together by what they have in common: the rows of the chart of layer times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from workbench.charts.base import Series
from workbench.core.graph import Layer, LayerKind
from workbench.core.theme import Theme

FEW = 4  # single times below which there is no spread to speak of


class GroupBy(StrEnum):
    """What the rows of the chart are."""

    LAYER = "layer"
    OP = "op"
    BLOCK = "block"
    PRECISION = "precision"
    KIND = "kind"


@dataclass(frozen=True)
class Group:
    """Layers of one row, by index in the series; `ms` is the sum of their means, `times` that of single inferences."""

    title: str
    members: tuple[int, ...]
    ms: float
    times: NDArray[np.float64]

    @property
    def p95_ms(self) -> float | None:
        return float(np.percentile(self.times, 95)) if len(self.times) >= FEW else None

    @property
    def median_ms(self) -> float | None:
        return float(np.median(self.times)) if len(self.times) >= FEW else None


def groups(series: Series, by: GroupBy) -> list[Group]:
    """Of every layer that takes time, the largest first."""
    members: dict[str, list[int]] = {}
    for index, layer in enumerate(series.layers):
        if series.layer_ms[index] > 0:
            key = layer.id if by is GroupBy.LAYER else _KEYS[by](series, layer)
            members.setdefault(key, []).append(index)
    found = [_group(series, key, indices, by) for key, indices in members.items()]
    return sorted(found, key=lambda group: -group.ms)


def _group(series: Series, key: str, indices: Sequence[int], by: GroupBy) -> Group:
    title = layer_title(series.layers[indices[0]]) if by is GroupBy.LAYER else f"{key}  ×{len(indices)}"
    return Group(title, tuple(indices), float(series.layer_ms[list(indices)].sum()), _times(series, indices))


def _times(series: Series, indices: Sequence[int]) -> NDArray[np.float64]:
    """The sum of the members' times in each inference; empty where one of them tells no single ones."""
    known = [series.samples.get(series.layers[index].id) for index in indices]
    if any(times is None or not len(times) for times in known):
        return np.empty(0)
    least = min(len(times) for times in known if times is not None)
    return np.sum([times[-least:] for times in known if times is not None], axis=0, dtype=np.float64)


def layer_title(layer: Layer) -> str:
    """What a person calls a layer: the operations in it, and its name where it has one."""
    return f"{layer.heading}  {layer.name}" if layer.name and layer.name != layer.op else layer.heading


def layer_color(layer: Layer, theme: Theme) -> str:
    """Its precision's; that of what computes nothing is faint."""
    if layer.kind is LayerKind.REFORMAT or layer.precision is None:
        return theme.faint
    return theme.precision[layer.precision]


def _precision(series: Series, layer: Layer) -> str:
    return layer.precision.label if layer.precision is not None else "no precision"


_KEYS: dict[GroupBy, Callable[[Series, Layer], str]] = {
    GroupBy.OP: lambda series, layer: layer.heading,
    GroupBy.BLOCK: lambda series, layer: series.blocks.get(layer.id, "no block"),
    GroupBy.PRECISION: _precision,
    GroupBy.KIND: lambda series, layer: layer.kind.value,
}
