"""Colours of the canvas, made from the one theme table: fills, lines and the heat scale, as QColors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from workbench.core.precision import Precision
from workbench.core.theme import Theme
from workbench.views.canvas.scene import Look

HEAT_CLASSES = 32
DIM = 0.72  # how far a dimmed colour goes towards the canvas


def mix(a: str, b: str, share: float) -> QColor:
    """`a` with `share` of `b` in it."""
    p, q = QColor(a), QColor(b)
    red, green, blue = (
        round(x + (y - x) * share) for x, y in ((p.red(), q.red()), (p.green(), q.green()), (p.blue(), q.blue()))
    )
    return QColor(red, green, blue)


@dataclass(frozen=True)
class Palette:
    """`fills` has one colour for each `Look`, then the heat classes; `far` the same for boxes too small for text.

    `dim_fills` and `dim_far` are their dimmed twins, in the same order.
    """

    theme: Theme
    fills: list[QColor]
    far: list[QColor]
    dim_fills: list[QColor]
    dim_far: list[QColor]
    border: QColor
    edge: QColor

    def color(self, name: str) -> QColor:
        return QColor(getattr(self.theme, name))


def make_palette(theme: Theme) -> Palette:
    fp8, good = theme.precision[Precision.FP8], theme.precision[Precision.BF16]
    looks = {
        Look.PLAIN: (mix(theme.panel, theme.soft, 0.03), mix(theme.panel, theme.soft, 0.32)),
        Look.WEIGHTED: (mix(theme.panel, theme.accent, 0.13), mix(theme.panel, theme.accent, 0.42)),
        Look.SHAPE: (mix(theme.panel, theme.soft, 0.12), mix(theme.panel, theme.soft, 0.2)),
        Look.REFORMAT: (mix(theme.panel, theme.heat[2], 0.3), mix(theme.panel, theme.heat[2], 0.8)),
        Look.CONTROL: (mix(theme.panel, fp8, 0.16), mix(theme.panel, fp8, 0.55)),
        Look.PILL: (mix(theme.heat[0], theme.panel, 0.15), mix(theme.panel, good, 0.42)),
    }
    heat = [heat_color(theme, (i + 0.5) / HEAT_CLASSES) for i in range(HEAT_CLASSES)]
    fills = [looks[look][0] for look in Look] + heat
    far = [looks[look][1] for look in Look] + heat
    return Palette(
        theme,
        fills,
        far,
        [mix(color.name(), theme.canvas, DIM) for color in fills],
        [mix(color.name(), theme.canvas, DIM) for color in far],
        border=mix(theme.line, theme.soft, 0.3),
        edge=mix(theme.line, theme.soft, 0.55),
    )


def heat_color(theme: Theme, share: float) -> QColor:
    """0 quiet, 1 hot."""
    place = min(max(share, 0.0), 1.0) * (len(theme.heat) - 1)
    index = min(int(place), len(theme.heat) - 2)
    return mix(theme.heat[index], theme.heat[index + 1], place - index)


def heat_classes(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.int16]:
    """Class 0..HEAT_CLASSES-1 of each value on a linear scale, -1 for NaN."""
    span = high - low
    share = (values - low) / span if span > 0 else np.full(len(values), 0.5)
    classes = np.clip(np.nan_to_num(share) * HEAT_CLASSES, 0, HEAT_CLASSES - 1).astype(np.int16)
    classes[np.isnan(values)] = -1
    return classes
