"""What the window says about layers (values, colours, badges, selection), as arrays over the boxes of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from workbench.views.canvas.palette import Palette, heat_classes, mix
from workbench.views.canvas.scene import Look, Scene


@dataclass
class Saying:
    """By layer id, as it was told. `values` None: no heat map."""

    values: Mapping[str, float] | None = None
    unit: str = ""
    colors: Mapping[str, str] = field(default_factory=dict)
    badges: Mapping[str, str] = field(default_factory=dict)
    dimmed: frozenset[str] = frozenset()
    selection: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()  # layers with a selected layer somewhere in their bodies


@dataclass(frozen=True)
class Marks:
    """Per box: `fill` and `far` index `palette.fills` and `far_colors`; `low`..`high` is the range of the heat map."""

    fill: NDArray[np.int16]
    far: NDArray[np.int16]
    far_colors: list[QColor]
    dim_far_colors: list[QColor]
    dim: NDArray[np.bool_]
    selected: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    values: NDArray[np.float64]
    unit: str
    low: float
    high: float
    stripes: dict[int, QColor]
    badges: dict[int, str]

    @property
    def has_values(self) -> bool:
        return bool(np.isfinite(self.low))

    def value_text(self, box: int) -> str:
        value = float(self.values[box])
        return "" if np.isnan(value) else f"{number(value)} {self.unit}".strip()


def number(value: float) -> str:
    """Three digits that count, no exponents in the usual range."""
    size = abs(value)
    if size >= 1000 or value == 0:
        return f"{value:,.0f}"
    return (
        f"{value:.3g}"
        if size < 1e-4
        else np.format_float_positional(value, precision=3, unique=False, fractional=False, trim="k").rstrip(".")
    )


def make_marks(scene: Scene, saying: Saying, palette: Palette) -> Marks:
    values = _values(scene, saying.values)
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    classes = heat_classes(values, low, high) if len(known) else np.full(scene.count, -1, dtype=np.int16)
    fill = np.where(classes >= 0, len(Look) + classes, scene.looks).astype(np.int16)
    if len(known):  # colour means heat now: what was not measured stays plain
        fill[(classes < 0) & (scene.looks != Look.PILL)] = Look.PLAIN
    stripes = {scene.index[i]: QColor(color) for i, color in saying.colors.items() if i in scene.index}
    far, extra = _far(fill, stripes if not len(known) else {}, palette)
    return Marks(
        fill=fill,
        far=far,
        far_colors=palette.far + extra,
        dim_far_colors=palette.dim_far + [mix(c.name(), palette.theme.canvas, 0.7) for c in extra],
        dim=_among(scene, saying.dimmed),
        selected=_among(scene, saying.selection),
        holds=_among(scene, saying.holders),
        values=values,
        unit=saying.unit,
        low=low,
        high=high,
        stripes=stripes,
        badges={scene.index[i]: text for i, text in saying.badges.items() if text and i in scene.index},
    )


def _values(scene: Scene, values: Mapping[str, float] | None) -> NDArray[np.float64]:
    result = np.full(scene.count, np.nan)
    for key, value in (values or {}).items():
        box = scene.index.get(key)
        if box is not None and np.isfinite(value):
            result[box] = value
    return result


def _among(scene: Scene, ids: frozenset[str]) -> NDArray[np.bool_]:
    mask = np.zeros(scene.count, dtype=np.bool_)
    mask[[scene.index[i] for i in ids if i in scene.index]] = True
    return mask


def _far(
    fill: NDArray[np.int16], stripes: dict[int, QColor], palette: Palette
) -> tuple[NDArray[np.int16], list[QColor]]:
    """Without a heat map, boxes too small for a stripe take its colour whole."""
    far = fill.copy()
    names = sorted({color.name() for color in stripes.values()})
    place = {name: len(palette.far) + i for i, name in enumerate(names)}
    for box, color in stripes.items():
        far[box] = place[color.name()]
    return far, [mix(palette.theme.panel, name, 0.75) for name in names]
