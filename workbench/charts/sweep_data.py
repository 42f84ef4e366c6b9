"""What the charts of a sweep are given, and how they say it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.sweep import Point, Swept


@dataclass(frozen=True)
class SweepData:
    """The grid's points in order, and what is known of them. `limit_ms` 0: none; `price` of the machine an hour."""

    points: tuple[Point, ...] = ()
    found: tuple[Swept, ...] = ()
    best: Swept | None = None
    limit_ms: float = 0.0
    price: float = 0.0
    chosen: Point | None = None

    def of(self, point: Point) -> Swept | None:
        return next((one for one in self.found if one.point == point), None)


def rate_words(per_second: float) -> str:
    """`812`, `1,240`, `4.2`"""
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def swept_words(one: Swept, price: float) -> str:
    """Everything that is known of a point, in lines."""
    if one.throughput is None:
        return f"{one.point.words}\n{one.reason}"
    low, high = one.interval
    lines = [
        one.point.words,
        f"{rate_words(one.samples_per_second)} samples/s, 95 % interval {rate_words(low)} to {rate_words(high)}",
        f"latency of an inference: median {one.median_ms:.3f} ms, p95 {one.p95_ms:.3f} ms",
    ]
    if price:
        lines.append(f"a million samples cost {one.cost_per_million(price):.3g}")
    return "\n".join([*lines, *(["noisy: latency varies a lot"] if one.is_noisy else [])])
