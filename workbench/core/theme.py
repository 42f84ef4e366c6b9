"""The named colours: one table that the canvas, the charts, the panels and the report share."""

from __future__ import annotations

import msgspec

from workbench.core.precision import Precision


class Theme(msgspec.Struct, frozen=True):
    """Colours as `#rrggbb`. `heat` runs from quiet to hot, `diverging` from less over none to more (blue to orange);
    `series` tells runs apart. All are safe for the colour-blind.
    """

    name: str
    background: str
    panel: str
    canvas: str
    line: str
    text: str
    soft: str
    faint: str
    accent: str
    accent_ground: str
    good: str
    bad: str
    precision: dict[Precision, str]
    heat: tuple[str, ...]
    diverging: tuple[str, ...]
    series: tuple[str, ...]


def _precisions(*colors: str) -> dict[Precision, str]:
    fp32, tf32, bf16, fp16, fp8, int8, int4 = colors
    return {
        Precision.FP32: fp32,
        Precision.TF32: tf32,
        Precision.BF16: bf16,
        Precision.FP16: fp16,
        Precision.FP8: fp8,
        Precision.INT8: int8,
        Precision.INT8_WEIGHTS: int8,
        Precision.INT4_WEIGHTS: int4,
        Precision.FP4_WEIGHTS: int4,
    }


LIGHT = Theme(
    name="light",
    background="#f6f7f9",
    panel="#ffffff",
    canvas="#fbfcfd",
    line="#e1e5ea",
    text="#1d232b",
    soft="#66707d",
    faint="#98a1ad",
    accent="#2f6fed",
    accent_ground="#e8f0fe",
    good="#1a7f52",
    bad="#c2410c",
    precision=_precisions("#7a8797", "#9aa4b1", "#0f9d8a", "#2f6fed", "#8e57d9", "#e08600", "#d6336c"),
    heat=("#dff1e6", "#e9ebcb", "#fbdf91", "#fbb25f", "#f4845a"),
    diverging=("#6f9df2", "#b7cff8", "#f1f3f5", "#fbcf96", "#f09a4b"),
    series=("#2f6fed", "#e08600", "#0f9d8a", "#d6336c", "#8e57d9", "#7a8797"),
)

DARK = Theme(
    name="dark",
    background="#15181d",
    panel="#1c2026",
    canvas="#171a20",
    line="#2c323b",
    text="#e6e9ee",
    soft="#9aa4b1",
    faint="#6b7582",
    accent="#6ea0ff",
    accent_ground="#1f2d4a",
    good="#4cc38a",
    bad="#ff8a5c",
    precision=_precisions("#8b97a6", "#aab3bf", "#2bc4ad", "#6ea0ff", "#b08cff", "#ffb340", "#ff6b9d"),
    heat=("#213d33", "#3d4526", "#6b5a18", "#85551a", "#a84a22"),
    diverging=("#2f5fb3", "#2b4470", "#262b33", "#5f4521", "#8a5816"),
    series=("#6ea0ff", "#ffb340", "#2bc4ad", "#ff6b9d", "#b08cff", "#8b97a6"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
