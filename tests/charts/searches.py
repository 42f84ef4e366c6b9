"""A search as it might have been: FP32, all-INT8 by two methods, and mixtures; some measured twice."""

from __future__ import annotations

import msgspec

from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.core.search import Choice, Limit, Measured, Point, Quality, Search, Speed, Unit

FP32, INT8 = Precision.FP32, Precision.INT8
MSE, MAX = CalibrationMethod.MSE, CalibrationMethod.MAX


def measured(ratio: float, loss: float) -> Measured:
    value = 0.97 - loss / 100
    quality = Quality("exact lines", value, value - 0.03, value + 0.02, 200, 25 - loss, loss, loss - 1.2, loss + 1.3)
    return Measured(Speed(ratio, ratio * 0.97, ratio * 1.03, 16), quality)


def point(number: int, choice: Choice, ratio: float, loss: float, *, again: bool = False) -> Point:
    plan = PrecisionPlan(default=choice.low or choice.high)
    if choice.kept:
        plan = msgspec.structs.replace(plan, rules=(Rule(choice.high, nodes=choice.kept),))
    first = measured(ratio, loss)
    title = f"{plan.default.label} {choice.method.value}" + (f", {len(choice.kept)} kept" if choice.kept else "")
    return Point(number, plan, title, "because", choice, first, first if again else None, 1_000_000 * (5 - number % 4))


def found(*nodes: str, limit: Limit = Limit()) -> Search:  # noqa: B008  frozen
    """`nodes` are the products, the most sensitive first; two at least."""
    points = (
        point(0, Choice(FP32), 1.0, 0.0, again=True),
        point(1, Choice(FP32, INT8, MSE), 4.0, 2.1, again=True),
        point(2, Choice(FP32, INT8, MAX), 4.0, 17.0),
        point(3, Choice(FP32, INT8, MSE, nodes[:1]), 3.6, 0.4, again=True),
        point(4, Choice(FP32, INT8, MSE, nodes[:2]), 2.5, 0.5),
        Point(
            5, PrecisionPlan(default=INT8), "INT8/BF16 MSE", "tried", Choice(Precision.BF16, INT8), reason="No BF16."
        ),
    )
    units = tuple(Unit(node, "Conv", f"layer {node}", 0.4, 0.1) for node in nodes)
    return Search("s", "a" * 32, limit, 600.0, 120.0, points=points, units=units, baseline_ms=20.0)
