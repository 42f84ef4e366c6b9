"""What can be laid over a graph: a number or a kind for each layer, with all that is needed to show and to say it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.session.words import bytes_words, count_words, milliseconds

Floats = NDArray[np.float64]

LOG_DECADES = 4  # a logarithmic scale spans at most so many: what is smaller is quiet
TICKS = 4
EXACT_DB = 200.0  # where the cap of errors is: equal bits


class Scale(StrEnum):
    LINEAR = "linear"  # from 0 where no value is below it
    LOG = "log"
    DIVERGING = "diverging"  # the same reach on both sides of 0


class Group(StrEnum):
    """What a closed group shows of its members."""

    SUM = "sum"
    WORST = "worst"


class Heat(msgspec.Struct, frozen=True):
    """A number by layer id, told as colour and text. Unknown ids are ignored; layers without a value stay grey.

    `unit` is `ms`, `B`, `dB`, `%`, `FLOP` or empty (a count). `low` and `high` fix the ends of the scale; None: from
    the values. `low_is_hot` where small numbers are the bad ones (dB). `total` > 0: labels tell the share of it too,
    before the value where `share_leads`. `missing` says what grey means.
    """

    values: Mapping[str, float]
    unit: str = ""
    title: str = ""
    scale: Scale = Scale.LINEAR
    low: float | None = None
    high: float | None = None
    low_is_hot: bool = False
    group: Group = Group.SUM
    total: float = 0.0
    share_leads: bool = False
    missing: str = "no value"

    def parts(self, value: float) -> tuple[str, ...]:
        """`("12.3 %", "0.410 ms")`: the more important first."""
        if self.total <= 0:
            return (told(value, self.unit),)
        both = share_words(value / self.total), told(value, self.unit)
        return both if self.share_leads else both[::-1]

    def words(self, value: float) -> str:
        """`12.3 % · 0.410 ms`."""
        return " · ".join(self.parts(value))

    def tick(self, value: float) -> tuple[str, str]:
        """A round number at the scale and its unit, the share where that leads: `("0.5", "ms")`."""
        if self.share_leads and self.total > 0:
            return f"{100 * value / self.total:.3g}", "%"
        if self.unit in ("ms", "dB", "%") or not value:
            return f"{value:g}".replace("-", "−"), self.unit
        number, _, unit = told(value, self.unit).partition(" ")
        return number.rstrip("0").rstrip(".") if "." in number else number, unit


class Kinds(msgspec.Struct, frozen=True):
    """A kind by layer id (a precision, a fate). `colors` gives each kind its `#rrggbb`, in the order of the legend."""

    values: Mapping[str, str]
    colors: Mapping[str, str]
    title: str = ""
    missing: str = "no value"


class Range(msgspec.Struct, frozen=True):
    """The ends of a scale in force."""

    low: float
    high: float
    scale: Scale
    low_is_hot: bool = False
    base: float = 10.0  # ticks of a logarithmic scale are its powers

    def shares(self, values: Floats) -> Floats:
        """0 quiet .. 1 hot; on a diverging scale 0.5 is zero. NaN stays NaN."""
        low: float = self.low
        high: float = self.high
        if self.scale is Scale.LOG:
            values, low, high = np.log10(np.maximum(values, low)), float(np.log10(low)), float(np.log10(high))
        flat = 0.5 if self.scale is Scale.DIVERGING else 0.0
        share = (values - low) / (high - low) if high > low else values * 0.0 + flat
        share = np.clip(share, 0.0, 1.0)
        return 1.0 - share if self.low_is_hot else share

    def ticks(self) -> list[float]:
        """Round numbers on the scale, both ends' neighbourhood among them."""
        if not self.high > self.low:
            return [self.high]
        if self.scale is Scale.LOG:
            low, high = (float(np.log(end) / np.log(self.base)) for end in (self.low, self.high))
            first, last = int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9))
            return [self.base**power for power in range(first, last + 1, max(1, -(-(last - first) // TICKS)))]
        step = _round_step((self.high - self.low) / TICKS)
        start, end = int(np.ceil(self.low / step - 1e-9)), int(np.floor(self.high / step + 1e-9))
        return [n * step for n in range(start, end + 1)]


def range_of(heat: Heat, values: Floats) -> Range | None:
    """The scale for these values; None where there is none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    if heat.scale is Scale.DIVERGING:
        reach = max(abs(low), abs(high), 1e-12)
        return Range(-reach, reach, heat.scale, heat.low_is_hot)
    if heat.scale is Scale.LOG and high > 0:
        positive = float(known[known > 0].min())
        low = max(positive, high / 10**LOG_DECADES)
        return Range(low, high, heat.scale, heat.low_is_hot, 2.0 if heat.unit == "B" else 10.0)
    low = min(low, 0.0) if heat.low is None else heat.low
    high = high if heat.high is None else heat.high
    return Range(low, max(low, high), Scale.LINEAR, heat.low_is_hot)


def told(value: float, unit: str) -> str:
    """A number with its unit, three figures that count: `0.410 ms`, `10.4 MiB`, `8.21 GFLOP`, `31.2 dB`, `exact`."""
    sign, size = "−" if value < 0 else "", abs(value)
    if unit == "ms":
        return sign + (milliseconds(size) if size >= 0.001 or not size else f"{1000 * size:.2g} µs")
    if unit == "B":
        return sign + bytes_words(size)
    if unit == "dB" and value >= EXACT_DB:
        return "exact"
    if unit in ("dB", "%"):
        return f"{sign}{size:.1f} {unit}"
    if unit in ("", "FLOP"):
        count = count_words(round(size))
        return f"{sign}{count}{unit}" if not count[-1].isdigit() else f"{sign}{count} {unit}".rstrip()
    return f"{sign}{size:.3g} {unit}"


def share_words(share: float) -> str:
    """`12.3 %`; what is little but not nothing is `<0.1 %`."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(power * n for n in (1, 2, 5, 10) if power * n >= step - 1e-12))
