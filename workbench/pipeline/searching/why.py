"""Why a plan is as it is: each decision by two measured plans, one with it and one without. Nothing is added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from workbench.core.precision import Calibration, CalibrationMethod, Precision
from workbench.core.search import Choice, Decision, Measured, Point, Search, Unit
from workbench.core.titles import method_label
from workbench.pipeline.searching.moves import find
from workbench.pipeline.searching.space import RANGED, asked_low, with_kept

NAMED = 3
SAME_TIME = 0.02
"""Of the time: a smaller difference is no difference."""
SAME_ACCURACY = 0.005
"""Points, per cent, or dB."""


def decisions(search: Search, point: Point) -> tuple[Decision, ...]:
    """Those of a plan for which the plan without it was measured: what is kept, ranges, low and high precision."""
    choice = point.choice
    if choice is None or choice.low is None or point.seen is None:
        return ()
    units = {unit.node: unit for unit in search.units}
    parts = (_kept, _methods, _lowered, _around)
    return tuple(decision for part in parts for decision in part(search, point, choice, units))


def _kept(search: Search, point: Point, choice: Choice, units: Mapping[str, Unit]) -> Iterator[Decision]:
    """`These 3 layers stay BF16 (a, b, c): in INT8 they would cost 2.1 points together and save 4 % of the time.`"""
    groups = [choice.kept] if choice.kept else []
    if len(choice.kept) > 1:
        groups += [(node,) for node in choice.kept]
    for nodes in groups:
        other = with_kept(choice, set(choice.kept) - set(nodes))
        many = len(nodes) > 1
        who = f"These {len(nodes)} layers stay" if many else f"{names(nodes, units)} stays"
        named = f" ({names(nodes, units)})" if many else ""
        text = f"{who} {choice.high.label}{named}: in {_low(choice)} {'they' if many else 'it'}"
        yield from _decision(search, point, other, text, nodes, " together" if many else "")


def _methods(search: Search, point: Point, choice: Choice, units: Mapping[str, Unit]) -> Iterator[Decision]:
    """`Ranges by MSE: those by max would cost 15.0 points and take the same time.`

    Where the plan itself was not measured with the other ranges, by the plans that keep nothing.
    """
    nodes, whole = tuple(asked_low(choice, units)), with_kept(choice, ())
    plain = msgspec.structs.replace(whole, high=Precision.FP32)
    for method in CalibrationMethod if choice.low in RANGED else ():
        for base, where in ((choice, ""), (whole, " with nothing kept"), (plain, " with nothing kept")):
            one, other = find(search, base), msgspec.structs.replace(base, method=method)
            text = f"Ranges by {_ranges(choice.method)}: those by {_ranges(method)}{where}"
            found = list(_decision(search, one, other, text, nodes)) if one is not None else []
            yield from found
            if found:
                break


def _lowered(search: Search, point: Point, choice: Choice, units: Mapping[str, Unit]) -> Iterator[Decision]:
    """`12 layers run in INT8: in BF16 they would win 0.3 points and take 48 % more time.`"""
    nodes = tuple(asked_low(choice, units))
    who = f"{len(nodes)} layers run" if len(nodes) != 1 else f"{names(nodes, units)} runs"
    text = f"{who} in {_low(choice)}: in {choice.high.label} {'they' if len(nodes) != 1 else 'it'}"
    yield from _decision(search, point, Choice(choice.high, pinned=choice.pinned), text, nodes)


def _around(search: Search, point: Point, choice: Choice, units: Mapping[str, Unit]) -> Iterator[Decision]:
    """`BF16 for all else: FP32 would win 0.1 points and take 7 % more time.`"""
    for high in dict.fromkeys(point.choice.high for point in search.measured if point.choice is not None):
        text = f"{choice.high.label} for all else: {high.label}"
        yield from _decision(search, point, msgspec.structs.replace(choice, high=high), text, choice.kept)


def _decision(
    search: Search, point: Point, other: Choice, text: str, nodes: tuple[str, ...], together: str = ""
) -> Iterator[Decision]:
    """What going without would change, where the plan without was measured; figures of one measurement of both."""
    without = find(search, other)
    if without is None or without.id == point.id:
        return
    a, b = (point.again, without.again) if point.again and without.again else (point.first, without.first)
    if a is None or b is None:
        return
    gain, slower = gain_of(a, b), 1 - a.speed.ratio / b.speed.ratio
    yield Decision(f"{text} would {_accuracy(gain, a)}{together} and {_time(slower)}.", nodes, without.id, gain, slower)


def gain_of(a: Measured, b: Measured) -> float:
    """What `a` has more of accuracy than `b`: points or per cent of the metric, dB without one."""
    if a.quality.loss is None or b.quality.loss is None:
        return a.quality.sqnr_db - b.quality.sqnr_db
    return b.quality.loss - a.quality.loss


def accuracy_unit(measured: Measured) -> str:
    """Of a difference of accuracy."""
    if measured.quality.loss is None:
        return "dB"
    return "points" if measured.quality.is_share else "%"


def names(nodes: tuple[str, ...], units: Mapping[str, Unit]) -> str:
    """The first few by the user's names."""
    known = [units[node].title if node in units else node for node in nodes[:NAMED]]
    return ", ".join(known) + (" …" if len(nodes) > NAMED else "")


def _accuracy(gain: float, measured: Measured) -> str:
    """Of going without: `cost 2.1 points`, `win 0.5 points`."""
    if abs(gain) < SAME_ACCURACY:
        return "change no accuracy that was seen"
    digits = 1 if abs(gain) >= 0.095 else 2
    return f"{'cost' if gain > 0 else 'win'} {abs(gain):.{digits}f} {accuracy_unit(measured)}"


def _time(slower: float) -> str:
    """Of going without: `save 4 % of the time`."""
    if abs(slower) < SAME_TIME:
        return "take the same time"
    return f"save {100 * slower:.0f} % of the time" if slower > 0 else f"take {-100 * slower:.0f} % more time"


def _low(choice: Choice) -> str:
    assert choice.low is not None
    return choice.low.label


def _ranges(method: CalibrationMethod) -> str:
    return method_label(Calibration(method))
