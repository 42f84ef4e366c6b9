"""Colours of the canvas, made from the one theme table: fills, lines and the heat scale, as QColors."""

from __future__ import annotations

from dataclasses import dataclass

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
    """`fills` has one colour for each `Look`, then the heat classes, then those of a diverging scale; `far` the same
    for boxes too small for text.

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

    def dimmed(self, color: QColor) -> QColor:
        return mix(color.name(), self.theme.canvas, DIM)


def make_palette(theme: Theme) -> Palette:
    fp8, good = theme.precision[Precision.FP8], theme.precision[Precision.BF16]
    looks = {
        Look.PLAIN: (mix(theme.panel, theme.soft, 0.03), mix(theme.panel, theme.soft, 0.32)),
        Look.WEIGHTED: (mix(theme.panel, theme.accent, 0.13), mix(theme.panel, theme.accent, 0.42)),
        Look.SHAPE: (mix(theme.panel, theme.soft, 0.12), mix(theme.panel, theme.soft, 0.2)),
        Look.REFORMAT: (mix(theme.panel, theme.heat[2], 0.3), mix(theme.panel, theme.heat[2], 0.8)),
        Look.CONTROL: (mix(theme.panel, fp8, 0.16), mix(theme.panel, fp8, 0.55)),
        Look.GROUP: (mix(theme.panel, theme.accent, 0.05), mix(theme.panel, theme.soft, 0.45)),
        Look.PILL: (mix(theme.heat[0], theme.panel, 0.15), mix(theme.panel, good, 0.42)),
    }
    middles = [(i + 0.5) / HEAT_CLASSES for i in range(HEAT_CLASSES)]
    heat = [ramp_color(ramp, share) for ramp in (theme.heat, theme.diverging) for share in middles]
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


def ramp_color(ramp: tuple[str, ...], share: float) -> QColor:
    """The colour at a share in 0..1 of a ramp."""
    place = min(max(share, 0.0), 1.0) * (len(ramp) - 1)
    index = min(int(place), len(ramp) - 2)
    return mix(ramp[index], ramp[index + 1], place - index)


def category_colors(theme: Theme, colors: list[str]) -> tuple[list[QColor], list[QColor]]:
    """Fills of boxes of a kind: quiet behind text, strong where boxes are too small for it."""
    return [mix(theme.panel, color, 0.3) for color in colors], [mix(theme.panel, color, 0.75) for color in colors]
